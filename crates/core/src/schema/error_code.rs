//! The table of error codes: `error_code` of a failed search, `error` of a refused request. A code
//! is never changed or reused, because clients test for it. docs/ERRORS.md has the same table.

/// Where an error code appears.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorScope {
    /// In `error_code` of a search whose status is `failed`.
    Search,
    /// In `error` of an HTTP error response.
    Http,
}

/// A row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ErrorCode {
    /// The stable error code.
    pub code: &'static str,
    /// Where the code appears.
    pub scope: ErrorScope,
    /// What has happened.
    pub meaning: &'static str,
    /// What the client or the operator can do.
    pub remedy: &'static str,
}

/// The row of this code.
#[must_use]
pub fn find(code: &str) -> Option<&'static ErrorCode> {
    ERROR_CODES.iter().find(|row| row.code == code)
}

/// Defines a constant for each row, so that no code exists outside the table.
macro_rules! error_codes {
    ($($name:ident = $code:literal, $scope:ident, $meaning:literal, $remedy:literal;)+) => {
        $(#[doc = $meaning] pub const $name: &str = $code;)+

        /// Every error code.
        pub const ERROR_CODES: &[ErrorCode] = &[
            $(ErrorCode { code: $code, scope: ErrorScope::$scope, meaning: $meaning, remedy: $remedy },)+
        ];
    };
}

error_codes! {
    NO_SOURCES = "no_sources", Search,
        "The search worked, but nothing was found.",
        "Ask in other words, or choose another search_engine.";
    SOURCES_BLOCKED = "sources_blocked", Search,
        "Every provider or page refused the request.",
        "Read warnings; try later or another search_engine.";
    SOURCES_FILTERED = "sources_filtered", Search,
        "Results were found, but none fits the question and the operator's rules.",
        "Ask in other words; operators check EXCLUDED_DOMAINS.";
    NO_PROVIDER = "no_provider", Search,
        "No search provider is configured, or not the requested one.",
        "Set SEARXNG_BASE_URL, CORPUS_PATHS, SERPER_API_KEY or PERPLEXITY_API_KEY for the worker.";
    UPSTREAM_UNAVAILABLE = "upstream_unavailable", Search,
        "Every search provider that was asked failed.",
        "Read error and error_hint; `privachat-worker check-config` tests each provider.";
    MODEL_UNAVAILABLE = "model_unavailable", Search,
        "The language model gave no answer and nothing could take its place.",
        "Check LLM_BASE_URL, LLM_API_KEY and LLM_MODEL with `privachat-worker check-config`.";
    TIMEOUT = "timeout", Search,
        "The time was used up before anything usable was found.",
        "Try again, with a longer timeout or in a faster mode.";
    QUEUE_EXPIRED = "queue_expired", Search,
        "No worker slot was free within the allowed waiting time.",
        "Try again later; operators add workers.";
    WORKER_LOST = "worker_lost", Search,
        "The workers of this search were lost more often than allowed.",
        "Operators search the worker's log for the session id: the search may crash its workers.";
    TOO_MANY_ATTEMPTS = "too_many_attempts", Search,
        "Every allowed attempt failed for a temporary reason.",
        "Try again later; error names the last reason.";
    CANCELLED = "cancelled", Search,
        "A client cancelled the search.",
        "Nothing; POST it again to run it.";
    INTERNAL = "internal", Search,
        "A fault of the service itself.",
        "Report it with the session id; the worker's log has the cause.";

    SEARCH_TIMEOUT = "search_timeout", Http,
        "A synchronous search did not end in time.",
        "Use async_mode and poll, or a longer timeout; the answer names the session.";
    SEARCH_EXECUTION_FAILED = "search_execution_failed", Http,
        "A synchronous search failed, or the service met an unexpected fault.",
        "Read message; if it does not help, report it with X-Request-Id.";
    SERVICE_UNAVAILABLE = "service_unavailable", Http,
        "Redis or another part that the request needs cannot be reached.",
        "Wait for Retry-After seconds and repeat the request.";
    QUEUE_FULL = "queue_full", Http,
        "Too many searches are waiting.",
        "Wait for Retry-After seconds; operators add workers or raise MAX_QUEUE_LENGTH.";
    RATE_LIMITED = "rate_limited", Http,
        "The key, or without a key the client's address, has sent too many requests.",
        "Wait for Retry-After seconds and repeat the request; RateLimit-Remaining shows how many are left. Operators check API_RATE_LIMIT.";
    UNAUTHORIZED = "unauthorized", Http,
        "The service requires an API key, and the request had no valid one.",
        "Send `Authorization: Bearer <key>` or `X-API-Key: <key>`; browsers sign in at /sign-in. Operators check API_KEYS and API_ADMIN_KEYS.";
    FORBIDDEN = "forbidden", Http,
        "The key is valid, but it is not an admin key: the queue and the metrics require one of API_ADMIN_KEYS.",
        "Use an admin key; browsers sign in with it at /sign-in. If there is none, operators set API_ADMIN_KEYS.";
    PAYLOAD_TOO_LARGE = "payload_too_large", Http,
        "The body is larger than the limit.",
        "Send a shorter query.";
    REQUEST_TIMEOUT = "request_timeout", Http,
        "The body did not arrive in time.",
        "Send it again without pauses; check the network between client and service.";
    URI_TOO_LONG = "uri_too_long", Http,
        "The address with its query string is longer than the limit.",
        "Send a shorter address.";
    UNSUPPORTED_MEDIA_TYPE = "unsupported_media_type", Http,
        "The body is not JSON.",
        "Send `Content-Type: application/json`.";
    METHOD_NOT_ALLOWED = "method_not_allowed", Http,
        "The address does not support this method.",
        "Use a method of the Allow header.";
    NOT_FOUND = "not_found", Http,
        "The address does not exist.",
        "See /api/docs for the addresses.";
    SESSION_NOT_FOUND = "session_not_found", Http,
        "The history has no session with this id.",
        "Check the id; the session may have been deleted.";
    IDEMPOTENCY_CONFLICT = "idempotency_conflict", Http,
        "The Idempotency-Key was used for another request.",
        "Use a new key for a new request.";
    BAD_IDEMPOTENCY_KEY = "bad_idempotency_key", Http,
        "The Idempotency-Key header is malformed.",
        "Send 1 to 255 visible ASCII characters, such as a UUID.";
    INTERNAL_ERROR = "internal_error", Http,
        "A fault of the service itself.",
        "Report it with the X-Request-Id of the answer.";
    ALREADY_FINISHED = "already_finished", Http,
        "The search has ended and cannot be cancelled.",
        "Read its result from the status address.";
    NOT_RETRYABLE = "not_retryable", Http,
        "Only a failed search can be run again.",
        "POST the query as a new search.";
    UPGRADE_REQUIRED = "upgrade_required", Http,
        "The address accepts WebSocket connections only.",
        "Connect with a WebSocket client, or read /events of the same search.";
    HOST_NOT_ALLOWED = "host_not_allowed", Http,
        "The name in the Host header is not one of the service's names.",
        "Use localhost or the IP address; operators add the name to ALLOWED_HOSTS, also a name that a reverse proxy passes on.";
    ORIGIN_NOT_ALLOWED = "origin_not_allowed", Http,
        "A web page of another origin may not change data or open a WebSocket.",
        "Operators add the origin to CORS_ORIGINS, or have the reverse proxy pass the Host header on unchanged.";
    UNKNOWN_MESSAGE = "unknown_message", Http,
        "The WebSocket message is unknown; the socket stays open.",
        "Send `{\"cancel\":true}` or nothing.";
    STILL_RUNNING = "still_running", Http,
        "The search has not ended, so its session cannot be deleted.",
        "Cancel it with `DELETE /api/v1/search/{session_id}`, or wait for its end; then delete it.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    const ERRORS_MD: &str = include_str!("../../../../docs/ERRORS.md");

    #[test]
    fn error_codes_are_unique() {
        let names: BTreeSet<_> = ERROR_CODES.iter().map(|problem| problem.code).collect();
        assert_eq!(names.len(), ERROR_CODES.len());
    }

    #[test]
    fn errors_md_lists_exactly_the_error_codes() {
        let expected: Vec<String> = ERROR_CODES
            .iter()
            .map(|p| format!("| `{}` | {} | {} |", p.code, p.meaning, p.remedy))
            .collect();
        let rows: Vec<&str> = ERRORS_MD
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect();
        assert_eq!(rows, expected);
    }

    #[test]
    fn a_row_is_found_by_its_code() {
        assert_eq!(find(NO_PROVIDER).unwrap().scope, ErrorScope::Search);
        assert_eq!(find("no_such_thing"), None);
    }
}
