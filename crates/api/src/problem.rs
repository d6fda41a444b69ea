//! The only place with status codes of failures: every way in which a request can be refused.

use actix_web::{
    HttpResponse, ResponseError,
    http::{Method, StatusCode, header},
};
use privachat_core::{
    history::HistoryError,
    hosts::REFUSAL,
    jobs::JobsError,
    schema::{problem as code, validate::Fault},
};
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use uuid::Uuid;

/// Seconds after which a client may try again when Redis or the database is away.
const RETRY_AFTER: u64 = 2;

/// Seconds after which a full queue may have room again.
const QUEUE_RETRY_AFTER: u64 = 10;

/// Why a request is refused. The `Display` form is for the log.
#[derive(Debug)]
pub(crate) enum Problem {
    /// 422 in the form that clients of FastAPI parse.
    Invalid(Vec<Fault>),
    /// 404: no such job, or not any more.
    UnknownJob(Uuid),
    /// 404: no such session.
    UnknownSession(Uuid),
    /// 404: no such path.
    UnknownPath,
    /// 405.
    MethodNotAllowed(&'static [Method]),
    /// 429: the caller has sent too many requests; seconds until the next one may come.
    RateLimited(u64),
    /// 401: no key, or none that is known.
    Unauthorized,
    /// 403: a key that is no operator's.
    Forbidden,
    /// 413, with the limit in bytes.
    TooLarge(usize),
    /// 408: the body did not arrive in time.
    SlowBody,
    /// 414, with the limit in bytes.
    LongUri(usize),
    /// 415.
    NotJson,
    /// 409: the idempotency key belongs to another request.
    IdempotencyConflict,
    /// 400: the idempotency key itself.
    BadIdempotencyKey,
    /// 429: too many searches wait.
    QueueFull,
    /// 409: the search has ended and cannot be cancelled.
    AlreadyFinished,
    /// 409: the search has not failed, so there is nothing to run again.
    NotRetryable,
    /// 426: a WebSocket address was asked without an upgrade.
    UpgradeRequired,
    /// 403: the request came by a name that is none of the service's.
    HostNotAllowed,
    /// 403: a page of an origin that is not allowed changes something or opens a WebSocket.
    OriginNotAllowed,
    /// 409: the search has not ended, so there is nothing to delete yet.
    StillRunning,
    /// 504: a synchronous search did not end in time; it goes on.
    SearchTimeout {
        id: Uuid,
        timeout: Duration,
        trace: String,
    },
    /// 500, or 504 for a timeout: a synchronous search failed.
    SearchFailed { response: Box<Value>, trace: String },
    /// 503: Redis or the database does not answer.
    Unavailable(anyhow::Error),
    /// 500: our fault. The log has the cause, the client has the request id.
    Internal(anyhow::Error),
}

/// Goes with the answer to a request that was refused: the stable name of why.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Refused(pub(crate) &'static str);

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unavailable(error) | Self::Internal(error) => write!(f, "{error:#}"),
            other => write!(f, "{}", other.status_code()),
        }
    }
}

impl From<JobsError> for Problem {
    fn from(error: JobsError) -> Self {
        match error {
            JobsError::Unavailable(_) | JobsError::Full(_) => Self::Unavailable(error.into()),
            JobsError::Damaged(_) | JobsError::Unexpected(_) => Self::Internal(error.into()),
        }
    }
}

