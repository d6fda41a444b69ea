//! Questions of several parts: each part searched for on its own.

use super::words::{Word, bare, join, words};

/// Words that join two questions when a question word follows.
const JOINING: [&str; 4] = ["and", "und", "et", "y"];
const ASKING: [&str; 37] = [
    "what", "who", "how", "when", "why", "where", "which", "is", "are", "does", "do", "can", "was",
    "wer", "wie", "wann", "warum", "wo", "welche", "welcher", "welches", "wieso", "qui", "quand",
    "comment", "pourquoi", "où", "quel", "quelle", "quién", "cuándo", "cómo", "dónde", "cuál",
    "qué", "cuántos", "combien",
];
/// Words that stand for something of the first part.
const REFERRING: [&str; 26] = [
    "it", "its", "it's", "they", "them", "their", "he", "him", "his", "she", "her", "this", "that",
    "these", "those", "er", "sie", "es", "ihn", "dessen", "deren", "il", "elle", "ello", "lo",
    "su",
];
/// Words that say nothing of a subject.
const FUNCTION_WORDS: [&str; 29] = [
    "the", "a", "an", "of", "in", "to", "for", "did", "were", "has", "have", "will", "der", "die",
    "das", "ein", "eine", "ist", "sind", "le", "la", "les", "est", "el", "es", "son", "war",
    "waren", "fue",
];
/// Fewer words than this are no question of their own.
const SHORTEST: usize = 2;

/// The parts of `question`; fewer than two when it asks for one thing.
pub(super) fn split(question: &str) -> Vec<String> {
    let words = words(question);
    let parts: Vec<&[Word<'_>]> = words
        .split_inclusive(|word| word.raw.ends_with(['?', ';', '？']))
        .flat_map(split_at_joined_questions)
        .filter(|part| part.len() >= SHORTEST)
        .collect();
    if parts.len() < 2 {
        return Vec::new();
    }
    let subject = subject(&parts);
    let mut texts: Vec<String> = Vec::new();
    for (at, part) in parts.iter().enumerate() {
        let text = join(without_joining(part));
        let refers = part
            .iter()
            .any(|word| REFERRING.contains(&word.key.as_str()));
        let text = match &subject {
            Some(subject) if at > 0 && refers => format!("{subject} {text}"),
            _ => text,
        };
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
    texts
}

/// "What is Rust and who made it" → two questions.
fn split_at_joined_questions<'w, 'q>(part: &'w [Word<'q>]) -> Vec<&'w [Word<'q>]> {
    let asks = |word: Option<&Word<'_>>| word.is_some_and(|w| ASKING.contains(&w.key.as_str()));
    if !asks(part.first()) {
        return vec![part];
    }
    let joint = (1..part.len()).find(|at| {
        part.get(*at)
            .is_some_and(|w| JOINING.contains(&w.key.as_str()))
            && asks(part.get(at + 1))
    });
    let Some((head, tail)) = joint.and_then(|at| part.split_at_checked(at)) else {
        return vec![part];
    };
    let mut parts = vec![head];
    parts.extend(split_at_joined_questions(without_joining(tail)));
    parts
}

fn without_joining<'w, 'q>(part: &'w [Word<'q>]) -> &'w [Word<'q>] {
    match part.split_first() {
        Some((first, rest)) if JOINING.contains(&first.key.as_str()) => rest,
        _ => part,
    }
}

/// What the first part is about: a later "it" means that.
fn subject(parts: &[&[Word<'_>]]) -> Option<String> {
    let telling: Vec<&str> = parts
        .first()?
        .iter()
        .filter(|word| !FUNCTION_WORDS.contains(&word.key.as_str()))
        .filter(|word| !ASKING.contains(&word.key.as_str()))
        .map(|word| bare(word.raw))
        .collect();
    (!telling.is_empty()).then(|| telling.join(" "))
}
