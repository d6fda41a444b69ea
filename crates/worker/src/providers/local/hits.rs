//! From a question to hits: candidates from the index, scored as a whole, one hit per page.

use super::{
    query::{self, Question},
    rank,
    sections::Section,
    snippet::snippet,
    store::Store,
    tokens::{Words, stemmed_as},
};
use crate::pipeline::{Block, BlockKind, Document, Hit};
use privachat_core::schema::SourceType;
use std::{
    collections::{HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};
use tantivy::{
    DocAddress, Searcher, TantivyDocument, collector::TopDocs, query::Query, schema::Value,
};
use url::Url;

/// Sections that are looked at closely, by the way in which they were proposed.
const ANY_WORD: usize = 80;
const ALL_WORDS: usize = 60;
const IN_NAMES: usize = 60;
/// What a hit's document holds at most.
const DOCUMENT_SECTIONS: usize = 6;
const DOCUMENT_CHARS: usize = 12_000;
/// A page that fits less than this share of the best one is noise: by a long way when there is
/// nothing to agree with the best one yet, sooner once there is.
const NOISE: f32 = 0.2;
const SURE_NOISE: f32 = 0.05;
const FEW_PAGES: usize = 3;
/// Languages of the corpus that a question is asked in.
const MOST_LANGUAGES: usize = 6;

struct Scored {
    file: String,
    section: Section,
    score: f32,
}

impl Scored {
    fn language(&self) -> &str {
        stemmed_as(self.section.language.as_deref())
    }
}

/// A question as it is asked of the pages in one language.
struct Asked {
    language: String,
    words: Words,
    question: Question,
}

/// The pages that fit `question` best. It is asked of the pages of each language by the rules of
/// that language: a few words of a question do not tell theirs for sure.
pub(super) fn search(
    store: &Store,
    question: &str,
    limit: usize,
    links: &Links,
) -> anyhow::Result<Vec<Hit>> {
    let searcher = store.reader.searcher();
    let mut all_asked = Vec::new();
    let mut scored = Vec::new();
    for language in store.languages()?.into_iter().take(MOST_LANGUAGES) {
        let words = Words::of_language(&language);
        let question = Question::new(question, &language, &words, &searcher, &store.fields)?;
        if question.concepts.is_empty() {
            continue;
        }
        let asked = Asked {
            language,
            words,
            question,
        };
        propose(store, &searcher, &asked, limit, &mut scored)?;
        all_asked.push(asked);
    }
    let mut hits = Vec::new();
    for page in pages(scored).into_iter().take(limit) {
        let language = page.first().map(|best| best.language());
        let asked = all_asked
            .iter()
            .find(|asked| Some(asked.language.as_str()) == language);
        if let Some(asked) = asked {
            hits.push(hit(&page, hits.len() + 1, asked, links));
        }
    }
    Ok(hits)
}

/// Adds the sections in one language that may answer.
fn propose(
    store: &Store,
    searcher: &Searcher,
    asked: &Asked,
    limit: usize,
    scored: &mut Vec<Scored>,
) -> anyhow::Result<()> {
    let Asked {
        language,
        words,
        question,
    } = asked;
    let (concepts, fields) = (&question.concepts, &store.fields);
    let proposals: [(Box<dyn Query>, usize); 3] = [
        (
            query::in_language(query::any_of(concepts, fields), language, fields),
            ANY_WORD.max(limit * 4),
        ),
        (
            query::in_language(query::all_of(concepts, fields), language, fields),
            ALL_WORDS,
        ),
        (
            query::in_language(query::named(concepts, fields), language, fields),
            IN_NAMES,
        ),
    ];
    let mut addresses: HashSet<DocAddress> = HashSet::new();
    for (proposal, count) in &proposals {
        let top = searcher.search(proposal, &TopDocs::with_limit(*count).order_by_score())?;
        addresses.extend(top.into_iter().map(|(_, address)| address));
    }
    for address in addresses {
        let entry: TantivyDocument = searcher.doc(address)?;
        let file = entry
            .get_first(store.fields.file)
            .and_then(|value| value.as_str());
        let stored = entry
            .get_first(store.fields.stored)
            .and_then(|value| value.as_bytes());
        let (Some(file), Some(stored)) = (file, stored) else {
            continue;
        };
        let section: Section = serde_json::from_slice(stored)?;
        if rank::is_contents(&section) {
            continue;
        }
        let score = rank::score(&section, question, words);
        scored.push(Scored {
            file: file.to_owned(),
            section,
            score,
        });
    }
    Ok(())
}

/// Sections by page, the best section and the best page first.
fn pages(mut scored: Vec<Scored>) -> Vec<Vec<Scored>> {
    scored.sort_by(|a, b| {
        b.score
            .total_cmp(&a.score)
            .then_with(|| a.file.cmp(&b.file))
            .then_with(|| a.section.order.cmp(&b.section.order))
    });
    let mut by_file: HashMap<String, Vec<Scored>> = HashMap::new();
    for section in scored {
        by_file
            .entry(section.file.clone())
            .or_default()
            .push(section);
    }
    let mut pages: Vec<(f32, Vec<Scored>)> = by_file
        .into_values()
        .map(|sections| {
            let support: f32 = sections
                .iter()
                .skip(1)
                .take(2)
                .map(|section| section.score)
                .sum();
            let best = sections.first().map_or(0.0, |section| section.score);
            (best + 0.05 * support, sections)
        })
        .collect();
    pages.sort_by(|a, b| {
        b.0.total_cmp(&a.0)
            .then_with(|| file_of(&a.1).cmp(file_of(&b.1)))
    });
    let best = pages.first().map_or(0.0, |(score, _)| *score);
    pages
        .into_iter()
        .enumerate()
        .filter(|(place, (score, _))| {
            let noise = if *place < FEW_PAGES {
                SURE_NOISE
            } else {
                NOISE
            };
            *score > best * noise
        })
        .map(|(_, (_, sections))| sections)
        .collect()
}

fn file_of(sections: &[Scored]) -> &str {
    sections.first().map_or("", |section| section.file.as_str())
}

fn hit(page: &[Scored], position: usize, asked: &Asked, links: &Links) -> Hit {
    let best = page.first();
    Hit {
        title: best
            .map(|best| best.section.title.clone())
            .unwrap_or_default(),
        url: best
            .map(|best| links.to(&best.file, best.section.anchor.as_deref()))
            .unwrap_or_default(),
        snippet: best
            .map(|best| snippet(&best.section, &asked.question.concepts, &asked.words))
            .unwrap_or_default(),
        provider: super::NAME,
        position,
        published: None,
        source_type: SourceType::Web,
        document: Some(Arc::new(document(page))),
    }
}

/// What the page says about the question: its best sections, headings kept.
fn document(page: &[Scored]) -> Document {
    let mut document = Document::default();
    let Some(best) = page.first() else {
        return document;
    };
    document.title.clone_from(&best.section.title);
    document.language.clone_from(&best.section.language);
    let mut room = DOCUMENT_CHARS;
    for Scored { section, .. } in page.iter().take(DOCUMENT_SECTIONS) {
        let anchor = &section.anchor;
        let heading = |level: u8, text: &str| Block {
            kind: BlockKind::Heading(level),
            text: text.to_owned(),
            anchor: anchor.clone(),
        };
        let mut blocks: Vec<Block> = section
            .path
            .iter()
            .map(|(level, text)| heading(*level, text))
            .collect();
        if !section.is_term && !section.heading.is_empty() {
            let level = section
                .path
                .last()
                .map_or(1, |(level, _)| level.saturating_add(1).min(6));
            blocks.push(heading(level, &section.heading));
        }
        // Other names under which the page lists the term, such as its abbreviation.
        if section.is_term {
            blocks.extend(section.also.iter().map(|name| Block {
                kind: BlockKind::Term,
                text: name.clone(),
                anchor: anchor.clone(),
            }));
        }
        for block in &section.blocks {
            let chars = block.1.chars().count();
            if chars > room {
                break;
            }
            room -= chars;
            blocks.push(block.to_block());
        }
        document.blocks.append(&mut blocks);
    }
    document
}

/// Makes the address that leads a reader to a file.
#[derive(Debug, Clone)]
pub(super) struct Links {
    base: Option<Url>,
    roots: Vec<PathBuf>,
}

impl Links {
    pub(super) fn new(base: Option<&Url>, roots: &[PathBuf]) -> Self {
        let base = base.cloned().map(|mut base| {
            if !base.path().ends_with('/') {
                let folder = format!("{}/", base.path());
                base.set_path(&folder);
            }
            base
        });
        Self {
            base,
            roots: roots.to_vec(),
        }
    }

    /// The address of `file` (its `file://` address) at `anchor`.
    fn to(&self, file: &str, anchor: Option<&str>) -> String {
        let address = self
            .base
            .as_ref()
            .and_then(|base| base.join(&format!("./{}", self.relative(file)?)).ok())
            .or_else(|| Url::parse(file).ok());
        let Some(mut address) = address else {
            return file.to_owned();
        };
        address.set_fragment(anchor.filter(|anchor| !anchor.is_empty()));
        address.into()
    }

    /// The part of the address below the corpus folder, still percent-encoded.
    fn relative<'a>(&self, file: &'a str) -> Option<&'a str> {
        self.roots.iter().find_map(|root| {
            let root = root.canonicalize().ok()?;
            if root.is_dir() {
                return file.strip_prefix(Url::from_directory_path(&root).ok()?.as_str());
            }
            let folder = Url::from_directory_path(root.parent()?).ok()?;
            (Url::from_file_path(Path::new(&root)).ok()?.as_str() == file)
                .then(|| file.strip_prefix(folder.as_str()))?
        })
    }
}