impl From<HistoryError> for Problem {
    fn from(error: HistoryError) -> Self {
        if error.is_transient() {
            return Self::Unavailable(error.into());
        }
        Self::Internal(error.into())
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Invalid(_) => StatusCode::UNPROCESSABLE_ENTITY,
            Self::UnknownJob(_) | Self::UnknownSession(_) | Self::UnknownPath => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::TooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::SlowBody => StatusCode::REQUEST_TIMEOUT,
            Self::LongUri(_) => StatusCode::URI_TOO_LONG,
            Self::NotJson => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyConflict
            | Self::AlreadyFinished
            | Self::NotRetryable
            | Self::StillRunning => StatusCode::CONFLICT,
            Self::UpgradeRequired => StatusCode::UPGRADE_REQUIRED,
            Self::Forbidden | Self::HostNotAllowed | Self::OriginNotAllowed => {
                StatusCode::FORBIDDEN
            }
            Self::RateLimited(_) | Self::QueueFull => StatusCode::TOO_MANY_REQUESTS,
            Self::BadIdempotencyKey => StatusCode::BAD_REQUEST,
            Self::SearchTimeout { .. } => StatusCode::GATEWAY_TIMEOUT,
            Self::SearchFailed { response, .. } if is_timeout(response) => {
                StatusCode::GATEWAY_TIMEOUT
            }
            Self::SearchFailed { .. } | Self::Internal(_) => StatusCode::INTERNAL_SERVER_ERROR,
            Self::Unavailable(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.status_code());
        match self {
            Self::MethodNotAllowed(allowed) => {
                let mut names: Vec<&str> = allowed.iter().map(Method::as_str).collect();
                // Each GET answers HEAD too.
                if allowed.contains(&Method::GET) {
                    names.push(Method::HEAD.as_str());
                }
                response.insert_header((header::ALLOW, names.join(", ")));
            }
            Self::Unavailable(error) => {
                tracing::warn!(error = format!("{error:#}"), "answered 503");
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER));
            }
            Self::UpgradeRequired => {
                response.insert_header((header::UPGRADE, "websocket"));
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
            }
            Self::Unauthorized => {
                // Never with the key that was sent: it may be one with a letter missing.
                tracing::info!("unauthorized");
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::QueueFull => {
                response.insert_header((header::RETRY_AFTER, QUEUE_RETRY_AFTER));
            }
            Self::RateLimited(seconds) => {
                response.insert_header((header::RETRY_AFTER, *seconds));
            }
            // What of the body is still to come would be taken for the next request.
            Self::SlowBody => {
                response.force_close();
            }
            Self::Internal(error) => tracing::error!(error = format!("{error:#}"), "answered 500"),
            _ => {}
        }
        let mut response = response.json(self.body());
        response.extensions_mut().insert(Refused(self.code()));
        response
    }
}

