//! Comparisons: which things a question sets side by side.
//!
//! Three shapes are known, in English, German, French and Spanish: a phrase before the things
//! ("difference between A and B"), a word between them ("A vs B"), and a choice with a word that
//! asks for a judgement ("which is faster, A or B?", "is A faster than B?").

use super::words::{Word, bare, join, words};

/// Things that are compared, and what the comparison is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    /// At least two, as written.
    pub(super) entities: Vec<String>,
    /// Such as "for analytics"; often empty.
    topic: String,
}

impl Comparison {
    /// One query per entity.
    pub(super) fn queries(&self) -> Vec<String> {
        self.entities
            .iter()
            .map(|entity| format!("{entity} {}", self.topic).trim_end().to_owned())
            .collect()
    }
}

const PHRASES: [&str; 33] = [
    "difference between",
    "differences between",
    "comparison between",
    "comparison of",
    "compare",
    "comparing",
    "choose between",
    "choosing between",
    "decide between",
    "unterschied zwischen",
    "unterschiede zwischen",
    "vergleich zwischen",
    "vergleich von",
    "vergleiche",
    "vergleichen",
    "différence entre",
    "différences entre",
    "comparaison entre",
    "comparer",
    "comparez",
    "compare",
    "choisir entre",
    "diferencia entre",
    "diferencias entre",
    "comparación entre",
    "comparar",
    "compara",
    "elegir entre",
    "distinguish",
    "distinguish between",
    "similarities between",
    "relationship between",
    "gemeinsamkeiten von",
];
const BETWEEN: [&str; 16] = [
    "and", "with", "to", "or", "against", "from", "und", "mit", "oder", "et", "avec", "à", "ou",
    "y", "con", "o",
];
const VERSUS: [&str; 4] = ["vs", "v.s", "versus", "vs."];
const OR: [&str; 4] = ["or", "oder", "ou", "o"];
const THAN: [&str; 3] = ["than", "als", "que"];
/// Where the things end and the topic starts.
const TOPIC: [&str; 26] = [
    "for",
    "in",
    "when",
    "if",
    "as",
    "regarding",
    "concerning",
    "on",
    "at",
    "under",
    "für",
    "bei",
    "beim",
    "im",
    "wenn",
    "hinsichtlich",
    "pour",
    "dans",
    "en",
    "quand",
    "para",
    "cuando",
    "sobre",
    "using",
    "since",
    "by",
];
/// A choice is a comparison when one of these asks for a judgement.
const CUES: [&str; 18] = [
    "better",
    "faster",
    "cheaper",
    "safer",
    "slower",
    "easier",
    "prefer",
    "choose",
    "pick",
    "besser",
    "schneller",
    "günstiger",
    "meilleur",
    "meilleure",
    "mieux",
    "mejor",
    "rápido",
    "choisir",
];
/// These ask for a judgement as often as not: "Which should I use, A or B?" compares, "What should
/// I eat or avoid?" does not.
const WEAK_CUES: [&str; 11] = [
    "which", "should", "best", "welche", "welcher", "welches", "sollte", "soll", "lequel",
    "laquelle", "cuál",
];
/// What one does with one of several things.
const CHOOSING: [&str; 14] = [
    "use",
    "choose",
    "pick",
    "learn",
    "buy",
    "prefer",
    "take",
    "install",
    "utiliser",
    "apprendre",
    "usar",
    "elegir",
    "aprender",
    "comprar",
];
/// Words that lead to the first thing without being part of it.
const LEADING: [&str; 52] = [
    "what",
    "which",
    "is",
    "are",
    "the",
    "a",
    "an",
    "better",
    "best",
    "should",
    "i",
    "we",
    "you",
    "use",
    "choose",
    "pick",
    "learn",
    "buy",
    "do",
    "does",
    "one",
    "faster",
    "slower",
    "cheaper",
    "easier",
    "safer",
    "more",
    "to",
    "it",
    "prefer",
    "how",
    "was",
    "ist",
    "sind",
    "welche",
    "welcher",
    "welches",
    "besser",
    "schneller",
    "soll",
    "sollte",
    "ich",
    "wir",
    "lequel",
    "laquelle",
    "est",
    "meilleur",
    "mieux",
    "cuál",
    "es",
    "mejor",
    "between",
];

/// The comparison that `question` asks for, if it does.
pub(super) fn find(question: &str) -> Option<Comparison> {
    let words = words(question);
    after_phrase(&words)
        .or_else(|| around_versus(&words))
        .or_else(|| by_comparative(&words))
        .or_else(|| by_choice(&words))
}

