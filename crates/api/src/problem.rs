//! [`Problem`]: all failures of a request, with their status, code, headers and body. No other file
//! sets the status of a failure.

use actix_web::{
    HttpResponse, ResponseError,
    http::{Method, StatusCode, header},
};
use privachat_core::{
    allowed_hosts::HOST_REFUSED,
    history::HistoryError,
    jobs::JobsError,
    schema::{error_code as code, validate::Fault},
};
use serde_json::{Value, json};
use std::{fmt, time::Duration};
use uuid::Uuid;

/// Seconds until a client may retry when Redis or the database is unavailable.
const RETRY_AFTER_SECONDS: u64 = 2;

/// Seconds until a client may retry when the queue is full.
const QUEUE_FULL_RETRY_SECONDS: u64 = 10;

/// Why a request failed. `Display` is for the log.
#[derive(Debug)]
pub(crate) enum Problem {
    /// 422, in FastAPI's format.
    Invalid(Vec<Fault>),
    /// 404: no such search, or it has expired.
    UnknownSearch(Uuid),
    /// 404: no such session, in the format of the old service.
    UnknownSession(Uuid),
    /// 404: no such path.
    UnknownPath,
    /// 405, with the allowed methods.
    MethodNotAllowed(&'static [Method]),
    /// 429: API_RATE_LIMIT is reached; seconds until the next request is allowed.
    RateLimited(u64),
    /// 401: no key, or an unknown one.
    Unauthorized,
    /// 403: the key is not in API_ADMIN_KEYS.
    Forbidden,
    /// 413, with the limit in bytes.
    BodyTooLarge(usize),
    /// 408: the body did not arrive in time.
    BodyTimeout,
    /// 414, with the limit in bytes.
    UriTooLong(usize),
    /// 415: the body is not declared as JSON.
    NotJson,
    /// 409: the idempotency key was used for another request.
    IdempotencyConflict,
    /// 400: the idempotency key is malformed.
    BadIdempotencyKey,
    /// 429: MAX_QUEUE_LENGTH searches wait.
    QueueFull,
    /// 409: the search has ended and cannot be cancelled.
    AlreadyFinished,
    /// 409: the search has not failed, so it cannot be retried.
    NotRetryable,
    /// 426: a request to a WebSocket address without an upgrade.
    UpgradeRequired,
    /// 403: the `Host` header is not an allowed name.
    HostNotAllowed,
    /// 403: a page of a foreign origin tries to change data or to open a WebSocket.
    OriginNotAllowed,
    /// 409: the search has not ended, so it cannot be deleted.
    StillRunning,
    /// 504: a synchronous search did not end in time; it continues.
    SearchTimeout {
        id: Uuid,
        timeout: Duration,
        trace: String,
    },
    /// 500, or 504 for a timeout: a synchronous search failed.
    SearchFailed { response: Box<Value>, trace: String },
    /// 503: Redis or the database is unavailable.
    Unavailable(anyhow::Error),
    /// 500: a bug or damaged data. The log has the cause, the client has the request id.
    Internal(anyhow::Error),
}

/// The code of a failure, attached to its response for the metrics.
#[derive(Debug, Clone, Copy)]
pub(crate) struct ProblemCode(pub(crate) &'static str);

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
            Self::UnknownSearch(_) | Self::UnknownSession(_) | Self::UnknownPath => {
                StatusCode::NOT_FOUND
            }
            Self::MethodNotAllowed(_) => StatusCode::METHOD_NOT_ALLOWED,
            Self::Unauthorized => StatusCode::UNAUTHORIZED,
            Self::BodyTooLarge(_) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => StatusCode::REQUEST_TIMEOUT,
            Self::UriTooLong(_) => StatusCode::URI_TOO_LONG,
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
                // Every GET resource handles HEAD too.
                if allowed.contains(&Method::GET) {
                    names.push(Method::HEAD.as_str());
                }
                response.insert_header((header::ALLOW, names.join(", ")));
            }
            Self::Unavailable(error) => {
                tracing::warn!(error = format!("{error:#}"), "answered 503");
                response.insert_header((header::RETRY_AFTER, RETRY_AFTER_SECONDS));
            }
            Self::UpgradeRequired => {
                response.insert_header((header::UPGRADE, "websocket"));
                response.insert_header((header::SEC_WEBSOCKET_VERSION, "13"));
            }
            Self::Unauthorized => {
                // Without the key that was sent: it may be a valid one with a typo.
                tracing::info!("unauthorized");
                response.insert_header((header::WWW_AUTHENTICATE, "Bearer"));
            }
            Self::QueueFull => {
                response.insert_header((header::RETRY_AFTER, QUEUE_FULL_RETRY_SECONDS));
            }
            Self::RateLimited(seconds) => {
                response.insert_header((header::RETRY_AFTER, *seconds));
            }
            // The rest of the body would be read as the next request.
            Self::BodyTimeout => {
                response.force_close();
            }
            Self::Internal(error) => tracing::error!(error = format!("{error:#}"), "answered 500"),
            _ => {}
        }
        let mut response = response.json(self.body());
        response.extensions_mut().insert(ProblemCode(self.code()));
        response
    }
}

