//! What a question is after, by how it is asked: English, German, French and Spanish forms.

use super::words::{Word, words};
use privachat_core::schema::Intent;

const JUDGING: [&str; 40] = [
    "best",
    "better",
    "worst",
    "worse",
    "should",
    "recommend",
    "recommended",
    "recommendation",
    "recommendations",
    "worth",
    "opinion",
    "opinions",
    "review",
    "reviews",
    "prefer",
    "pros",
    "advantages",
    "disadvantages",
    "drawbacks",
    "versus",
    "besser",
    "beste",
    "besten",
    "bestes",
    "schlechter",
    "sollte",
    "empfehlen",
    "empfehlung",
    "vorteile",
    "nachteile",
    "meilleur",
    "meilleure",
    "meilleurs",
    "avantages",
    "inconvénients",
    "mejor",
    "mejores",
    "ventajas",
    "desventajas",
    "recomiendas",
];

/// Openings of questions for a definition.
const DEFINING: [&str; 22] = [
    "what is",
    "what are",
    "what was",
    "what were",
    "what's",
    "who is",
    "who was",
    "define",
    "definition of",
    "meaning of",
    "explain",
    "was ist",
    "was sind",
    "was bedeutet",
    "wer ist",
    "wer war",
    "qu'est-ce",
    "c'est quoi",
    "qui est",
    "qué es",
    "qué son",
    "qué significa",
];

/// What makes "what is the … of …" a question for one fact.
const FACT_ARTICLES: [&str; 8] = ["the", "der", "die", "das", "la", "le", "el", "les"];
const FACT_LINKS: [&str; 12] = [
    "of", "in", "for", "between", "von", "im", "des", "du", "de", "del", "when", "if",
];

/// The intent of one question.
pub(super) fn of(question: &str) -> Intent {
    let words = words(question);
    if words
        .iter()
        .any(|word| JUDGING.contains(&word.key.as_str()))
    {
        return Intent::Opinion;
    }
    if asks_what_it_means(&words) {
        return Intent::Definition;
    }
    let Some(rest) = after_opening(&words) else {
        return Intent::Factual;
    };
    if asks_for_one_fact(rest) {
        Intent::Factual
    } else {
        Intent::Definition
    }
}

/// "What does idempotent mean?"
fn asks_what_it_means(words: &[Word<'_>]) -> bool {
    let is = |at: Option<&Word<'_>>, key: &str| at.is_some_and(|word| word.key == key);
    is(words.first(), "what")
        && (is(words.get(1), "does") || is(words.get(1), "do"))
        && is(words.last(), "mean")
}

fn after_opening<'w, 'q>(words: &'w [Word<'q>]) -> Option<&'w [Word<'q>]> {
    DEFINING.iter().find_map(|opening| {
        let keys: Vec<&str> = opening.split(' ').collect();
        let (head, rest) = words.split_at_checked(keys.len())?;
        let matches = head.iter().zip(&keys).all(|(word, key)| {
            word.key == *key || (*key == "qu'est-ce" && word.key.starts_with(key))
        });
        (matches && !rest.is_empty()).then_some(rest)
    })
}

/// "the capital of France", "the fastest land animal": one of many, not a term.
fn asks_for_one_fact(rest: &[Word<'_>]) -> bool {
    let starts_with_article = rest
        .first()
        .is_some_and(|word| FACT_ARTICLES.contains(&word.key.as_str()));
    starts_with_article
        && rest
            .iter()
            .any(|word| FACT_LINKS.contains(&word.key.as_str()) || is_superlative(&word.key))
}

fn is_superlative(key: &str) -> bool {
    key.len() > 5 && key.ends_with("est")
}