/// "difference between A and B in …"
fn after_phrase(words: &[Word<'_>]) -> Option<Comparison> {
    let start = (0..words.len()).find_map(|at| phrase_end(words, at))?;
    let (things, topic) = split_topic(words.get(start..)?);
    build(&split_list(things, &BETWEEN), topic)
}

/// The end of the longest phrase that starts at `at`.
fn phrase_end(words: &[Word<'_>], at: usize) -> Option<usize> {
    PHRASES
        .iter()
        .filter_map(|phrase| {
            let keys: Vec<&str> = phrase.split(' ').collect();
            let here = words.get(at..at + keys.len())?;
            here.iter()
                .zip(&keys)
                .all(|(word, key)| word.key == *key)
                .then_some(at + keys.len())
        })
        .max()
}

/// "A vs B vs C for …"
fn around_versus(words: &[Word<'_>]) -> Option<Comparison> {
    let first = words.iter().position(|word| is_one_of(word, &VERSUS))?;
    let (left, right) = words.split_at_checked(first)?;
    let left = without_leading(after_last_break(left));
    let (right, topic) = split_topic(right.get(1..)?);
    let mut things = vec![left];
    things.extend(split_list(right, &VERSUS));
    build(&things, topic)
}

/// "Is A faster than B?"
fn by_comparative(words: &[Word<'_>]) -> Option<Comparison> {
    let opens = words
        .first()
        .is_some_and(|word| ["is", "are", "ist", "sind", "est", "es"].contains(&word.key.as_str()));
    let than = words.iter().position(|word| is_one_of(word, &THAN))?;
    let (left, right) = words.split_at_checked(than)?;
    let (comparative, left) = left.split_last()?;
    let judges = is_one_of(comparative, &CUES)
        || (comparative.key.len() > 4 && comparative.key.ends_with("er"));
    if !opens || !judges {
        return None;
    }
    let (right, topic) = split_topic(right.get(1..)?);
    build(&[without_leading(left), right], topic)
}

/// "Which is better, A or B?", "A or B, which should I use?"
fn by_choice(words: &[Word<'_>]) -> Option<Comparison> {
    let or = words.iter().position(|word| is_one_of(word, &OR))?;
    let (left, right) = words.split_at_checked(or)?;
    if !asks_to_choose(words, left) {
        return None;
    }
    let left = without_leading(after_last_break(left));
    let right = until_break(right.get(1..)?);
    let (right, topic) = split_topic(right);
    let mut things = vec![left];
    things.extend(split_list(right, &OR));
    build(&things, topic)
}

/// Whether a judgement between the end of `left`, the words before "or", and what follows is
/// asked for.
fn asks_to_choose(words: &[Word<'_>], left: &[Word<'_>]) -> bool {
    if words.iter().any(|word| is_one_of(word, &CUES)) {
        return true;
    }
    let clause = after_last_break(left);
    let led = clause.split_at_checked(clause.len() - without_leading(clause).len());
    let chosen_from = led
        .and_then(|(leading, _)| leading.last())
        .is_some_and(|word| is_one_of(word, &CHOOSING));
    let before = left.split_at_checked(left.len() - clause.len());
    let asked_before = before.is_some_and(|(before, _)| has_weak_cue(before));
    let asked_after = words.split_at_checked(left.len());
    let asked_after = asked_after.is_some_and(|(_, after)| has_weak_cue(after));
    asked_before || asked_after || (chosen_from && has_weak_cue(clause))
}

fn has_weak_cue(words: &[Word<'_>]) -> bool {
    words.iter().any(|word| is_one_of(word, &WEAK_CUES))
}

fn is_one_of(word: &Word<'_>, keys: &[&str]) -> bool {
    keys.contains(&word.key.as_str())
}

fn ends_clause(word: &Word<'_>) -> bool {
    word.raw.ends_with([',', ':', ';', '?', '!', '–', '—'])
}

fn until_break<'w, 'q>(words: &'w [Word<'q>]) -> &'w [Word<'q>] {
    let end = words
        .iter()
        .position(ends_clause)
        .map_or(words.len(), |at| at + 1);
    words.split_at_checked(end).map_or(words, |(head, _)| head)
}

/// The clause before a separator: "which is faster, A" → "A".
fn after_last_break<'w, 'q>(words: &'w [Word<'q>]) -> &'w [Word<'q>] {
    let before_last = words.len().saturating_sub(1);
    let start = words
        .iter()
        .take(before_last)
        .rposition(ends_clause)
        .map_or(0, |at| at + 1);
    words.get(start..).unwrap_or(words)
}

fn without_leading<'w, 'q>(words: &'w [Word<'q>]) -> &'w [Word<'q>] {
    let start = words
        .iter()
        .position(|word| !is_one_of(word, &LEADING))
        .unwrap_or(words.len());
    words.get(start..).unwrap_or_default()
}

/// Splits "A and B for analytics" before "for"; a clause after the things belongs to neither.
fn split_topic<'w, 'q>(words: &'w [Word<'q>]) -> (&'w [Word<'q>], &'w [Word<'q>]) {
    let sentence_end = words
        .iter()
        .position(|word| word.raw.ends_with(['?', '!', ';']))
        .map_or(words.len(), |at| at + 1);
    let sentence = words.get(..sentence_end).unwrap_or(words);
    let at = sentence
        .iter()
        .skip(1)
        .position(|word| is_one_of(word, &TOPIC))
        .map_or(sentence.len(), |at| at + 1);
    sentence.split_at_checked(at).unwrap_or((sentence, &[]))
}

/// Splits at separator words and commas.
fn split_list<'w, 'q>(words: &'w [Word<'q>], separators: &[&str]) -> Vec<&'w [Word<'q>]> {
    words
        .split(|word| is_one_of(word, separators))
        .flat_map(|run| run.split_inclusive(|word| word.raw.ends_with(',')))
        .collect()
}

fn build(things: &[&[Word<'_>]], topic: &[Word<'_>]) -> Option<Comparison> {
    let mut entities: Vec<String> = Vec::new();
    for thing in things {
        let name = join(thing);
        let known = entities
            .iter()
            .any(|entity| entity.to_lowercase() == name.to_lowercase());
        if !bare(&name).is_empty() && !known {
            entities.push(name);
        }
    }
    // A "thing" of many words is a clause that only looks like one.
    let plausible = entities.iter().all(|entity| entity.split(' ').count() <= 8);
    (entities.len() >= 2 && plausible).then(|| Comparison {
        entities,
        topic: join(topic),
    })
}
