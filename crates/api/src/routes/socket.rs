//! GET /api/v1/search/{session_id}/ws: a search as it runs, over WebSocket.

use super::{events, uuid_in_path};
use crate::{problem::Problem, state::State, watch::socket};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{HOST, HeaderMap, ORIGIN},
    web,
};
use privachat_core::schema::event::StreamEvent;

/// A search as it runs, over WebSocket: each text frame is one event, the same JSON object as at
/// `/events`, from the one behind `after` on.
///
/// The server closes with 1000 behind the last event, with 1012 when it is restarted (connect again,
/// with `after`), with 4404 when the search has expired. It pings every 15 s and drops a peer that is
/// silent for 40 s. `{"cancel":true}` from the client cancels the search; anything else is answered by
/// a frame with `error` and `message` and no `id`. Messages have at most 4096 bytes (1009 otherwise).
/// Browsers must be of the API's own origin or of one in CORS_ORIGINS.
#[utoipa::path(
    get, path = "/api/v1/search/{session_id}/ws", operation_id = "socket", tag = "search",
    params(
        ("session_id" = uuid::Uuid, Path, description = "The search"),
        ("after" = Option<String>, Query, description = "The id of the last event that was received: what follows it is sent"),
    ),
    responses(
        (status = 101, description = "The socket is open; each frame is one of these, with its `id`", body = StreamEvent),
        (status = 403, description = "The page's origin is not allowed", body = crate::openapi::Refusal),
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
) -> Result<HttpResponse, Problem> {
    let id = uuid_in_path("session_id", &session_id)?;
    let after = events::last_event_id(&request)?;
    if !is_allowed(request.headers(), &state.origins) {
        return Err(Problem::OriginNotAllowed);
    }
    let (answer, session, messages) =
        actix_ws::handle(&request, payload).map_err(|_no_handshake| Problem::UpgradeRequired)?;
    let record = state.jobs.record(id).await?;
    record.ok_or(Problem::UnknownJob(id))?;
    let listener = state.feeds.listen(id, after);
    let socket = socket::Socket::new(session, messages, state.into_inner(), id);
    actix_web::rt::spawn(socket.run(listener));
    Ok(answer)
}

/// Browsers let any page open a WebSocket anywhere, and say only where the page is from. Programs
/// send no origin.
fn is_allowed(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if origins
        .iter()
        .any(|allowed| allowed == "*" || allowed == origin)
    {
        return true;
    }
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    // Whether a proxy in front speaks TLS is not known here, so the scheme does not count.
    let authority = origin.split_once("://").map(|(_scheme, rest)| rest);
    matches!((authority, own), (Some(authority), Some(own)) if authority.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn allowed(origin: &str, origins: &[&str]) -> bool {
        let request = TestRequest::default()
            .insert_header((HOST, "search.example:8001"))
            .insert_header((ORIGIN, origin))
            .to_http_request();
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        is_allowed(request.headers(), &origins)
    }

    #[test]
    fn pages_of_this_origin_and_of_those_allowed_may_open_a_socket() {
        assert!(allowed("http://search.example:8001", &[]));
        assert!(allowed("https://search.example:8001", &[]));
        assert!(allowed("https://app.example", &["https://app.example"]));
        assert!(allowed("https://any.example", &["*"]));
    }

    #[test]
    fn pages_of_other_origins_may_not() {
        for origin in [
            "https://evil.example",
            "http://search.example:8002",
            "http://search.example:8001.evil.example",
            "null",
            "",
        ] {
            assert!(!allowed(origin, &["https://app.example"]), "{origin}");
        }
    }

    #[test]
    fn programs_send_no_origin_and_may() {
        assert!(is_allowed(
            TestRequest::default().to_http_request().headers(),
            &[]
        ));
    }
}
