//! Merges candidates whose URLs redirect to one page.

use super::identity;
use crate::pipeline::Candidate;
use std::collections::HashMap;

/// Merges candidates with the same canonical URL at the position of the best one.
pub(super) fn join(candidates: &mut Vec<Candidate>) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates.drain(..) {
        let at = *known.entry(identity(&candidate.url)).or_insert(kept.len());
        match kept.get_mut(at) {
            Some(first) => add(first, candidate),
            None => kept.push(candidate),
        }
    }
    *candidates = kept;
}

fn add(first: &mut Candidate, other: Candidate) {
    first.fused += other.fused;
    for provider in other.providers {
        if !first.providers.contains(&provider) {
            first.providers.push(provider);
        }
    }
    for query in other.found_by {
        if !first.found_by.contains(&query) {
            first.found_by.push(query);
        }
    }
    if other.snippet.chars().count() > first.snippet.chars().count() {
        first.snippet = other.snippet;
    }
    first.published = first.published.or(other.published);
    first.document = first.document.take().or(other.document);
}
