//! The same text from two places counts once.

use super::{Scored, passages::Draft, score::Fit};
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

/// Mirrors and syndicated copies: the better-placed one stays and takes over who found the other.
pub(super) fn merge(scored: Vec<Scored>) -> Vec<Scored> {
    let mut kept: Vec<(Scored, HashSet<u64>)> = Vec::new();
    for source in scored {
        let shingles = of_source(&source);
        let copy_of = kept.iter_mut().find(|(_, other)| same(&shingles, other));
        let Some((original, _)) = copy_of else {
            kept.push((source, shingles));
            continue;
        };
        for query in source.candidate.found_by {
            if !original.candidate.found_by.contains(&query) {
                original.candidate.found_by.push(query);
            }
        }
        original.candidate.found_by.sort_unstable();
    }
    kept.into_iter().map(|(source, _)| source).collect()
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

fn of_source(source: &Scored) -> HashSet<u64> {
    let words = source.passages.iter().flat_map(|(draft, _)| &draft.terms);
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
    let smaller = a.len().min(b.len());
    let larger = a.len().max(b.len());
    // A short quotation of a long page is not its copy.
    if smaller < LEAST_SHINGLES || larger > smaller * 3 {
        return false;
    }
    let shared = a.intersection(b).count();
    super::bm25::as_f64(shared) >= SAME * super::bm25::as_f64(smaller)
}
