//! One id and one log line for each request; routine reads are logged at `debug`. The line has the
//! route, never the query string or the body.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::{
        Method, StatusCode,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
};
use privachat_core::telemetry;
use std::time::{Duration, Instant};
use tracing::{Instrument, Span, field::Empty};
use uuid::Uuid;

const REQUEST_ID_HEADER: HeaderName = HeaderName::from_static("x-request-id");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");
const MAX_REQUEST_ID_LENGTH: usize = 128;

#[derive(Clone)]
struct RequestId(HeaderValue);

/// The `X-Request-Id` of the response.
pub(crate) fn current_request_id(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    id.and_then(|id| id.0.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// Polled by load balancers and health checks every few seconds.
const PROBE_PATHS: [&str; 2] = ["/livez", "/readyz"];

/// Gives each request an id (the client's, if it sent a valid one) and logs its response.
pub(crate) async fn log_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = choose_request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = request_span(&request, id.to_str().unwrap_or_default());
    async move {
        let method = request.method().clone();
        let is_probe = PROBE_PATHS.contains(&request.path());
        let mut response = next.call(request).await?;
        response.headers_mut().insert(REQUEST_ID_HEADER, id);
        let answer = LoggedResponse {
            method: &method,
            is_probe,
            status: response.status(),
            duration: started.elapsed(),
            submission: response.request().extensions().get().copied(),
        };
        if answer.should_log() {
            let route = response.request().match_pattern();
            answer.log(route.as_deref().unwrap_or("unknown"));
        }
        Ok(response)
    }
    .instrument(span)
    .await
}

/// What the log line says of a request.
struct LoggedResponse<'a> {
    method: &'a Method,
    is_probe: bool,
    status: StatusCode,
    duration: Duration,
    submission: Option<Submission>,
}

impl LoggedResponse<'_> {
    /// Successful reads, and all probes: polls would be most of the log, and an outage behind a
    /// failed probe has its own lines.
    fn is_routine(&self) -> bool {
        self.method.is_safe() && (self.is_probe || self.status.as_u16() < 400)
    }

    fn should_log(&self) -> bool {
        !self.is_routine() || tracing::enabled!(tracing::Level::DEBUG)
    }

    fn log(&self, route: &str) {
        let (method, status) = (self.method, self.status.as_u16());
        let ms = u64::try_from(self.duration.as_millis()).unwrap_or(u64::MAX);
        if self.is_routine() {
            tracing::debug!(%method, route, status, ms, "answered");
        } else {
            let mode = self.submission.map(|search| search.mode);
            let replayed = self.submission.map(|search| search.replayed);
            tracing::info!(%method, route, status, ms, mode, replayed, "answered");
        }
        record_on_span(&Span::current(), method, route, self.status);
    }
}

/// The span of a request. Its log lines take their ids from it at every log level, so the span's
/// level is `error`.
///
/// Reads are not traced: polls would be most of what is exported, and the span of an event stream
/// would stay open until it ends.
fn request_span(request: &ServiceRequest, id: &str) -> Span {
    if request.method().is_safe() {
        return tracing::error_span!("request", request_id = id, session_id = Empty);
    }
    let span = tracing::error_span!(
        "request",
        request_id = id,
        session_id = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = Empty,
        http.route = Empty,
        http.response.status_code = Empty,
    );
    let sent = request.headers().get(TRACEPARENT);
    if let Some(parent) = sent.and_then(|parent| parent.to_str().ok()) {
        telemetry::set_parent(&span, parent);
    }
    span
}

/// Records the route and the status on an exported span.
fn record_on_span(span: &Span, method: &Method, route: &str, status: StatusCode) {
    if method.is_safe() || !telemetry::is_exported(span) {
        return;
    }
    telemetry::rename_span(span, format!("{method} {route}"));
    span.record("http.request.method", method.as_str());
    span.record("http.route", route);
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
}

/// Sets the `session_id` of the current request's span.
pub(crate) fn set_session_id(session: Uuid) {
    Span::current().record("session_id", tracing::field::display(session));
}

/// A submitted search, for the log line of its request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Submission {
    pub(crate) mode: &'static str,
    /// Whether an earlier request submitted it.
    pub(crate) replayed: bool,
}

impl Submission {
    /// Stores it for the log line of the response. Logs `accepted` now if the response comes only
    /// when the search ends.
    pub(crate) fn attach_to(self, request: &HttpRequest, is_answered_at_once: bool) {
        let Self { mode, replayed } = self;
        if !is_answered_at_once {
            tracing::info!(mode, replayed, "accepted");
        }
        request.extensions_mut().insert(self);
    }
}

fn choose_request_id(request: &ServiceRequest) -> HeaderValue {
    let sent = request.headers().get(&REQUEST_ID_HEADER).filter(|sent| {
        let length = sent.as_bytes().len();
        (1..=MAX_REQUEST_ID_LENGTH).contains(&length)
            && sent.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let fresh = Uuid::new_v4().to_string();
        HeaderValue::from_str(&fresh).unwrap_or_else(|_impossible| HeaderValue::from_static("-"))
    })
}
