//! Cutting documents into passages.

use super::{Query, score::Fit, topics::topics};
use crate::pipeline::{
    Block, BlockKind, Candidate, Document, Passage,
    text::{Analyzer, sentence_ranges, without_parameters},
};
use std::collections::HashMap;

/// A passage is closed before it would get longer than this.
const MOST_WORDS: usize = 180;
/// A long block is cut into pieces of about this.
const PIECE_WORDS: usize = 120;
/// More of one document is not looked at.
const MOST_PASSAGES: usize = 400;

/// A passage before it has a score.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Draft {
    pub(super) headings: Vec<String>,
    pub(super) text: String,
    pub(super) anchor: Option<String>,
    /// Stemmed terms of the text.
    pub(super) terms: Vec<String>,
    /// Stemmed terms of the headings.
    pub(super) heading_terms: Vec<String>,
    /// Stemmed terms of the innermost heading or term.
    pub(super) nearest_terms: Vec<String>,
    /// Stemmed terms of the title of the source.
    pub(super) title_terms: Vec<String>,
}

impl Draft {
    pub(super) fn passage(self, fit: Fit) -> Passage {
        Passage {
            headings: self.headings,
            text: self.text,
            anchor: self.anchor,
            score: fit.score,
            semantic_score: fit.semantic,
        }
    }
}

/// The passages of every candidate; one without a document has its snippet.
pub(super) fn of_all(
    candidates: &[Candidate],
    query: &Query,
    analyzer: &Analyzer,
) -> Vec<Vec<Draft>> {
    let asked = query.all_terms();
    candidates
        .iter()
        .map(|candidate| of(candidate, &asked, analyzer))
        .collect()
}

fn of(candidate: &Candidate, asked: &HashMap<&str, f64>, analyzer: &Analyzer) -> Vec<Draft> {
    let mut cutter = Cutter::default();
    match &candidate.document {
        Some(document) if !document.is_empty() => cutter.cut(document),
        _ => cutter.take(&Block {
            kind: BlockKind::Paragraph,
            text: candidate.snippet.clone(),
            anchor: None,
        }),
    }
    cutter.close();
    let title_terms = analyzer.terms(&candidate.title);
    let mut drafts = cutter.done;
    if drafts.is_empty() {
        // A source that only has a title can still be the right one.
        drafts.push(Draft::bare(candidate.title.clone()));
    }
    for draft in &mut drafts {
        draft.terms = analyzer.terms(&draft.text);
        let headings = without_parameters(&draft.headings.join("\n"));
        draft.heading_terms = topics(&headings, asked, analyzer);
        let nearest = draft.headings.last().map_or("", String::as_str);
        draft.nearest_terms = topics(&without_parameters(nearest), asked, analyzer);
        draft.title_terms.clone_from(&title_terms);
    }
    drafts
}

impl Draft {
    fn bare(text: String) -> Self {
        Self {
            headings: Vec::new(),
            text,
            anchor: None,
            terms: Vec::new(),
            heading_terms: Vec::new(),
            nearest_terms: Vec::new(),
            title_terms: Vec::new(),
        }
    }
}

/// Walks over blocks and collects passages.
#[derive(Default)]
struct Cutter {
    headings: Vec<(u8, String)>,
    term: Option<String>,
    anchor: Option<String>,
    parts: Vec<String>,
    words: usize,
    done: Vec<Draft>,
}

impl Cutter {
    fn cut(&mut self, document: &Document) {
        for block in &document.blocks {
            if self.done.len() >= MOST_PASSAGES {
                return;
            }
            match block.kind {
                BlockKind::Heading(level) => self.heading(level, block),
                BlockKind::Term => self.term(block),
                _ => self.take(block),
            }
        }
    }

    fn heading(&mut self, level: u8, block: &Block) {
        self.close();
        self.term = None;
        self.headings.retain(|(above, _)| *above < level);
        self.headings.push((level, block.text.trim().to_owned()));
        self.anchor.clone_from(&block.anchor);
    }

    fn term(&mut self, block: &Block) {
        // Several signatures in a row share one description.
        let shared = self.parts.is_empty() && self.term.is_some();
        self.close();
        let text = block.text.trim();
        self.term = match self.term.take() {
            Some(before) if shared => Some(format!("{before}\n{text}")),
            _ => Some(text.to_owned()),
        };
        if !shared {
            self.anchor.clone_from(&block.anchor);
        }
    }

    fn take(&mut self, block: &Block) {
        let text = block.text.trim();
        if text.is_empty() {
            return;
        }
        let words = text.split_whitespace().count();
        if block.kind != BlockKind::Code && words > MOST_WORDS {
            for piece in pieces(text) {
                self.add(written(block.kind, piece), PIECE_WORDS, block);
            }
            return;
        }
        self.add(written(block.kind, text), words, block);
    }

    fn add(&mut self, part: String, words: usize, block: &Block) {
        if self.words + words > MOST_WORDS {
            self.close();
        }
        if self.parts.is_empty() && block.anchor.is_some() {
            self.anchor.clone_from(&block.anchor);
        }
        self.words += words;
        self.parts.push(part);
    }

    fn close(&mut self) {
        self.words = 0;
        if self.parts.is_empty() {
            return;
        }
        let headings = self
            .headings
            .iter()
            .map(|(_, text)| text.clone())
            .chain(self.term.clone())
            .collect();
        self.done.push(Draft {
            headings,
            anchor: self.anchor.clone(),
            ..Draft::bare(std::mem::take(&mut self.parts).join("\n"))
        });
    }
}

/// Passages are written as Markdown: list items, rows and code stay recognisable, one block a line.
fn written(kind: BlockKind, text: &str) -> String {
    match kind {
        BlockKind::Code => format!("```\n{}\n```", text.replace("```", "'''")),
        BlockKind::ListItem => format!("- {}", one_line(text)),
        BlockKind::TableRow => format!("| {} |", one_line(text)),
        _ => one_line(text),
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    words.join(" ").replace("```", "'''")
}

/// Whole sentences of a long block, about [`PIECE_WORDS`] together; a sentence without end is cut.
fn pieces(text: &str) -> Vec<&str> {
    let mut pieces = Vec::new();
    let (mut start, mut end, mut words) = (0, 0, 0);
    for range in sentence_ranges(text) {
        let count = text
            .get(range.clone())
            .map_or(0, |sentence| sentence.split_whitespace().count());
        if words > 0 && words + count > PIECE_WORDS {
            pieces.extend(text.get(start..end));
            start = range.start;
            words = 0;
        }
        words += count;
        end = range.end;
    }
    pieces.extend(text.get(start..end));
    pieces
}
