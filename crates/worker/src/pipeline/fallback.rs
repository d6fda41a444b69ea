//! Replaces ranking and answering when they run out of time, so that the results are not lost.

use super::candidate::{Candidate, Passage, RankedSource};

/// In characters.
const MAX_EXCERPT_CHARS: usize = 600;
/// Sources that the fallback answer quotes.
const MAX_QUOTED_SOURCES: usize = 3;

/// The first `limit` candidates that have text, in the order in which search merged them.
pub(super) fn in_search_order(candidates: Vec<Candidate>, limit: usize) -> Vec<RankedSource> {
    let best = candidates.first().map_or(0.0, |first| first.fusion_score);
    candidates
        .into_iter()
        .filter_map(|candidate| {
            let text = excerpt(&candidate)?;
            let score = if best > 0.0 {
                candidate.fusion_score / best
            } else {
                0.0
            };
            Some(unranked_source(candidate, text, score.clamp(0.0, 1.0)))
        })
        .take(limit)
        .collect()
}

/// A source that was not ranked, with `text` as its only passage.
pub(super) fn unranked_source(
    candidate: Candidate,
    text: String,
    final_score: f64,
) -> RankedSource {
    RankedSource {
        candidate,
        relevance: 0.0,
        semantic_score: None,
        final_score,
        passages: vec![Passage {
            headings: Vec::new(),
            text,
            anchor: None,
            score: 0.0,
            semantic_score: None,
        }],
    }
}

fn excerpt(candidate: &Candidate) -> Option<String> {
    let snippet = candidate.snippet.trim();
    if !snippet.is_empty() {
        return Some(snippet.to_owned());
    }
    let document = candidate.document.as_ref()?;
    let text: String = document.text().chars().take(MAX_EXCERPT_CHARS).collect();
    let text = text.trim().to_owned();
    (!text.is_empty()).then_some(text)
}

/// The best passage of each of the first sources, with its citation.
pub(super) fn quote_passages(sources: &[RankedSource]) -> String {
    let shown: Vec<String> = sources
        .iter()
        .zip(1..=MAX_QUOTED_SOURCES)
        .filter_map(|(source, number)| {
            let passage = source.passages.first()?;
            let text: String = passage.text.chars().take(MAX_EXCERPT_CHARS).collect();
            Some(format!("{} [{number}]", text.trim()))
        })
        .collect();
    shown.join("\n\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::test_support::document;
    use privachat_core::schema::SourceType;
    use std::sync::Arc;

    fn candidate(url: &str, snippet: &str, page: Option<&str>, fused: f64) -> Candidate {
        Candidate {
            url: url.to_owned(),
            title: String::new(),
            snippet: snippet.to_owned(),
            providers: vec!["searxng"],
            fusion_score: fused,
            found_by_queries: vec![0],
            published: None,
            source_type: SourceType::Web,
            document: page.map(|text| Arc::new(document(text))),
        }
    }

    #[test]
    fn sources_keep_their_order_and_those_without_text_are_dropped() {
        let candidates = vec![
            candidate("https://a.org/", "Excerpt.", Some("Page."), 0.4),
            candidate("https://b.org/", " ", None, 0.3),
            candidate("https://c.org/", "", Some("Page of c."), 0.2),
            candidate("https://d.org/", "One too many.", None, 0.1),
        ];
        let sources = in_search_order(candidates, 2);
        let scores: Vec<f64> = sources.iter().map(|source| source.final_score).collect();
        assert_eq!(scores, [1.0, 0.5]);
        assert_eq!(quote_passages(&sources), "Excerpt. [1]\n\nPage of c. [2]");
    }
}
