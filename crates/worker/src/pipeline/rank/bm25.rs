//! BM25F over the passages that were found: text, headings and title as weighted fields.

use super::passages::Draft;
use std::collections::{HashMap, HashSet};

/// Saturation of repeated terms.
const K1: f64 = 1.2;
/// How much length counts.
const B: f64 = 0.6;
const HEADING_WEIGHT: f64 = 1.8;
const TITLE_WEIGHT: f64 = 1.2;

/// How often terms occur over all passages.
#[derive(Debug, Default)]
pub(super) struct Statistics {
    passages: f64,
    mean_length: f64,
    found_in: HashMap<String, usize>,
}

impl Statistics {
    pub(super) fn over<'a>(drafts: impl Iterator<Item = &'a Draft>) -> Self {
        let mut statistics = Self::default();
        let mut words = 0;
        let mut count = 0_usize;
        for draft in drafts {
            count += 1;
            words += draft.terms.len();
            let terms: HashSet<&String> = draft.terms.iter().chain(&draft.heading_terms).collect();
            for term in terms {
                *statistics.found_in.entry(term.clone()).or_insert(0) += 1;
            }
        }
        statistics.passages = as_f64(count);
        statistics.mean_length = as_f64(words.max(1)) / as_f64(count.max(1));
        statistics
    }

    /// How rare a term is: above 0.
    fn rarity(&self, term: &str) -> f64 {
        let found = as_f64(self.found_in.get(term).copied().unwrap_or(0));
        ((self.passages - found + 0.5) / (found + 0.5)).ln_1p()
    }

    /// 0–1: the share of the best score that any passage could have for these terms.
    pub(super) fn score(&self, terms: &HashMap<&str, f64>, draft: &Draft) -> f64 {
        let length = as_f64(draft.terms.len()) / self.mean_length.max(1.0);
        let norm = K1 * (1.0 - B + B * length);
        let mut score = 0.0;
        let mut best = 0.0;
        for (term, weight) in terms {
            let idf = self.rarity(term) * weight;
            best += idf * (K1 + 1.0);
            let frequency = count(&draft.terms, term)
                + HEADING_WEIGHT * count(&draft.heading_terms, term).min(2.0)
                + TITLE_WEIGHT * count(&draft.title_terms, term).min(1.0);
            score += idf * frequency * (K1 + 1.0) / (frequency + norm);
        }
        if best > 0.0 { score / best } else { 0.0 }
    }
}

fn count(terms: &[String], wanted: &str) -> f64 {
    as_f64(terms.iter().filter(|term| *term == wanted).count())
}

pub(super) fn as_f64(count: usize) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
