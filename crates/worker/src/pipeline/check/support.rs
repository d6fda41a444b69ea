//! How far the text of a source carries a statement.

use crate::pipeline::{
    RankedSource,
    text::{Analyzer, Token, sentences, stop_words},
};
use std::collections::{HashMap, HashSet};

/// Sentences that together can carry a statement.
const WINDOW: usize = 3;
/// The most a statement can be worth when a figure or name in it is nowhere in the source.
const CAP: f64 = 0.3;
/// What is left when the source says that it is not so.
const CONTRADICTED: f64 = 0.4;

/// A claim as weighted terms.
pub(super) struct Statement {
    terms: HashMap<String, f64>,
    /// Figures and names: a source without them does not carry the claim.
    required: Vec<String>,
    negated: bool,
}

impl Statement {
    pub(super) fn of(text: &str, analyzer: &Analyzer) -> Self {
        let tokens = analyzer.analyze(text);
        let mut terms = HashMap::new();
        let mut required = Vec::new();
        for (index, token) in tokens.iter().enumerate() {
            if analyzer.is_stop_word(token) {
                continue;
            }
            let hard = is_figure(token) || is_name(token, index == 0, analyzer);
            let weight = if hard {
                2.0
            } else if stop_words::is_weak(&token.term) {
                0.6
            } else {
                1.0
            };
            if hard {
                required.push(token.term.clone());
            }
            terms.insert(token.term.clone(), weight);
        }
        Self {
            terms,
            required,
            negated: is_negated(&tokens),
        }
    }
}

/// The text of a source, ready to be compared.
pub(super) struct Evidence {
    /// Terms of runs of sentences, and whether each of them denies something.
    windows: Vec<(HashSet<String>, bool)>,
    /// Terms of headings and title, which hold for every window.
    context: HashSet<String>,
    all: HashSet<String>,
}

impl Evidence {
    pub(super) fn of(source: &RankedSource, analyzer: &Analyzer) -> Self {
        let mut windows = Vec::new();
        let mut context: HashSet<String> = analyzer
            .terms(&source.candidate.title)
            .into_iter()
            .collect();
        let texts = source.passages.iter().map(|passage| passage.text.as_str());
        for text in texts.chain([source.candidate.snippet.as_str()]) {
            windows_of(text, analyzer, &mut windows);
        }
        for passage in &source.passages {
            context.extend(analyzer.terms(&passage.headings.join("\n")));
        }
        let mut all = context.clone();
        for (terms, _) in &windows {
            all.extend(terms.iter().cloned());
        }
        Self {
            windows,
            context,
            all,
        }
    }

    /// 0–1: the weight of the statement's terms in the window that holds most of them.
    pub(super) fn support(&self, statement: &Statement) -> f64 {
        let total: f64 = statement.terms.values().sum();
        if total <= 0.0 {
            return 0.0;
        }
        let share = |window: &HashSet<String>| {
            let held: f64 = statement
                .terms
                .iter()
                .map(
                    |(term, weight)| match (window.contains(term), self.context.contains(term)) {
                        (true, _) => *weight,
                        (false, true) => 0.9 * weight,
                        (false, false) => 0.0,
                    },
                )
                .sum();
            held / total
        };
        let agreed = self
            .windows
            .iter()
            .map(|(window, negated)| {
                let held = share(window);
                if *negated == statement.negated {
                    held
                } else {
                    CONTRADICTED * held
                }
            })
            .fold(0.0, f64::max);
        let complete = statement
            .required
            .iter()
            .all(|term| self.all.contains(term));
        if complete { agreed } else { agreed.min(CAP) }
    }
}

fn windows_of(text: &str, analyzer: &Analyzer, windows: &mut Vec<(HashSet<String>, bool)>) {
    let sentences: Vec<(Vec<String>, bool)> = sentences(text)
        .into_iter()
        .map(|sentence| {
            let tokens = analyzer.analyze(sentence);
            let negated = is_negated(&tokens);
            (
                tokens.into_iter().map(|token| token.term).collect(),
                negated,
            )
        })
        .collect();
    // Code has no sentences, and yet names and figures in it count.
    if sentences.is_empty() {
        windows.push((analyzer.terms(text).into_iter().collect(), false));
    }
    for size in 1..=WINDOW.min(sentences.len()) {
        for run in sentences.windows(size) {
            let terms = run
                .iter()
                .flat_map(|(terms, _)| terms.iter().cloned())
                .collect();
            let negated = run.iter().any(|(_, negated)| *negated);
            windows.push((terms, negated));
        }
    }
}

fn is_figure(token: &Token) -> bool {
    token.term.starts_with(|c: char| c.is_ascii_digit())
}

/// Capitals inside a sentence; German writes every noun so, and there only odd capitals tell.
fn is_name(token: &Token, first: bool, analyzer: &Analyzer) -> bool {
    if token.identifier {
        return true;
    }
    let inner = token.surface.chars().skip(1).any(char::is_uppercase);
    let capital = token.surface.chars().next().is_some_and(char::is_uppercase);
    inner || (capital && !first && analyzer.language() != "de")
}

fn is_negated(tokens: &[Token]) -> bool {
    let mut negations = 0;
    for pair in tokens.windows(2) {
        if let [token, next] = pair {
            let word = token.surface.to_lowercase();
            let not_only = word == "not" && next.surface.eq_ignore_ascii_case("only");
            // "isn't" is cut at its apostrophe.
            let contracted = next.surface == "t" && CONTRACTED.contains(&word.as_str());
            negations +=
                usize::from(!not_only && (NEGATIONS.contains(&word.as_str()) || contracted));
        }
    }
    negations % 2 == 1
}

const NEGATIONS: [&str; 21] = [
    "not", "no", "never", "none", "neither", "nor", "without", "cannot", "nicht", "kein", "keine",
    "keinen", "nie", "niemals", "ne", "pas", "jamais", "aucun", "nunca", "ningún", "sin",
];
const CONTRACTED: [&str; 18] = [
    "isn", "aren", "wasn", "weren", "don", "doesn", "didn", "won", "wouldn", "can", "couldn",
    "shouldn", "hasn", "haven", "hadn", "mustn", "needn", "mightn",
];
