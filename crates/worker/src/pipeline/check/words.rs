//! A sentence as the check sees it: each word with its weight, its clause, and whether it is denied.

use super::numbers;
use crate::pipeline::text::{Analyzer, Token, stop_words};

/// What a word is worth as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Holds the sentence together.
    Stop,
    /// Says little.
    Weak,
    Plain,
    /// A source without it does not carry the claim.
    Name,
    /// The same, and it belongs to what stands around it.
    Figure,
}

impl Kind {
    pub(super) fn weight(self) -> f64 {
        match self {
            Self::Stop => 0.0,
            Self::Weak => 0.6,
            Self::Plain => 1.0,
            Self::Name | Self::Figure => 2.0,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Word {
    pub(super) term: String,
    pub(super) kind: Kind,
    /// Written with a capital, at the start of the sentence too.
    pub(super) capital: bool,
    /// Number of its clause in the sentence.
    pub(super) clause: usize,
    pub(super) denied: bool,
}

/// The words of a sentence, in order.
pub(super) fn of(sentence: &str, analyzer: &Analyzer) -> Vec<Word> {
    let mut words = Vec::new();
    let mut clause = 0;
    for part in parts(sentence) {
        let tokens = numbers::in_one_form(analyzer.analyze(part), analyzer);
        let mut scopes: Vec<Vec<Token>> = vec![Vec::new()];
        for token in tokens {
            if starts(&SCOPES, &token) {
                scopes.push(Vec::new());
            }
            if let Some(scope) = scopes.last_mut() {
                scope.push(token);
            }
        }
        for scope in scopes {
            push(scope, clause, analyzer, &mut words);
            clause += 1;
        }
    }
    words
}

/// The stretches between punctuation marks that end a thought.
fn parts(sentence: &str) -> Vec<&str> {
    let marks = [", ", "; ", ": ", " – ", " — ", " ("];
    let mut parts = vec![sentence];
    for mark in marks {
        parts = parts
            .into_iter()
            .flat_map(|part| part.split(mark))
            .collect();
    }
    parts
}

/// Adds the words of one clause, which is denied as a whole or from “without” on.
fn push(scope: Vec<Token>, clause: usize, analyzer: &Analyzer, words: &mut Vec<Word>) {
    let denied = negations(&scope) % 2 == 1;
    let mut lacking = false;
    for token in scope {
        lacking |= starts(&["without", "ohne"], &token);
        words.push(Word {
            kind: kind(&token, words.is_empty(), analyzer),
            capital: token.surface.starts_with(char::is_uppercase),
            clause,
            denied: denied ^ lacking,
            term: token.term,
        });
    }
}

fn kind(token: &Token, first: bool, analyzer: &Analyzer) -> Kind {
    let surface = token.surface.to_lowercase();
    // "One" stands for a thing as often as for a number.
    if surface == "one" || UNITS.contains(&surface.as_str()) {
        return Kind::Weak;
    }
    if token.term.starts_with(|c: char| c.is_ascii_digit()) {
        return Kind::Figure;
    }
    if analyzer.is_stop_word(token) {
        return Kind::Stop;
    }
    if is_name(token, first, analyzer) {
        return Kind::Name;
    }
    if stop_words::is_weak(&token.term) {
        Kind::Weak
    } else {
        Kind::Plain
    }
}

/// Capitals inside a sentence; German writes every noun so, and there only odd capitals tell.
fn is_name(token: &Token, first: bool, analyzer: &Analyzer) -> bool {
    if token.identifier {
        return true;
    }
    let inner = token.surface.chars().skip(1).any(char::is_uppercase);
    let capital = token.surface.starts_with(char::is_uppercase);
    inner || (capital && !first && analyzer.language() != "de")
}

fn negations(tokens: &[Token]) -> usize {
    let mut count = 0;
    for (at, token) in tokens.iter().enumerate() {
        let word = token.surface.to_lowercase();
        let next = tokens.get(at + 1).map(|next| next.surface.to_lowercase());
        let not_only = word == "not" && next.as_deref() == Some("only");
        // "isn't" is cut at its apostrophe.
        let contracted = next.as_deref() == Some("t") && CONTRACTED.contains(&word.as_str());
        count += usize::from(!not_only && (NEGATIONS.contains(&word.as_str()) || contracted));
    }
    count
}

fn starts(words: &[&str], token: &Token) -> bool {
    words.contains(&token.surface.to_lowercase().as_str())
}

/// What begins a thought of its own, which can be denied by itself.
const SCOPES: [&str; 22] = [
    "and", "und", "but", "because", "so", "which", "unless", "while", "although", "whereas",
    "though", "since", "until", "when", "if", "that", "aber", "weil", "damit", "sondern", "obwohl",
    "wenn",
];
/// What is counted, which is often a sign such as `%`.
const UNITS: [&str; 9] = [
    "percent", "per", "dollars", "dollar", "euros", "euro", "prozent", "usd", "eur",
];
const NEGATIONS: [&str; 20] = [
    "not", "no", "never", "none", "neither", "nor", "cannot", "nicht", "kein", "keine", "keinen",
    "nie", "niemals", "ne", "pas", "jamais", "aucun", "nunca", "ningún", "sin",
];
const CONTRACTED: [&str; 18] = [
    "isn", "aren", "wasn", "weren", "don", "doesn", "didn", "won", "wouldn", "can", "couldn",
    "shouldn", "hasn", "haven", "hadn", "mustn", "needn", "mightn",
];
