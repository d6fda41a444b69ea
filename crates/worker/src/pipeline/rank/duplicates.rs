//! The same text from two places counts once.

use super::{Scored, bm25::as_f64, passages::Draft, score::Fit};
use std::{
    collections::HashSet,
    hash::{DefaultHasher, Hash, Hasher},
};

/// Words per shingle.
const SHINGLE: usize = 4;
/// Share of the smaller text's shingles that makes two texts the same.
const SAME: f64 = 0.8;
/// Words of one source that are compared.
const COMPARED_WORDS: usize = 1500;
/// A shorter text says too little to be called a copy, unless it is equal.
const LEAST_SHINGLES: usize = 5;

/// What two sources are compared by.
struct Prints {
    /// The whole text.
    whole: HashSet<u64>,
    /// The passages that fit the question.
    passages: HashSet<u64>,
    title: Vec<String>,
}

/// Mirrors and syndicated copies, on whatever host: the better-placed one stays and takes over who
/// found the other.
pub(super) fn merge(scored: Vec<Scored>) -> Vec<Scored> {
    let mut kept: Vec<(Scored, Prints)> = Vec::new();
    for mut source in scored {
        let title = source.passages.first().map(|(draft, _)| &draft.title_terms);
        let prints = Prints {
            whole: std::mem::take(&mut source.whole),
            passages: of_passages(source.passages.iter().map(|(draft, _)| draft)),
            title: title.cloned().unwrap_or_default(),
        };
        let copy_of = kept.iter_mut().find(|(_, other)| is_copy(&prints, other));
        let Some((original, _)) = copy_of else {
            kept.push((source, prints));
            continue;
        };
        for query in source.candidate.found_by_queries {
            if !original.candidate.found_by_queries.contains(&query) {
                original.candidate.found_by_queries.push(query);
            }
        }
        original.candidate.found_by_queries.sort_unstable();
    }
    kept.into_iter().map(|(source, _)| source).collect()
}

fn is_copy(a: &Prints, b: &Prints) -> bool {
    // The excerpt of a mirror that could not be read is a part of the page under the same title.
    let excerpt = !a.title.is_empty() && a.title == b.title && contained(&a.whole, &b.whole);
    excerpt || same(&a.whole, &b.whole) || same(&a.passages, &b.passages)
}

/// Passages that repeat a better one of the same source are dropped.
pub(super) fn without_repeats(passages: Vec<(Draft, Fit)>) -> Vec<(Draft, Fit)> {
    let mut kept: Vec<((Draft, Fit), HashSet<u64>)> = Vec::new();
    for passage in passages {
        let shingles = shingles(passage.0.terms.iter());
        if !kept.iter().any(|(_, other)| same(&shingles, other)) {
            kept.push((passage, shingles));
        }
    }
    kept.into_iter().map(|(passage, _)| passage).collect()
}

/// What the first words of `passages` are compared by.
pub(super) fn of_passages<'a>(passages: impl Iterator<Item = &'a Draft>) -> HashSet<u64> {
    let words = passages.flat_map(|draft| &draft.terms);
    shingles(words.take(COMPARED_WORDS))
}

fn shingles<'a>(words: impl Iterator<Item = &'a String>) -> HashSet<u64> {
    let words: Vec<&String> = words.collect();
    if words.len() < SHINGLE {
        return HashSet::from([hash(&words)]);
    }
    words.windows(SHINGLE).map(hash).collect()
}

fn hash(words: impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    words.hash(&mut hasher);
    hasher.finish()
}

fn same(a: &HashSet<u64>, b: &HashSet<u64>) -> bool {
    if a == b {
        return true;
    }
    let (smaller, larger) = (a.len().min(b.len()), a.len().max(b.len()));
    // A short quotation of a long page is not its copy.
    larger <= smaller * 3 && contained(a, b)
}

/// Whether the shorter of two texts is a part of the other.
fn contained(a: &HashSet<u64>, b: &HashSet<u64>) -> bool {
    let smaller = a.len().min(b.len());
    let shared = a.intersection(b).count();
    smaller >= LEAST_SHINGLES && as_f64(shared) >= SAME * as_f64(smaller)
}
