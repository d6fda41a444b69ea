//! GET /api/v1/search/{session_id}/events: the event stream of a search over Server-Sent Events.

use super::{parse_session_id, query_parameters};
use crate::{
    access::{self, Caller},
    metrics::Transport,
    openapi::SentEvent,
    problem::Problem,
    search_state,
    state::AppState,
    stream::{Update, sse},
};
use actix_web::{HttpRequest, HttpResponse, HttpResponseBuilder, web};
use anyhow::anyhow;
use privachat_core::{jobs::EventId, schema::validate::Fault};
use std::time::Duration;
use tokio::time::timeout;
use uuid::Uuid;

/// Time for the first read of the events of an ended search.
const FIRST_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The event stream of a search: the events after `Last-Event-ID`, then new ones until the search
/// has ended. The last event, `completed` or `failed`, has the result.
#[utoipa::path(
    get, path = "/api/v1/search/{session_id}/events", operation_id = "events", tag = "search",
    params(
        ("session_id" = uuid::Uuid, Path, description = "The search"),
        ("Last-Event-ID" = Option<String>, Header, pattern = "^([0-9]{1,19}(-[0-9]{1,19})?)?$", description = "The id of the last received event; the stream begins after it"),
        ("after" = Option<String>, Query, pattern = "^([0-9]{1,19}(-[0-9]{1,19})?)?$", description = "The same for clients that cannot set headers; the header has precedence"),
    ),
    responses(
        (status = 200, description = "Server-Sent Events; the data of each event also has its `id`", body = SentEvent, content_type = "text/event-stream"),
        (status = 204, description = "The search has ended and all events were received: do not reconnect"),
        (status = 404, description = "Unknown or expired", body = crate::openapi::Detail),
        (status = 422, description = "The session id is not a UUID, or the event id is malformed", body = crate::openapi::Faults),
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
    let after = last_event_id(&request)?;
    access::ensure_can_view(&state, &caller, id).await?;
    search_event_stream(&state, id, after, HttpResponse::Ok()).await
}

/// The event stream of an existing search, as a response with the status and headers of `answer`.
pub(super) async fn search_event_stream(
    state: &AppState,
    id: Uuid,
    after: EventId,
    answer: HttpResponseBuilder,
) -> Result<HttpResponse, Problem> {
    let record = state.jobs.record(id).await?;
    let record = record.ok_or(Problem::UnknownSearch(id))?;
    let mut listener = state.event_streams.subscribe(id, after);
    let mut first = Vec::new();
    if search_state::parse_record(id, &record)?
        .status()
        .is_terminal()
    {
        let news = timeout(FIRST_READ_TIMEOUT, listener.next()).await;
        match news.map_err(|_elapsed| Problem::Unavailable(anyhow!("events cannot be read")))? {
            Update::Frames(frames) => first = frames,
            Update::Ended => return Ok(HttpResponse::NoContent().finish()),
            Update::Gone => return Err(Problem::UnknownSearch(id)),
        }
    }
    let stopping = state.shutdown.clone();
    let listening = state.metrics.count_subscriber(Transport::Sse);
    Ok(sse::search_events_response(
        answer, first, listener, stopping, listening,
    ))
}

/// The id after which the client continues: from the `Last-Event-ID` header, or from `after`.
pub(super) fn last_event_id(request: &HttpRequest) -> Result<EventId, Problem> {
    let header = request.headers().get("last-event-id");
    let header = header
        .filter(|header| !header.is_empty())
        .map(|header| {
            let text = header.to_str().unwrap_or_default();
            parse_event_id(text, ["header", "last-event-id"])
        })
        .transpose()?;
    let after = query_parameters(request.query_string())
        .into_iter()
        .find(|(name, text)| name == "after" && !text.is_empty())
        .map(|(_, text)| parse_event_id(&text, ["query", "after"]))
        .transpose()?;
    Ok(header.or(after).unwrap_or(EventId::START))
}

fn parse_event_id(text: &str, place: [&'static str; 2]) -> Result<EventId, Problem> {
    text.parse().map_err(|_not_an_id| {
        let msg = "Input should be the id of an event, like 1764000000000-0";
        let fault = Fault::new(&place, "event_id_parsing", msg.to_owned(), text.into());
        Problem::Invalid(vec![fault])
    })
}
