//! From the pipeline's outcome to the response that clients read.

use crate::pipeline::Outcome;
use chrono::{SubsecRound, Utc};
use privachat_core::schema::{SearchJob, SearchResponse, Status};
use std::time::Duration;
use uuid::Uuid;

pub(super) fn completed(
    id: Uuid,
    job: &SearchJob,
    attempt: u32,
    took: Duration,
    outcome: Outcome,
) -> SearchResponse {
    let timings = outcome.timings.iter().map(|(stage, time)| (*stage, seconds(*time)));
    SearchResponse {
        status: Status::Completed,
        answer: Some(outcome.answer),
        sub_queries: Some(outcome.sub_queries),
        sources: Some(outcome.sources),
        citation_mapping: Some(outcome.citations).filter(|citations| !citations.is_empty()),
        execution_time: Some(seconds(took)),
        confidence: Some(outcome.confidence),
        model_used: Some(outcome.model_used),
        grounding_score: Some(outcome.grounding_score),
        hallucination_count: Some(outcome.hallucination_count),
        warnings: outcome.warnings,
        attempt,
        usage: outcome.usage,
        timings: Some(timings.collect()),
        source_details: Some(outcome.source_details),
        completed_at: Some(Utc::now().trunc_subsecs(6)),
        ..SearchResponse::pending(id, job.search.query.clone(), job.search.mode, job.created_at)
    }
}

/// Seconds with as many decimals as anybody can use.
pub(super) fn seconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e6
}
