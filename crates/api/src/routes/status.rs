//! GET /api/v1/search/status/{session_id}.

use super::{parse_session_id, query_parameters};
use crate::{
    access::{self, Caller},
    problem::Problem,
    search_state::SearchState,
    state::AppState,
    wait::{load_state, wait_until},
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::{
    mode::Mode,
    schema::{SearchResponse, Status, validate::Fault},
};
use std::time::Duration;
use tokio::time::Instant;
use uuid::Uuid;

const MAX_WAIT_SECONDS: u64 = 60;

/// The state of a search, and its result once it has ended.
#[utoipa::path(
    get, path = "/api/v1/search/status/{session_id}", operation_id = "status", tag = "search",
    params(
        ("session_id" = uuid::Uuid, Path, description = "The search"),
        ("wait" = Option<u64>, Query, description = "Seconds to wait for a change of the status (long poll), at most 60", minimum = 0, maximum = 60),
    ),
    responses(
        (status = 200, description = "The search in its current state", body = SearchResponse),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 422, description = "The session id is not a UUID", body = crate::openapi::Faults),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn get(
    request: HttpRequest,
    session_id: web::Path<String>,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    let wait = parse_wait(request.query_string())?;
    let look = load_state(&state, id);
    let (sees, before) = tokio::try_join!(access::can_view(&state, &caller, id), look)?;
    let Some(before) = before.filter(|_there| sees) else {
        return Err(Problem::UnknownSearch(id));
    };
    if wait.is_zero() || before.status().is_terminal() {
        return status_response(&state, id, before).await;
    }
    let status = before.status();
    let changed = wait_until(&state, id, Instant::now() + wait, |now| {
        now.status() != status
    })
    .await?;
    status_response(&state, id, changed.ok_or(Problem::UnknownSearch(id))?).await
}

/// The state of a search, with the queue position of a waiting one.
async fn status_response(
    state: &AppState,
    id: Uuid,
    mut now: SearchState,
) -> Result<HttpResponse, Problem> {
    if let SearchState::Other {
        status: Status::Pending,
        response,
    } = &mut now
    {
        let mode = response["mode"]
            .as_str()
            .and_then(Mode::parse)
            .unwrap_or_default();
        response["queue_position"] = state.jobs.queue_position(id, mode).await?.into();
    }
    Ok(now.into_response())
}

fn parse_wait(query: &str) -> Result<Duration, Problem> {
    let wait = query_parameters(query)
        .into_iter()
        .find(|(name, _)| name == "wait");
    let Some((_, text)) = wait else {
        return Ok(Duration::ZERO);
    };
    match text.parse::<u64>() {
        Ok(seconds) if seconds <= MAX_WAIT_SECONDS => Ok(Duration::from_secs(seconds)),
        _ => {
            let msg =
                format!("Input should be a whole number of seconds from 0 to {MAX_WAIT_SECONDS}");
            Err(Problem::Invalid(vec![Fault::new(
                &["query", "wait"],
                "int_parsing",
                msg,
                text.into(),
            )]))
        }
    }
}
