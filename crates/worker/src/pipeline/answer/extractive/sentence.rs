//! The sentences of the sources that could stand in an answer.

use super::{
    footnotes,
    form::{is_dangling, is_navigation},
    topics::{topics, towards},
};
use crate::pipeline::{
    BlockKind, Document, Passage, RankedSource,
    rank::QueryTerm,
    text::{Analyzer, is_code_like, sentences, without_parameters},
};

/// Sources and passages of each that are looked at.
const SOURCES: usize = 12;
const PASSAGES: usize = 5;
/// Words of a sentence that can stand in an answer.
const FEWEST_WORDS: usize = 4;
const MOST_WORDS: usize = 75;

/// A sentence with what is known of its place.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sentence {
    pub(super) text: String,
    /// Index of its source and of its passage there.
    pub(super) source: usize,
    pub(super) passage: usize,
    /// Number of its line, and of itself over the whole passage.
    pub(super) line: usize,
    pub(super) position: usize,
    pub(super) list_item: bool,
    /// Whether it opens the paragraph right after the heading or term of its passage.
    pub(super) leads: bool,
    /// Whether it points back to something that only the sentence before it names.
    pub(super) dangling: bool,
    /// Whether it can stand in an answer by itself; a shorter one only introduces what follows.
    pub(super) complete: bool,
    pub(super) terms: Vec<String>,
    /// The terms without those that only hold a sentence together.
    pub(super) content: Vec<String>,
    pub(super) nearest_terms: Vec<String>,
    pub(super) heading_terms: Vec<String>,
    pub(super) title_terms: Vec<String>,
    /// 0–1, from the ranking.
    pub(super) passage_score: f64,
    pub(super) source_score: f64,
}

pub(super) fn collect(
    sources: &[RankedSource],
    asked: &[QueryTerm],
    analyzer: &Analyzer,
) -> Vec<Sentence> {
    let mut found = Vec::new();
    for (index, source) in sources.iter().enumerate().take(SOURCES) {
        for (number, passage) in source.passages.iter().enumerate().take(PASSAGES) {
            of_passage(index, source, number, passage, asked, analyzer, &mut found);
        }
    }
    found
}

fn of_passage(
    index: usize,
    source: &RankedSource,
    number: usize,
    passage: &Passage,
    asked: &[QueryTerm],
    analyzer: &Analyzer,
    found: &mut Vec<Sentence>,
) {
    let nearest = passage.headings.last().map_or("", String::as_str);
    let nearest_terms = topics(&without_parameters(nearest), asked, analyzer);
    let heading_terms = topics(
        &without_parameters(&passage.headings.join("\n")),
        asked,
        analyzer,
    );
    let title_terms = analyzer.terms(&source.candidate.title);
    let opens = opens_section(passage, source.candidate.document.as_deref());
    let mut position = 0;
    let mut led = false;
    for (line, (text, list_item)) in prose_lines(&passage.text).enumerate() {
        let text = footnotes::removed(text);
        for (at, sentence) in sentences(&text).into_iter().enumerate() {
            position += 1;
            let complete = can_stand(sentence, list_item);
            if !complete && !introduces(sentence) {
                continue;
            }
            let leads = opens && !led && at == 0;
            led |= complete;
            found.push(Sentence {
                text: finished(sentence),
                source: index,
                passage: number,
                line,
                position,
                list_item,
                leads,
                complete,
                dangling: is_dangling(sentence),
                terms: towards(analyzer.terms(sentence), asked),
                content: content(sentence, analyzer),
                nearest_terms: nearest_terms.clone(),
                heading_terms: heading_terms.clone(),
                title_terms: title_terms.clone(),
                passage_score: passage.score,
                source_score: source.final_score,
            });
        }
    }
}

fn content(sentence: &str, analyzer: &Analyzer) -> Vec<String> {
    let tokens = analyzer.content(sentence).into_iter();
    tokens.map(|token| token.term).collect()
}

/// The lines of a passage that are prose, and whether each is a list item.
fn prose_lines(text: &str) -> impl Iterator<Item = (&str, bool)> {
    let mut code = false;
    text.lines().filter_map(move |line| {
        if line.trim() == "```" {
            code = !code;
            return None;
        }
        if code || line.starts_with("| ") {
            return None;
        }
        let item = line.strip_prefix("- ");
        Some((item.unwrap_or(line), item.is_some()))
    })
}

/// Whether the passage begins right after the heading or term that names it.
fn opens_section(passage: &Passage, document: Option<&Document>) -> bool {
    let Some(document) = document else {
        return true;
    };
    let Some((first, _)) = prose_lines(&passage.text).find(|(line, _)| !line.is_empty()) else {
        return false;
    };
    let start: String = first
        .chars()
        .take(60)
        .filter(|c| !c.is_whitespace())
        .collect();
    let mut after_name = true;
    for block in &document.blocks {
        let names = matches!(block.kind, BlockKind::Heading(_) | BlockKind::Term);
        let mut text = block.text.chars().filter(|c| !c.is_whitespace());
        if !names && start.chars().all(|c| text.next() == Some(c)) && after_name {
            return true;
        }
        after_name = names || (after_name && block.kind == BlockKind::Code);
    }
    false
}

/// Whether a piece of text is a sentence rather than navigation, a label or code.
fn can_stand(sentence: &str, list_item: bool) -> bool {
    let words = sentence.split_whitespace().count();
    let spaceless = sentence.chars().any(|c| u32::from(c) >= 0x3040);
    if !spaceless && !(FEWEST_WORDS..=MOST_WORDS).contains(&words) {
        return false;
    }
    let ended = sentence
        .trim_end_matches(['"', '”', '\'', '’', ')', ']', '»', '*'])
        .ends_with(['.', '!', '。', '！', '…']);
    let item = list_item && words >= FEWEST_WORDS && !sentence.ends_with(':');
    (ended || item) && !is_code_like(sentence) && !is_navigation(sentence)
}

/// Whether a piece too short for an answer of its own can stand before the sentence that follows.
fn introduces(sentence: &str) -> bool {
    let words = sentence.split_whitespace().count();
    (2..FEWEST_WORDS).contains(&words)
        && sentence.ends_with(['.', '!'])
        && !is_code_like(sentence)
        && !is_navigation(sentence)
}

/// A sentence as it stands in an answer.
fn finished(sentence: &str) -> String {
    let text = sentence.trim().trim_end_matches('¶').trim_end();
    let mut text = without_marks(text);
    if !text.ends_with(['.', '!', '?', '。', '！', '？', '…', '"', '”', ')', '\'']) {
        text.truncate(text.trim_end_matches([';', ',', ':']).len());
        text.push('.');
    }
    text
}

/// Footnote marks of the source would read as citations of the answer.
fn without_marks(text: &str) -> String {
    let stripped = super::super::citations::strip(text, 0).0;
    stripped.trim().to_owned()
}
