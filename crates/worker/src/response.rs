//! Builds the response of an ended search.

use crate::pipeline::{Outcome, PipelineError};
use privachat_core::schema::{SearchResponse, Status};
use std::time::Duration;

/// Completes `pending` with `outcome`; the search ran for `took`.
#[must_use]
pub fn completed(pending: SearchResponse, outcome: Outcome, took: Duration) -> SearchResponse {
    let timings = outcome
        .timings
        .into_iter()
        .map(|(stage, time)| (stage, seconds(time)))
        .collect();
    SearchResponse {
        status: Status::Completed,
        answer: Some(outcome.answer),
        sub_queries: Some(outcome.sub_queries),
        sources: Some(outcome.sources),
        citation_mapping: (!outcome.citations.is_empty()).then_some(outcome.citations),
        execution_time: Some(seconds(took)),
        confidence: Some(outcome.confidence),
        model_used: Some(outcome.model_used),
        grounding_score: Some(outcome.grounding_score),
        hallucination_count: Some(outcome.hallucination_count),
        warnings: outcome.warnings,
        progress: None,
        usage: outcome.usage,
        timings: Some(timings),
        source_details: Some(outcome.source_details),
        ..pending
    }
}

/// Ends `pending` with `error`; the search ran for `took`.
#[must_use]
pub fn failed(pending: SearchResponse, error: PipelineError, took: Duration) -> SearchResponse {
    SearchResponse {
        status: Status::Failed,
        execution_time: Some(seconds(took)),
        error: Some(error.message),
        error_code: Some(error.code.to_owned()),
        error_hint: error.hint,
        warnings: error.warnings,
        progress: None,
        ..pending
    }
}

/// Seconds, rounded to microseconds.
#[must_use]
pub fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
