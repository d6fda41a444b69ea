//! Merges the result lists of all providers and sub-queries into one, each page once.
//!
//! Reciprocal rank fusion (Cormack, Clarke and Büttcher, 2009): a page scores the sum of
//! 1 / (60 + its position) over the lists that hold it. Positions can be compared between
//! providers, their scores cannot.

use super::canonical_url::canonical_url;
use crate::pipeline::{
    candidate::Candidate,
    document::{Block, Document},
    provider::Hit,
};
use privachat_core::schema::SourceType;
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    sync::Arc,
};

/// The constant of the method: the higher, the less the first positions outweigh the later ones.
const RRF_K: f64 = 60.0;

/// One provider's results for one sub-query.
#[derive(Debug)]
pub(super) struct ResultList {
    /// Index into `Plan::queries`.
    pub(super) query: usize,
    pub(super) hits: Vec<Hit>,
}

/// Merges `lists`, best first; equal scores keep the order of the lists.
pub(super) fn fuse(lists: Vec<ResultList>) -> Vec<Candidate> {
    let mut merged: Vec<MergedCandidate> = Vec::new();
    let mut known: HashMap<String, usize> = HashMap::new();
    for list in lists {
        let mut counted = BTreeSet::new();
        for hit in list.hits {
            let key = canonical_url(&hit.url);
            if key.is_empty() {
                continue;
            }
            let at = *known.entry(key).or_insert_with(|| {
                merged.push(MergedCandidate::new(&hit));
                merged.len() - 1
            });
            let Some(entry) = merged.get_mut(at) else {
                continue;
            };
            // A list that holds a page twice counts once.
            if counted.insert(at) {
                entry.candidate.fusion_score += 1.0 / (RRF_K + hit.position as f64);
            }
            entry.add(hit, list.query);
        }
    }
    merged.sort_by(|a, b| {
        let by_score = b
            .candidate
            .fusion_score
            .total_cmp(&a.candidate.fusion_score);
        by_score.then(a.best_position.cmp(&b.best_position))
    });
    merged.into_iter().map(|entry| entry.candidate).collect()
}

struct MergedCandidate {
    candidate: Candidate,
    best_position: usize,
}

impl MergedCandidate {
    fn new(hit: &Hit) -> Self {
        Self {
            candidate: Candidate {
                url: hit.url.trim().to_owned(),
                title: hit.title.clone(),
                snippet: String::new(),
                providers: Vec::new(),
                fusion_score: 0.0,
                found_by_queries: Vec::new(),
                published: None,
                source_type: SourceType::Web,
                document: None,
            },
            best_position: hit.position,
        }
    }

    fn add(&mut self, hit: Hit, query: usize) {
        let candidate = &mut self.candidate;
        if hit.position < self.best_position {
            self.best_position = hit.position;
            hit.url.trim().clone_into(&mut candidate.url);
            if !hit.title.trim().is_empty() {
                candidate.title = hit.title;
            }
        } else if candidate.title.trim().is_empty() {
            candidate.title = hit.title;
        }
        if hit.snippet.chars().count() > candidate.snippet.chars().count() {
            candidate.snippet = hit.snippet;
        }
        if !candidate.providers.contains(&hit.provider) {
            candidate.providers.push(hit.provider);
        }
        if !candidate.found_by_queries.contains(&query) {
            candidate.found_by_queries.push(query);
        }
        if candidate.source_type == SourceType::Web {
            candidate.source_type = hit.source_type;
        }
        candidate.published = candidate.published.or(hit.published);
        candidate.document = match (candidate.document.take(), hit.document) {
            (Some(known), Some(more)) => Some(merge_documents(known, &more)),
            (known, more) => known.or(more),
        };
    }
}

/// `known` with the blocks of `more` that it lacks. A provider may deliver only the part of a long
/// page that fits its query, and another sub-query another part.
fn merge_documents(known: Arc<Document>, more: &Document) -> Arc<Document> {
    let held: HashSet<(&str, Option<&str>)> = known.blocks.iter().map(block_key).collect();
    let lacking: Vec<Block> = more
        .blocks
        .iter()
        .filter(|block| !held.contains(&block_key(block)))
        .cloned()
        .collect();
    if lacking.is_empty() {
        return known;
    }
    let mut document = Arc::unwrap_or_clone(known);
    document.blocks.extend(lacking);
    Arc::new(document)
}

fn block_key(block: &Block) -> (&str, Option<&str>) {
    (&block.text, block.anchor.as_deref())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::test_support::{document, hit};

    fn list(query: usize, provider: &'static str, urls: &[&str]) -> ResultList {
        let hits = urls
            .iter()
            .zip(1..)
            .map(|(url, position)| Hit {
                position,
                ..hit(provider, url)
            })
            .collect();
        ResultList { query, hits }
    }

    fn urls(candidates: &[Candidate]) -> Vec<&str> {
        candidates.iter().map(|c| c.url.as_str()).collect()
    }

    #[test]
    fn a_page_in_two_lists_ranks_before_the_first_of_one_list() {
        let fused = fuse(vec![
            list(0, "searxng", &["https://a.org/", "https://b.org/"]),
            list(1, "local", &["https://c.org/", "http://www.b.org"]),
        ]);
        assert_eq!(
            urls(&fused),
            ["https://b.org/", "https://a.org/", "https://c.org/"]
        );
        assert!((fused[0].fusion_score - 2.0 / 62.0).abs() < 1e-12);
        assert_eq!(fused[0].providers, ["searxng", "local"]);
        assert_eq!(fused[0].found_by_queries, [0, 1]);
        assert!((fused[1].fusion_score - 1.0 / 61.0).abs() < 1e-12);
    }

    #[test]
    fn a_list_that_holds_a_page_twice_counts_once() {
        let fused = fuse(vec![list(
            0,
            "searxng",
            &["https://a.org/", "https://a.org/#x"],
        )]);
        assert_eq!(fused.len(), 1);
        assert!((fused[0].fusion_score - 1.0 / 61.0).abs() < 1e-12);
    }

    #[test]
    fn the_best_placed_url_and_the_longest_excerpt_are_kept() {
        let long = Hit {
            position: 4,
            snippet: "a longer excerpt".to_owned(),
            source_type: SourceType::News,
            ..hit("local", "http://a.org/?utm_source=x")
        };
        let short = Hit {
            snippet: "short".to_owned(),
            ..hit("searxng", "https://a.org/")
        };
        let lists = [long, short].map(|hit| ResultList {
            query: 0,
            hits: vec![hit],
        });
        let fused = fuse(lists.into());
        assert_eq!(urls(&fused), ["https://a.org/"]);
        assert_eq!(fused[0].snippet, "a longer excerpt");
        assert_eq!(fused[0].source_type, SourceType::News);
    }

    #[test]
    fn parts_of_a_page_from_different_queries_are_joined() {
        let part = |query, anchor: &str, text| ResultList {
            query,
            hits: vec![Hit {
                document: Some(Arc::new(document(text))),
                ..hit("local", &format!("file:///page.html#{anchor}"))
            }],
        };
        let fused = fuse(vec![
            part(0, "gather", "About gather."),
            part(1, "wait", "About wait."),
            part(2, "wait", "About wait."),
        ]);
        assert_eq!(fused.len(), 1);
        let held = fused[0].document.as_ref().unwrap();
        assert_eq!(held.text(), "About gather.\n\nAbout wait.");
    }

    #[test]
    fn hits_without_a_url_are_dropped() {
        assert!(fuse(vec![list(0, "searxng", &["", " "])]).is_empty());
    }
}