impl Problem {
    /// The stable name, for metrics: some answers show it in another form, or not at all.
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::UnknownJob(_) | Self::UnknownPath => code::NOT_FOUND,
            Self::UnknownSession(_) => code::SESSION_NOT_FOUND,
            Self::MethodNotAllowed(_) => code::METHOD_NOT_ALLOWED,
            Self::RateLimited(_) => code::RATE_LIMITED,
            Self::Unauthorized => code::UNAUTHORIZED,
            Self::Forbidden => code::FORBIDDEN,
            Self::TooLarge(_) => code::PAYLOAD_TOO_LARGE,
            Self::SlowBody => code::REQUEST_TIMEOUT,
            Self::LongUri(_) => code::URI_TOO_LONG,
            Self::NotJson => code::UNSUPPORTED_MEDIA_TYPE,
            Self::IdempotencyConflict => code::IDEMPOTENCY_CONFLICT,
            Self::BadIdempotencyKey => code::BAD_IDEMPOTENCY_KEY,
            Self::QueueFull => code::QUEUE_FULL,
            Self::AlreadyFinished => code::ALREADY_FINISHED,
            Self::NotRetryable => code::NOT_RETRYABLE,
            Self::UpgradeRequired => code::UPGRADE_REQUIRED,
            Self::HostNotAllowed => code::HOST_NOT_ALLOWED,
            Self::OriginNotAllowed => code::ORIGIN_NOT_ALLOWED,
            Self::StillRunning => code::STILL_RUNNING,
            Self::SearchTimeout { .. } => code::SEARCH_TIMEOUT,
            Self::SearchFailed { response, .. } if is_timeout(response) => code::SEARCH_TIMEOUT,
            Self::SearchFailed { .. } => code::SEARCH_EXECUTION_FAILED,
            Self::Unavailable(_) => code::SERVICE_UNAVAILABLE,
            Self::Internal(_) => code::INTERNAL_ERROR,
        }
    }

    fn body(&self) -> Value {
        match self {
            Self::Invalid(faults) => json!({ "detail": faults }),
            Self::UnknownJob(id) => {
                json!({ "detail": format!("Job not found: session_id={id} (expired or invalid)") })
            }
            Self::UnknownSession(id) => {
                json!({ "detail": { "error": "session_not_found", "message": format!("Session {id} not found") } })
            }
            Self::UnknownPath => json!({ "detail": "Not Found" }),
            Self::MethodNotAllowed(_) => json!({ "detail": "Method Not Allowed" }),
            Self::Unauthorized => named(
                code::UNAUTHORIZED,
                "An API key is needed: send it as Authorization: Bearer <key> or X-API-Key: <key>",
            ),
            Self::Forbidden => named(
                code::FORBIDDEN,
                "The queue and the metrics want a key of API_ADMIN_KEYS: this one is none of them",
            ),
            Self::TooLarge(limit) => named(
                code::PAYLOAD_TOO_LARGE,
                format!("The body may have at most {limit} bytes"),
            ),
            Self::RateLimited(seconds) => named(
                code::RATE_LIMITED,
                format!("Too many requests: the next one may come in {seconds} s"),
            ),
            Self::SlowBody => named(
                code::REQUEST_TIMEOUT,
                "The body did not arrive in time: send it again",
            ),
            Self::LongUri(limit) => named(
                code::URI_TOO_LONG,
                format!("An address may have at most {limit} bytes here"),
            ),
            Self::NotJson => named(
                code::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON: send Content-Type: application/json",
            ),
            Self::IdempotencyConflict => named(
                code::IDEMPOTENCY_CONFLICT,
                "This Idempotency-Key was used for another request: use a new key",
            ),
            Self::BadIdempotencyKey => named(
                code::BAD_IDEMPOTENCY_KEY,
                "An Idempotency-Key has 1 to 255 visible ASCII characters",
            ),
            Self::QueueFull => named(
                code::QUEUE_FULL,
                "Too many searches are waiting: try again later",
            ),
            Self::AlreadyFinished => named(
                code::ALREADY_FINISHED,
                "The search has ended and cannot be cancelled: read its result from the status address",
            ),
            Self::NotRetryable => named(
                code::NOT_RETRYABLE,
                "Only a search that failed can be run again: POST the query as a new search",
            ),
            Self::UpgradeRequired => named(
                code::UPGRADE_REQUIRED,
                "This address speaks WebSocket (version 13) only: for Server-Sent Events, read /events of the search",
            ),
            Self::HostNotAllowed => named(code::HOST_NOT_ALLOWED, REFUSAL),
            Self::OriginNotAllowed => named(
                code::ORIGIN_NOT_ALLOWED,
                "Pages of this origin may not change anything or open a WebSocket here: whoever runs the service adds \
                 the origin to CORS_ORIGINS; a reverse proxy in front has to pass the Host header on unchanged",
            ),
            Self::StillRunning => named(
                code::STILL_RUNNING,
                "The search has not ended: cancel it with DELETE /api/v1/search/{session_id}, or wait for its end",
            ),
            Self::SearchTimeout { id, timeout, trace } => json!({
                "error": code::SEARCH_TIMEOUT,
                "message": format!("Search exceeded timeout of {}s", timeout.as_secs()),
                "trace_id": trace,
                "session_id": id,
            }),
            Self::SearchFailed { response, trace } => failed(response, trace, is_timeout(response)),
            Self::Unavailable(_) => named(
                code::SERVICE_UNAVAILABLE,
                "A part of the service does not answer at the moment: try again",
            ),
            Self::Internal(_) => named(
                code::INTERNAL_ERROR,
                "Something went wrong on our side: report it with the X-Request-Id of this answer",
            ),
        }
    }
}

/// An error with its stable name, as bodies and frames carry it.
pub(crate) fn named(error: &str, message: impl Into<String>) -> Value {
    json!({ "error": error, "message": message.into() })
}

fn is_timeout(response: &Value) -> bool {
    response["error_code"] == code::TIMEOUT
}

fn failed(response: &Value, trace: &str, timeout: bool) -> Value {
    let error = if timeout {
        code::SEARCH_TIMEOUT
    } else {
        code::SEARCH_EXECUTION_FAILED
    };
    json!({
        "error": error,
        "message": response["error"],
        "trace_id": trace,
        "session_id": response["session_id"],
        "error_code": response["error_code"],
        "error_hint": response["error_hint"],
        "warnings": response["warnings"],
    })
}
