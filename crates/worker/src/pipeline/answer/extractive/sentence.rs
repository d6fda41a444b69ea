//! The sentences of the sources that could stand in an answer.

use super::{
    footnotes,
    form::{is_dangling, is_navigation},
    lines::{self, Line},
    table::Row,
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
#[derive(Debug, Clone, Default, PartialEq)]
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
    /// Whether it stands in a paragraph that ends with a question: who asks, answers nothing.
    pub(super) asks: bool,
    /// Whether it is a row of a table.
    pub(super) row: bool,
    /// The code right below it.
    pub(super) code: Option<String>,
    pub(super) terms: Vec<String>,
    /// The terms without those that only hold a sentence together.
    pub(super) content: Vec<String>,
    /// Terms of the sentence before, when this one begins with a pronoun.
    pub(super) refers_terms: Vec<String>,
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
    let document = source.candidate.document.as_deref();
    let opens = opens_section(passage, document);
    let mut position = 0;
    let mut led = false;
    let place = Sentence {
        source: index,
        passage: number,
        nearest_terms,
        heading_terms,
        title_terms,
        passage_score: passage.score,
        source_score: source.final_score,
        ..Sentence::default()
    };
    for (line, of_line) in lines::of(&passage.text, document).into_iter().enumerate() {
        let Line {
            text,
            list_item,
            row,
            code,
        } = of_line;
        if let Some(row) = row {
            position += 1;
            found.extend(of_row(&row, asked, analyzer).map(|sentence| Sentence {
                line,
                position,
                source: index,
                passage: number,
                heading_terms: place.heading_terms.clone(),
                title_terms: place.title_terms.clone(),
                passage_score: passage.score,
                source_score: source.final_score,
                ..sentence
            }));
            continue;
        }
        let text = footnotes::removed(text);
        let asks = text.trim_end().ends_with(['?', '？']);
        let first = found.len();
        for (at, sentence) in sentences(&text).into_iter().enumerate() {
            position += 1;
            let complete = can_stand(sentence, list_item);
            if !complete && !introduces(sentence) {
                continue;
            }
            let leads = opens && !led && at == 0;
            led |= complete;
            let refers_terms = match found.last() {
                Some(before)
                    if begins_with_pronoun(sentence) && is_before(before, &place, position) =>
                {
                    [before.terms.as_slice(), &before.refers_terms].concat()
                }
                _ => Vec::new(),
            };
            found.push(Sentence {
                refers_terms,
                text: finished(sentence),
                line,
                position,
                list_item,
                leads,
                complete,
                asks,
                dangling: is_dangling(sentence),
                terms: towards(analyzer.terms(sentence), asked),
                content: content(sentence, analyzer),
                ..place.clone()
            });
        }
        if let Some(last) = found.get_mut(first..).and_then(<[Sentence]>::last_mut) {
            last.code = code;
        }
    }
}

/// "It opened in 1934": what that is stands in the sentence before.
fn begins_with_pronoun(sentence: &str) -> bool {
    let first = sentence.split_whitespace().next().unwrap_or_default();
    PRONOUNS.contains(&first.to_lowercase().as_str())
}

const PRONOUNS: [&str; 15] = [
    "it", "its", "he", "she", "his", "her", "they", "their", "er", "sie", "seine", "ihre", "il",
    "elle", "ils",
];

fn is_before(before: &Sentence, place: &Sentence, position: usize) -> bool {
    (before.source, before.passage) == (place.source, place.passage)
        && before.position + 1 == position
}

/// A row as a sentence: its first cell is what it is about, as a heading is.
fn of_row(row: &Row, asked: &[QueryTerm], analyzer: &Analyzer) -> Option<Sentence> {
    let text = finished(&footnotes::removed(&row.text));
    if text.split_whitespace().count() > MOST_WORDS || is_navigation(&text) {
        return None;
    }
    let mut terms = analyzer.terms(&text);
    terms.extend(analyzer.terms(&row.heads));
    Some(Sentence {
        complete: true,
        row: true,
        terms: towards(terms, asked),
        content: content(&text, analyzer),
        nearest_terms: topics(&row.name, asked, analyzer),
        text,
        ..Sentence::default()
    })
}

fn content(sentence: &str, analyzer: &Analyzer) -> Vec<String> {
    let tokens = analyzer.content(sentence).into_iter();
    tokens.map(|token| token.term).collect()
}

/// Whether the passage begins right after the heading or term that names it.
fn opens_section(passage: &Passage, document: Option<&Document>) -> bool {
    let Some(document) = document else {
        return true;
    };
    let lines = lines::of(&passage.text, None);
    let Some(first) = lines.iter().find(|line| !line.text.is_empty()) else {
        return false;
    };
    let start: String = first
        .text
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
