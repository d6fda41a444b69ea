//! The span of an attempt. Its log lines take their ids from it, and its other spans are below it.

use super::executor::AttemptResult;
use privachat_core::{jobs::Lease, schema::SearchJob, telemetry};
use tracing::{Span, field::Empty};

/// A span for attempt number `attempt`. Its parent is the span of the POST, in each attempt. At
/// error level, so that log lines have their ids at any level.
pub(super) fn attempt_span(lease: &Lease, attempt: u32, job: Option<&SearchJob>) -> Span {
    let request_id = job.and_then(|job| job.request_id.as_deref());
    let span = tracing::error_span!(
        "search.queue process",
        request_id,
        session_id = %lease.id,
        otel.kind = "consumer",
        otel.status_code = Empty,
        error.type = Empty,
        messaging.system = "redis",
        messaging.destination.name = "search.queue",
        messaging.operation.name = "process",
        messaging.operation.type = "process",
        messaging.message.id = %lease.id,
        search.mode = %lease.mode,
        search.attempt = attempt,
    );
    if let Some(parent) = job.and_then(|job| job.traceparent.as_deref()) {
        telemetry::set_parent(&span, parent);
    }
    span
}

/// Records the result of the attempt in the current span.
pub(super) fn record_result(verdict: &AttemptResult) {
    let kind = match verdict {
        AttemptResult::Finish(Ok(_)) => return,
        AttemptResult::Finish(Err(failure)) | AttemptResult::Retry { failure, .. } => failure.code,
        AttemptResult::Release => "given_back",
        AttemptResult::Fenced => "taken_over",
    };
    let span = Span::current();
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}
