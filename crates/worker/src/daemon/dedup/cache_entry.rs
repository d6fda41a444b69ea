//! The cache entry of an outcome.

use crate::pipeline::Outcome;
use privachat_core::schema::{CitationMapping, Source, SourceDetail, SubQuery};
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// A cached outcome, without token usage and timings: those belong to the run alone.
#[derive(Serialize, Deserialize)]
pub(super) struct CacheEntry {
    /// The nonce of the leader's lock: tells followers that this is the outcome they waited for.
    pub(super) run: String,
    /// Unix time in milliseconds.
    at: u64,
    /// Whether it may answer later searches: it is complete, and the model answered if there is
    /// one.
    is_good: bool,
    answer: String,
    sub_queries: Vec<SubQuery>,
    sources: Vec<Source>,
    source_details: Vec<SourceDetail>,
    citations: Vec<CitationMapping>,
    confidence: f64,
    model_used: String,
    grounding_score: f64,
    hallucination_count: usize,
    warnings: Vec<String>,
}

impl CacheEntry {
    pub(super) fn from_outcome(outcome: &Outcome, run: String, is_degraded: bool) -> Self {
        let outcome = outcome.clone();
        Self {
            run,
            at: now_millis(),
            is_good: !is_degraded && is_complete(&outcome),
            answer: outcome.answer,
            sub_queries: outcome.sub_queries,
            sources: outcome.sources,
            source_details: outcome.source_details,
            citations: outcome.citations,
            confidence: outcome.confidence,
            model_used: outcome.model_used,
            grounding_score: outcome.grounding_score,
            hallucination_count: outcome.hallucination_count,
            warnings: outcome.warnings,
        }
    }

    pub(super) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }

    /// Whether it may answer a search now: it is complete and younger than `ttl`.
    pub(super) fn is_usable(&self, ttl: Duration) -> bool {
        self.is_good && u128::from(now_millis().saturating_sub(self.at)) < ttl.as_millis()
    }

    pub(super) fn into_outcome(self) -> Outcome {
        Outcome {
            answer: self.answer,
            sub_queries: self.sub_queries,
            sources: self.sources,
            source_details: self.source_details,
            citations: self.citations,
            confidence: self.confidence,
            model_used: self.model_used,
            grounding_score: self.grounding_score,
            hallucination_count: self.hallucination_count,
            warnings: self.warnings,
            usage: None,
            timings: BTreeMap::new(),
        }
    }
}

/// Whether the outcome is worth caching: it has support, and no warning says that it was cut or
/// late.
fn is_complete(outcome: &Outcome) -> bool {
    const CUT: [&str; 3] = ["in time", "was cut", "were cut"];
    let was_cut = |warning: &String| CUT.iter().any(|sign| warning.contains(sign));
    outcome.grounding_score > 0.0 && !outcome.warnings.iter().any(was_cut)
}

fn now_millis() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    since.map_or(0, |since| {
        u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
    })
}
