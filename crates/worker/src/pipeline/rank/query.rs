//! The terms of a question with what each of them weighs.

use crate::pipeline::{
    Plan,
    text::{Analyzer, Token, stop_words},
};
use std::collections::HashMap;

/// A term of the question.
#[derive(Debug, Clone, PartialEq)]
pub struct QueryTerm {
    /// The stemmed term.
    pub term: String,
    /// How much of the question it carries; independent of what was found.
    pub weight: f64,
    /// Whether an answer without it is an answer to something else: identifiers, names, numbers.
    pub specific: bool,
}

/// A question, or a sub-query, as weighted terms.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Alternatives: the question first, then its sub-queries.
    pub alternatives: Vec<Vec<QueryTerm>>,
}

impl Query {
    /// The question and the sub-queries of `plan`.
    #[must_use]
    pub fn of(plan: &Plan, analyzer: &Analyzer) -> Self {
        let mut alternatives = vec![terms(&plan.question, analyzer)];
        for query in &plan.queries {
            let more = terms(&query.sub_query.query, analyzer);
            if !more.is_empty() && !alternatives.contains(&more) {
                alternatives.push(more);
            }
        }
        Self { alternatives }
    }

    /// The terms of the question itself.
    #[must_use]
    pub fn main(&self) -> &[QueryTerm] {
        self.alternatives.first().map_or(&[], Vec::as_slice)
    }

    /// Every term of every alternative, once.
    #[must_use]
    pub fn all_terms(&self) -> HashMap<&str, f64> {
        let mut all = HashMap::new();
        for term in self.alternatives.iter().flatten() {
            let weight = all.entry(term.term.as_str()).or_insert(0.0_f64);
            *weight = weight.max(term.weight);
        }
        all
    }
}

/// The weighted terms of one question; of a question of nothing but stop words, all its words.
#[must_use]
pub fn terms(question: &str, analyzer: &Analyzer) -> Vec<QueryTerm> {
    let content = analyzer.content(question);
    if content.is_empty() {
        let mut all = analyzer.analyze(question);
        all.dedup_by(|a, b| a.term == b.term);
        return all.iter().map(|token| plain(token, 0.5)).collect();
    }
    let german = analyzer.language() == "de";
    content
        .iter()
        .enumerate()
        .map(|(index, token)| weigh(token, index == 0 && starts_with(question, token), german))
        .collect()
}

fn starts_with(question: &str, token: &Token) -> bool {
    question.trim_start().starts_with(token.surface.as_str())
}

fn weigh(token: &Token, first: bool, german: bool) -> QueryTerm {
    if token.part {
        return plain(token, 0.7);
    }
    if token.identifier {
        return specific(token, 3.0);
    }
    if token.is_number() {
        return specific(token, 1.5);
    }
    if stop_words::is_weak(&token.term) {
        return plain(token, 0.4);
    }
    let capitals = token.surface.chars().filter(|c| c.is_uppercase()).count();
    let inner = token.surface.chars().skip(1).any(char::is_uppercase);
    // The first word of a sentence and German nouns are capitals without being names.
    if inner || (capitals > 0 && !first && !german) {
        return specific(token, 1.6);
    }
    plain(token, 1.0)
}

fn plain(token: &Token, weight: f64) -> QueryTerm {
    QueryTerm {
        term: token.term.clone(),
        weight,
        specific: false,
    }
}

fn specific(token: &Token, weight: f64) -> QueryTerm {
    QueryTerm {
        term: token.term.clone(),
        weight,
        specific: true,
    }
}
