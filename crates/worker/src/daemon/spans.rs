//! The span of one attempt at one search: all lines of the attempt take their ids from it, and all
//! of its spans stand below it.

use super::attempt::Verdict;
use privachat_core::{jobs::Lease, schema::SearchJob, telemetry};
use tracing::{Span, field::Empty};

/// A span for attempt number `attempt`, below that of the POST: however long the search has waited,
/// and in each of its attempts. At the level of errors, so that lines have their ids at any level.
pub(super) fn process(lease: &Lease, attempt: u32, job: Option<&SearchJob>) -> Span {
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

/// Says of the attempt at hand how it ended.
pub(super) fn ended(verdict: &Verdict) {
    let kind = match verdict {
        Verdict::Finish(Ok(_)) => return,
        Verdict::Finish(Err(failure)) | Verdict::TryAgain { failure, .. } => failure.code,
        Verdict::Release => "given_back",
        Verdict::Abandon => "taken_over",
    };
    let span = Span::current();
    span.record("error.type", kind);
    span.record("otel.status_code", "ERROR");
}
