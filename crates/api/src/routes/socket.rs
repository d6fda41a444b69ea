//! GET /api/v1/search/{session_id}/ws: the event stream of a search over WebSocket.

use super::{events, parse_session_id};
use crate::{
    access::{self, Caller},
    metrics::Transport,
    problem::Problem,
    state::AppState,
    stream::socket,
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::schema::event::StreamEvent;

/// The event stream of a search over WebSocket: each text frame is one event, the same JSON object
/// as at `/events`, beginning after `after`.
///
/// The server closes with 1000 after the last event, with 1012 when it restarts (reconnect with
/// `after`), and with 4404 when the search has expired. It pings every 15 s and drops a peer that
/// is silent for 40 s. `{"cancel":true}` from the client cancels the search; the response to any
/// other message is a frame with `error` and `message` but no `id`. Messages have at most 4096
/// bytes (else 1009); a violation of RFC 6455 closes with 1002 or 1007. A browser's page must have
/// the API's origin or one in CORS_ORIGINS; the sign-in cookie does not count for pages that only
/// `*` allows.
#[utoipa::path(
    get, path = "/api/v1/search/{session_id}/ws", operation_id = "socket", tag = "search",
    params(
        ("session_id" = uuid::Uuid, Path, description = "The search"),
        ("after" = Option<String>, Query, pattern = "^([0-9]{1,19}(-[0-9]{1,19})?)?$", description = "The id of the last received event; the stream begins after it"),
    ),
    responses(
        (status = 101, description = "The socket is open; each text frame is one event, with its `id`", body = StreamEvent),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 422, description = "The session id is not a UUID, or the event id is malformed", body = crate::openapi::Faults),
        (status = 426, description = "The request does not ask for a WebSocket", body = crate::openapi::Refusal),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn get(
    request: HttpRequest,
    payload: web::Payload,
    session_id: web::Path<String>,
    state: web::Data<AppState>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = parse_session_id("session_id", &session_id)?;
    let after = events::last_event_id(&request)?;
    // The handshake comes first: a request that is none gets 426 whatever else is wrong.
    let handler = state.clone().into_inner();
    let (answer, socket) = socket::EventSocket::open(&request, payload, handler, id).await?;
    access::ensure_can_view(&state, &caller, id).await?;
    let record = state.jobs.record(id).await?;
    record.ok_or(Problem::UnknownSearch(id))?;
    let listener = state.event_streams.subscribe(id, after);
    let listening = state.metrics.count_subscriber(Transport::WebSocket);
    actix_web::rt::spawn(async move {
        let _listening = listening;
        socket.run(listener).await;
    });
    Ok(answer)
}
