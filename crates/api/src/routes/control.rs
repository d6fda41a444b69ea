//! DELETE /api/v1/search/{session_id} and POST /api/v1/search/{session_id}/retry.

use super::{parse_session_id, search};
use crate::{
    access::{self, Caller},
    problem::Problem,
    search_state,
    state::AppState,
    submit::{self, SubmitContext},
    wait::wait_until,
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::{
    jobs::CancelResult,
    schema::{SearchJob, SearchResponse, Status},
};
use std::time::Duration;
use tokio::time::Instant;

/// How long a cancel waits for the worker to stop the search.
const CANCEL_WAIT: Duration = Duration::from_secs(1);

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
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    access::ensure_can_view(&state, &caller, id).await?;
    match state.jobs.cancel(id).await? {
        CancelResult::Absent => return Err(Problem::UnknownSearch(id)),
        CancelResult::AlreadyEnded => return Err(Problem::AlreadyFinished),
        CancelResult::Cancelled | CancelResult::Requested => {}
    }
    tracing::info!(session_id = %id, "cancelled by a client");
    let until = Instant::now() + CANCEL_WAIT;
    let now = wait_until(&state, id, until, |now| now.status().is_terminal()).await?;
    now.map(search_state::SearchState::into_response)
        .ok_or(Problem::UnknownSearch(id))
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
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    access::ensure_can_view(&state, &caller, id).await?;
    let now = wait_until(&state, id, Instant::now(), |_any| true).await?;
    let now = now.ok_or(Problem::UnknownSearch(id))?;
    if now.status() != Status::Failed {
        return Err(Problem::NotRetryable);
    }
    let stored = state.jobs.request(id).await?;
    let stored = stored.ok_or(Problem::UnknownSearch(id))?;
    let job: SearchJob =
        serde_json::from_slice(&stored).map_err(|error| Problem::Internal(error.into()))?;
    let search = privachat_core::schema::SearchRequest {
        async_mode: true,
        ..job.search
    };
    let envelope = SubmitContext::from_request(&request, &caller)?;
    let envelope = SubmitContext {
        idempotency_key: None,
        // The search keeps its owner when an operator retries it.
        owner: state.jobs.owner(id).await?.or(envelope.owner),
        ..envelope
    };
    let accepted = submit::submit(&state, &search, &envelope).await?;
    tracing::info!(session_id = %accepted.id, retry_of = %id, "accepted as a retry");
    search::accepted_response(&state, search, &accepted).await
}