impl Problem {
    /// The code for the metrics. Bodies in FastAPI's format do not show it.
    fn code(&self) -> &'static str {
        match self {
            Self::Invalid(_) => "invalid_request",
            Self::UnknownSearch(_) | Self::UnknownPath => code::NOT_FOUND,
            Self::UnknownSession(_) => code::SESSION_NOT_FOUND,
            Self::MethodNotAllowed(_) => code::METHOD_NOT_ALLOWED,
            Self::RateLimited(_) => code::RATE_LIMITED,
            Self::Unauthorized => code::UNAUTHORIZED,
            Self::Forbidden => code::FORBIDDEN,
            Self::BodyTooLarge(_) => code::PAYLOAD_TOO_LARGE,
            Self::BodyTimeout => code::REQUEST_TIMEOUT,
            Self::UriTooLong(_) => code::URI_TOO_LONG,
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
            Self::UnknownSearch(id) => {
                json!({ "detail": format!("Job not found: session_id={id} (expired or invalid)") })
            }
            Self::UnknownSession(id) => {
                json!({ "detail": { "error": "session_not_found", "message": format!("Session {id} not found") } })
            }
            Self::UnknownPath => json!({ "detail": "Not Found" }),
            Self::MethodNotAllowed(_) => json!({ "detail": "Method Not Allowed" }),
            Self::Unauthorized => error_body(
                code::UNAUTHORIZED,
                "An API key is needed: send it as Authorization: Bearer <key> or X-API-Key: <key>",
            ),
            Self::Forbidden => error_body(
                code::FORBIDDEN,
                "An admin key (one of API_ADMIN_KEYS) is required",
            ),
            Self::BodyTooLarge(limit) => error_body(
                code::PAYLOAD_TOO_LARGE,
                format!("The body may have at most {limit} bytes"),
            ),
            Self::RateLimited(seconds) => error_body(
                code::RATE_LIMITED,
                format!("Too many requests: try again in {seconds} s"),
            ),
            Self::BodyTimeout => error_body(
                code::REQUEST_TIMEOUT,
                "The body did not arrive in time: send it again",
            ),
            Self::UriTooLong(limit) => error_body(
                code::URI_TOO_LONG,
                format!("The request target may have at most {limit} bytes"),
            ),
            Self::NotJson => error_body(
                code::UNSUPPORTED_MEDIA_TYPE,
                "The body must be JSON: send Content-Type: application/json",
            ),
            Self::IdempotencyConflict => error_body(
                code::IDEMPOTENCY_CONFLICT,
                "This Idempotency-Key was used for another request: use a new key",
            ),
            Self::BadIdempotencyKey => error_body(
                code::BAD_IDEMPOTENCY_KEY,
                "An Idempotency-Key has 1 to 255 visible ASCII characters",
            ),
            Self::QueueFull => error_body(
                code::QUEUE_FULL,
                "Too many searches are waiting: try again later",
            ),
            Self::AlreadyFinished => error_body(
                code::ALREADY_FINISHED,
                "The search has ended and cannot be cancelled: read its result from the status address",
            ),
            Self::NotRetryable => error_body(
                code::NOT_RETRYABLE,
                "Only a search that failed can be run again: POST the query as a new search",
            ),
            Self::UpgradeRequired => error_body(
                code::UPGRADE_REQUIRED,
                "This address speaks WebSocket (version 13) only: for Server-Sent Events, read /events of the search",
            ),
            Self::HostNotAllowed => error_body(code::HOST_NOT_ALLOWED, HOST_REFUSED),
            Self::OriginNotAllowed => error_body(
                code::ORIGIN_NOT_ALLOWED,
                "Pages of this origin may not change data or open a WebSocket: the operator must add the origin to \
                 CORS_ORIGINS; a reverse proxy must pass the Host header on unchanged",
            ),
            Self::StillRunning => error_body(
                code::STILL_RUNNING,
                "The search has not ended: cancel it with DELETE /api/v1/search/{session_id}, or wait for its end",
            ),
            Self::SearchTimeout { id, timeout, trace } => json!({
                "error": code::SEARCH_TIMEOUT,
                "message": format!("Search exceeded timeout of {}s", timeout.as_secs()),
                "trace_id": trace,
                "session_id": id,
            }),
            Self::SearchFailed { response, trace } => {
                failed_search_body(response, trace, is_timeout(response))
            }
            Self::Unavailable(_) => error_body(
                code::SERVICE_UNAVAILABLE,
                "A part of the service does not answer at the moment: try again",
            ),
            Self::Internal(_) => error_body(
                code::INTERNAL_ERROR,
                "Something went wrong on our side: report it with the X-Request-Id of this answer",
            ),
        }
    }
}

/// The JSON of an error, for bodies and WebSocket frames: its code and a message.
pub(crate) fn error_body(error: &str, message: impl Into<String>) -> Value {
    json!({ "error": error, "message": message.into() })
}

fn is_timeout(response: &Value) -> bool {
    response["error_code"] == code::TIMEOUT
}

fn failed_search_body(response: &Value, trace: &str, timeout: bool) -> Value {
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
