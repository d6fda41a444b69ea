//! DELETE /api/v1/search/{session_id} and POST /api/v1/search/{session_id}/retry.

use super::{search, uuid_in_path};
use crate::{
    access::{self, Caller},
    problem::Problem,
    reply,
    state::State,
    submit::{self, Envelope},
    wait::wait_for,
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::{
    jobs::CancelResult,
    schema::{SearchJob, SearchResponse, Status},
};
use std::time::Duration;
use tokio::time::Instant;

/// How long a cancel waits for the worker to stop the search.
const STOPS_WITHIN: Duration = Duration::from_secs(1);

/// Cancel a search. A waiting search ends at once, a running one shortly after.
#[utoipa::path(
    delete, path = "/api/v1/search/{session_id}", tag = "search",
    params(("session_id" = uuid::Uuid, Path, description = "The search")),
    responses(
        (status = 200, description = "The search ends or has ended as failed with `cancelled: true`", body = SearchResponse),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 409, description = "The search had already ended", body = crate::openapi::Refusal),
        (status = 422, description = "The session id is not a UUID", body = crate::openapi::Faults),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn cancel(
    session_id: web::Path<String>,
    state: web::Data<State>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = uuid_in_path("session_id", &session_id)?;
    access::require(&state, &caller, id).await?;
    match state.jobs.cancel(id).await? {
        CancelResult::Absent => return Err(Problem::UnknownJob(id)),
        CancelResult::AlreadyEnded => return Err(Problem::AlreadyFinished),
        CancelResult::Cancelled | CancelResult::Requested => {}
    }
    tracing::info!(session_id = %id, "cancelled by a client");
    let until = Instant::now() + STOPS_WITHIN;
    let now = wait_for(&state, id, until, |now| now.status().is_terminal()).await?;
    now.map(reply::State::ok).ok_or(Problem::UnknownJob(id))
}

/// Retry a failed search as a new search in the background.
#[utoipa::path(
    post, path = "/api/v1/search/{session_id}/retry", tag = "search",
    params(("session_id" = uuid::Uuid, Path, description = "The search that failed")),
    responses(
        (status = 200, description = "The new search, accepted", body = SearchResponse),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 409, description = "The search has not failed", body = crate::openapi::Refusal),
        (status = 422, description = "The session id is not a UUID", body = crate::openapi::Faults),
        (status = 429, description = "Too many searches wait", body = crate::openapi::Refusal),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn retry(
    request: HttpRequest,
    session_id: web::Path<String>,
    state: web::Data<State>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = uuid_in_path("session_id", &session_id)?;
    access::require(&state, &caller, id).await?;
    let now = wait_for(&state, id, Instant::now(), |_any| true).await?;
    let now = now.ok_or(Problem::UnknownJob(id))?;
    if now.status() != Status::Failed {
        return Err(Problem::NotRetryable);
    }
    let stored = state.jobs.request(id).await?;
    let stored = stored.ok_or(Problem::UnknownJob(id))?;
    let job: SearchJob =
        serde_json::from_slice(&stored).map_err(|error| Problem::Internal(error.into()))?;
    let search = privachat_core::schema::SearchRequest {
        async_mode: true,
        ..job.search
    };
    let envelope = Envelope::of(&request, &caller)?;
    let envelope = Envelope {
        key: None,
        // The search keeps its owner when an operator retries it.
        owner: state.jobs.owner(id).await?.or(envelope.owner),
        ..envelope
    };
    let accepted = submit::submit(&state, &search, &envelope).await?;
    tracing::info!(session_id = %accepted.id, retry_of = %id, "accepted as a retry");
    search::accepted_answer(&state, search, &accepted).await
}
