//! GET /api/v1/search/{session_id}/ws: a search as it runs, over WebSocket.

use super::{events, uuid_in_path};
use crate::{
    access::{self, Caller},
    metrics::Transport,
    problem::Problem,
    state::State,
    watch::socket,
};
use actix_web::{HttpRequest, HttpResponse, web};
use privachat_core::schema::event::StreamEvent;

/// A search as it runs, over WebSocket: each text frame is one event, the same JSON object as at
/// `/events`, from the one behind `after` on.
///
/// The server closes with 1000 behind the last event, with 1012 when it is restarted (connect
/// again, with `after`), with 4404 when the search has expired. It pings every 15 s and drops a
/// peer that is silent for 40 s. `{"cancel":true}` from the client cancels the search; anything
/// else is answered by a frame with `error` and `message` and no `id`. Messages have at most 4096
/// bytes (1009 otherwise); what is none by RFC 6455 ends the socket with 1002 or 1007. Browsers
/// must be of the API's own origin or of one in CORS_ORIGINS; for pages that only `*` lets in, the
/// cookie of /sign-in does not count.
#[utoipa::path(
    get, path = "/api/v1/search/{session_id}/ws", operation_id = "socket", tag = "search",
    params(
        ("session_id" = uuid::Uuid, Path, description = "The search"),
        ("after" = Option<String>, Query, pattern = "^([0-9]{1,19}(-[0-9]{1,19})?)?$", description = "The id of the last event that was received: what follows it is sent"),
    ),
    responses(
        (status = 101, description = "The socket is open; each frame is one of these, with its `id`", body = StreamEvent),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 422, description = "No session id, or no id of an event", body = crate::openapi::Faults),
        (status = 426, description = "The request does not ask for a WebSocket", body = crate::openapi::Refusal),
        (status = 503, description = "Redis does not answer", body = crate::openapi::Refusal),
    )
)]
pub(crate) async fn get(
    request: HttpRequest,
    payload: web::Payload,
    session_id: web::Path<String>,
    state: web::Data<State>,
    caller: Caller,
) -> Result<HttpResponse, Problem> {
    let id = uuid_in_path("session_id", &session_id)?;
    let after = events::last_event_id(&request)?;
    // First the handshake, so that whoever asks for no WebSocket learns that before all else.
    let handler = state.clone().into_inner();
    let (answer, socket) = socket::Socket::open(&request, payload, handler, id).await?;
    access::require(&state, &caller, id).await?;
    let record = state.jobs.record(id).await?;
    record.ok_or(Problem::UnknownJob(id))?;
    let listener = state.feeds.listen(id, after);
    let listening = state.metrics.listening(Transport::WebSocket);
    actix_web::rt::spawn(async move {
        let _listening = listening;
        socket.run(listener).await;
    });
    Ok(answer)
}
