//! GET and DELETE /api/v1/sessions/{session_id}.

use super::parse_session_id;
use crate::{
    access::{self, Caller},
    problem::Problem,
    search_state,
    state::AppState,
};
use actix_web::{HttpResponse, web};
use privachat_core::{history::Session, jobs::EraseResult, schema::time};
use serde_json::{Value, json};
use uuid::Uuid;

/// A search from the history, or from Redis while it is not archived.
#[utoipa::path(
    get, path = "/api/v1/sessions/{session_id}", operation_id = "session", tag = "sessions",
    params(("session_id" = uuid::Uuid, Path, description = "The search")),
    responses(
        (status = 200, description = "The session", body = crate::openapi::SessionBody),
        (status = 404, description = "Unknown", body = crate::openapi::UnknownSession),
        (status = 422, description = "The session id is not a UUID", body = crate::openapi::Faults),
        (status = 503, description = "The database or Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn get(
    session_id: web::Path<String>,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    let stored = state.history.get(id).await;
    if let Ok(Some(session)) = &stored
        && caller.can_view(session.owner.as_deref())
        && !is_erased(&state, id).await
    {
        return Ok(HttpResponse::Ok().json(session_from_history(session)));
    }
    // Redis may have the search if it is not archived, is stored without its owner, or the database
    // is unavailable.
    if access::can_view(&state, &caller, id).await?
        && let Some(session) = session_from_record(&state, id).await?
    {
        return Ok(HttpResponse::Ok().json(session));
    }
    stored?;
    Err(Problem::UnknownSession(id))
}

/// Delete an ended search from the history and from Redis.
#[utoipa::path(
    delete, path = "/api/v1/sessions/{session_id}", operation_id = "delete_session", tag = "sessions",
    params(("session_id" = uuid::Uuid, Path, description = "The search")),
    responses(
        (status = 204, description = "The search is deleted"),
        (status = 404, description = "Unknown", body = crate::openapi::UnknownSession),
        (status = 409, description = "The search has not ended: cancel it first", body = crate::openapi::Refusal),
        (status = 422, description = "The session id is not a UUID", body = crate::openapi::Faults),
        (status = 503, description = "The database or Redis does not answer; retry", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn delete(
    session_id: web::Path<String>,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    if !access::can_view_in_any_store(&state, &caller, id).await? {
        return Err(Problem::UnknownSession(id));
    }
    if let Some(record) = state.jobs.record(id).await?
        && !search_state::parse_record(id, &record)?
            .status()
            .is_terminal()
    {
        return Err(Problem::StillRunning);
    }
    // The history first, as it may fail: then nothing is deleted, and the client can retry.
    let stored = state.history.delete(id).await?;
    let recorded = match state.jobs.erase(id).await? {
        EraseResult::NotEnded => return Err(Problem::StillRunning),
        EraseResult::Erased => true,
        EraseResult::Absent => false,
    };
    // A worker may have archived it in between; after `erase` none does.
    let stored_late = state.history.delete(id).await?;
    if !(stored || recorded || stored_late) {
        return Err(Problem::UnknownSession(id));
    }
    tracing::info!(session_id = %id, "deleted by a client");
    Ok(HttpResponse::NoContent().finish())
}

/// Whether a client deleted the search while a worker archived it; the worker will delete the
/// session. `false` when Redis is unavailable: then the session in the database is shown.
async fn is_erased(state: &AppState, id: Uuid) -> bool {
    state.jobs.was_erased(id).await.unwrap_or(false)
}

fn session_from_history(session: &Session) -> Value {
    json!({
        "id": session.id,
        "query": session.query,
        "mode": "search",
        "status": session.status,
        "result": session.result,
        "created_at": time::format(&session.created_at),
        "completed_at": time::format(&session.completed_at),
    })
}

async fn session_from_record(state: &AppState, id: Uuid) -> Result<Option<Value>, Problem> {
    let Some(record) = state.jobs.record(id).await? else {
        return Ok(None);
    };
    let now = search_state::parse_record(id, &record)?;
    let status = now.status();
    let response: Value = match now {
        search_state::SearchState::Completed(bytes) => {
            serde_json::from_slice(&bytes).map_err(|error| Problem::Internal(error.into()))?
        }
        search_state::SearchState::Other { response, .. } => response,
    };
    Ok(Some(json!({
        "id": id,
        "query": response["query"],
        "mode": "search",
        "status": status,
        "result": if status.is_terminal() { response.clone() } else { Value::Null },
        "created_at": response["created_at"],
        "completed_at": response["completed_at"],
    })))
}
