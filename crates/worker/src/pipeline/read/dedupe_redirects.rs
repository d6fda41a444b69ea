//! Merges candidates whose URLs redirect to one page.

use super::page_key;
use crate::pipeline::Candidate;
use std::collections::HashMap;

/// Merges candidates with the same canonical URL at the position of the best one.
pub(super) fn merge_same_pages(candidates: &mut Vec<Candidate>) {
    let mut known: HashMap<String, usize> = HashMap::new();
    let mut kept: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates.drain(..) {
        let at = *known.entry(page_key(&candidate.url)).or_insert(kept.len());
        match kept.get_mut(at) {
            Some(first) => merge(first, candidate),
            None => kept.push(candidate),
        }
    }
    *candidates = kept;
}

fn merge(first: &mut Candidate, other: Candidate) {
    first.fusion_score += other.fusion_score;
    for provider in other.providers {
        if !first.providers.contains(&provider) {
            first.providers.push(provider);
        }
    }
    for query in other.found_by_queries {
        if !first.found_by_queries.contains(&query) {
            first.found_by_queries.push(query);
        }
    }
    if other.snippet.chars().count() > first.snippet.chars().count() {
        first.snippet = other.snippet;
    }
    first.published = first.published.or(other.published);
    first.document = first.document.take().or(other.document);
}
