//! POST /api/v1/search, and the same with an answer by Perplexity alone.

use super::events;
use crate::{
    access::Caller,
    body,
    metrics::Transport,
    openapi::SentEvent,
    problem::Problem,
    request_log::Submission,
    search_state::SearchState,
    state::AppState,
    stream::sse,
    submit::{self, AcceptedSearch, SubmitContext},
    wait::{CancelOnDrop, load_state, wait_until},
};
use actix_web::{HttpRequest, HttpResponse, http::header, web};
use privachat_core::{
    jobs::EventId,
    schema::{SearchEngine, SearchRequest, SearchResponse, Status, validate::Fault},
};
use serde_json::json;
use std::{sync::Arc, time::Duration};
use tokio::time::Instant;

/// Time for the worker to store the result after the search's deadline.
const FINISH_GRACE: Duration = Duration::from_secs(2);
/// Seconds until the first poll of an asynchronous search is useful.
const FIRST_POLL_SECONDS: u64 = 1;
/// Names the search in a streamed response, whose body begins later.
const SESSION_ID_HEADER: &str = "x-session-id";
const REPLAYED_HEADER: (&str, &str) = ("idempotent-replayed", "true");

/// Search the web and the configured documents, and answer with numbered citations.
///
/// With `Accept: text/event-stream` the search runs in the background and the response is its event
/// stream; the header `X-Session-Id` has its id. The search continues when the client disconnects;
/// to resume, read `/api/v1/search/{session_id}/events`, or repeat the POST with the same
/// `Idempotency-Key` and with `Last-Event-ID`.
#[utoipa::path(
    post, path = "/api/v1/search", operation_id = "search", tag = "search",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$", description = "A repeated request with the same key and body returns the first search")),
    request_body = crate::openapi::SearchBody,
    responses(
        (status = 200, description = "The complete result; with async_mode the accepted search; with Accept: text/event-stream its event stream, as at /events", content(
            (SearchResponse = "application/json"),
            (SentEvent = "text/event-stream"),
        )),
        (status = 400, description = "The Idempotency-Key is malformed", body = crate::openapi::Refusal),
        (status = 409, description = "The Idempotency-Key was used for another request", body = crate::openapi::Refusal),
        (status = 413, description = "The body is too large", body = crate::openapi::Refusal),
        (status = 415, description = "The body is not JSON", body = crate::openapi::Refusal),
        (status = 422, description = "The request is invalid: all errors are listed", body = crate::openapi::Faults),
        (status = 429, description = "Too many searches wait", body = crate::openapi::Refusal),
        (status = 500, description = "The search failed", body = crate::openapi::Refusal),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
        (status = 504, description = "The search did not end in time", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn post(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let state = state.into_inner();
    let search = body::read_search_request(&request, payload, &state.capabilities).await?;
    submit_and_respond(&request, state, search, &caller).await
}

/// Let Perplexity write the answer; it is checked against its sources. `search_engine` and `model`
/// have no effect.
#[utoipa::path(
    post, path = "/api/v1/search/perplexity", operation_id = "search_perplexity", tag = "search",
    params(("Idempotency-Key" = Option<String>, Header, min_length = 1, max_length = 255, pattern = "^[ -~]+$", description = "A repeated request with the same key and body returns the first search")),
    request_body = crate::openapi::SearchBody,
    responses(
        (status = 200, description = "The complete result; with async_mode the accepted search; with Accept: text/event-stream its event stream, as at /events", content(
            (SearchResponse = "application/json"),
            (SentEvent = "text/event-stream"),
        )),
        (status = 400, description = "The Idempotency-Key is malformed", body = crate::openapi::Refusal),
        (status = 409, description = "The Idempotency-Key was used for another request", body = crate::openapi::Refusal),
        (status = 413, description = "The body is too large", body = crate::openapi::Refusal),
        (status = 415, description = "The body is not JSON", body = crate::openapi::Refusal),
        (status = 422, description = "The request is invalid, or Perplexity is not configured", body = crate::openapi::Faults),
        (status = 429, description = "Too many searches wait", body = crate::openapi::Refusal),
        (status = 500, description = "The search failed", body = crate::openapi::Refusal),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
        (status = 504, description = "The search did not end in time", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn post_direct(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let state = state.into_inner();
    let engine = SearchEngine::Perplexity;
    let search = body::read_search_request(&request, payload, &state.capabilities).await?;
    if let Some(setting) = state.capabilities.missing_engine_setting(engine) {
        return Err(Problem::Invalid(vec![engine_unavailable(engine, setting)]));
    }
    let search = SearchRequest {
        direct: true,
        search_engine: engine,
        ..search
    };
    submit_and_respond(&request, state, search, &caller).await
}

fn engine_unavailable(engine: SearchEngine, setting: &str) -> Fault {
    let engine = engine.as_str();
    let msg = format!("Search engine '{engine}' is not configured: it needs the setting {setting}");
    let kind = "search_engine_unavailable";
    Fault::in_body("search_engine", kind, msg, &engine.into())
        .with_context(json!({ "setting": setting }))
}

async fn submit_and_respond(
    request: &HttpRequest,
    state: Arc<AppState>,
    search: SearchRequest,
    caller: &Caller,
) -> Result<HttpResponse, Problem> {
    let envelope = SubmitContext::from_request(request, caller)?;
    let streams = accepts_event_stream(request);
    let after = events::last_event_id(request).or_else(|fault| match streams {
        true => Err(fault),
        false => Ok(EventId::START),
    })?;
    let search = SearchRequest {
        async_mode: search.async_mode || streams,
        ..search
    };
    let accepted = submit::submit(&state, &search, &envelope).await?;
    let submission = Submission {
        mode: search.mode_name(),
        replayed: accepted.replayed,
    };
    submission.attach_to(request, search.async_mode && !streams);
    if streams {
        return streamed_response(&state, &accepted, after).await;
    }
    if search.async_mode {
        return accepted_response(&state, search, &accepted).await;
    }
    wait_for_end(state, &search, &accepted, envelope.request_id).await
}

/// Whether the client accepts Server-Sent Events by name.
fn accepts_event_stream(request: &HttpRequest) -> bool {
    let accepts = request.headers().get_all(header::ACCEPT);
    let ranges = accepts.filter_map(|accept| accept.to_str().ok());
    ranges
        .flat_map(|accept| accept.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|media| media.trim().eq_ignore_ascii_case("text/event-stream"))
}

/// The event stream of the search as the response to its POST. The search continues when the client
/// disconnects.
async fn streamed_response(
    state: &AppState,
    accepted: &AcceptedSearch,
    after: EventId,
) -> Result<HttpResponse, Problem> {
    let id = accepted.id;
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((header::LOCATION, format!("/api/v1/search/status/{id}")))
        .insert_header((SESSION_ID_HEADER, id.to_string()));
    if accepted.replayed {
        answer.insert_header(REPLAYED_HEADER);
        return events::search_event_stream(state, id, after, answer).await;
    }
    let listener = state.event_streams.subscribe(id, EventId::START);
    let stopping = state.shutdown.clone();
    let listening = state.metrics.count_subscriber(Transport::Sse);
    Ok(sse::search_events_response(
        answer,
        Vec::new(),
        listener,
        stopping,
        listening,
    ))
}

pub(super) async fn accepted_response(
    state: &AppState,
    search: SearchRequest,
    accepted: &AcceptedSearch,
) -> Result<HttpResponse, Problem> {
    let mut answer = HttpResponse::Ok();
    answer
        .insert_header((
            header::LOCATION,
            format!("/api/v1/search/status/{}", accepted.id),
        ))
        .insert_header((header::RETRY_AFTER, FIRST_POLL_SECONDS));
    if !accepted.replayed {
        let mode = search.mode_name();
        let pending = SearchResponse::pending(accepted.id, search.query, mode, accepted.created_at);
        return Ok(answer.json(pending));
    }
    answer.insert_header(REPLAYED_HEADER);
    match load_state(state, accepted.id).await? {
        Some(SearchState::Completed(bytes)) => {
            Ok(answer.content_type(header::ContentType::json()).body(bytes))
        }
        Some(SearchState::Other { response, .. }) => Ok(answer.json(response)),
        None => Err(Problem::UnknownSearch(accepted.id)),
    }
}

async fn wait_for_end(
    state: Arc<AppState>,
    search: &SearchRequest,
    accepted: &AcceptedSearch,
    trace: String,
) -> Result<HttpResponse, Problem> {
    let id = accepted.id;
    // A replay does not cancel the search: the first client may still wait for it.
    let guard = (!accepted.replayed).then(|| CancelOnDrop::new(Arc::clone(&state), id));
    let timeout = search.time_limit();
    let ended = wait_until(&state, id, Instant::now() + timeout + FINISH_GRACE, |now| {
        now.status().is_terminal()
    })
    .await;
    if let Some(guard) = guard {
        guard.disarm();
    }
    match ended? {
        None => Err(Problem::UnknownSearch(id)),
        Some(SearchState::Other {
            status: Status::Failed,
            response,
        }) => Err(Problem::SearchFailed {
            response: Box::new(response),
            trace,
        }),
        Some(now) if !now.status().is_terminal() => {
            Err(Problem::SearchTimeout { id, timeout, trace })
        }
        Some(completed) => {
            let mut answer = completed.into_response();
            if accepted.replayed {
                let (name, value) = REPLAYED_HEADER;
                answer.headers_mut().insert(
                    header::HeaderName::from_static(name),
                    header::HeaderValue::from_static(value),
                );
            }
            Ok(answer)
        }
    }
}
