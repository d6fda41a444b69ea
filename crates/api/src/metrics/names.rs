//! Every metric of the API; docs/METRICS.md is the same table for people.

use privachat_core::metrics::Metric;

pub(super) static REQUESTS: Metric = Metric::counter(
    "privachat_api_requests_total",
    &["method", "route", "status"],
    "Answered requests. `route` is the pattern of the path, or `unknown`",
);
pub(super) static REQUEST_SECONDS: Metric = Metric::histogram(
    "privachat_api_request_seconds",
    &["method", "route"],
    "Time from a request to the head of its answer; for a synchronous search, the time of the search",
);
pub(super) static IN_FLIGHT: Metric = Metric::gauge(
    "privachat_api_requests_in_flight",
    &[],
    "Requests whose answer has not begun",
);
pub(super) static ACCEPTED: Metric = Metric::counter(
    "privachat_api_searches_accepted_total",
    &["mode"],
    "Searches that were enqueued; a repeat with the same Idempotency-Key does not count",
);
pub(super) static REFUSALS: Metric = Metric::counter(
    "privachat_api_refusals_total",
    &["error"],
    "Answers with an error, by its name in docs/ERRORS.md; `invalid_request` is a 422",
);
pub(super) static LISTENERS: Metric = Metric::gauge(
    "privachat_api_listeners",
    &["transport"],
    "Open event streams: `sse` (searches and the queue) or `websocket`",
);
pub(super) static QUEUE_DEPTH: Metric =
    Metric::gauge("privachat_queue_depth", &["mode"], "Waiting searches");
pub(super) static QUEUE_OLDEST: Metric = Metric::gauge(
    "privachat_queue_oldest_seconds",
    &["mode"],
    "Age of the oldest waiting search; 0 when none waits",
);
pub(super) static QUEUE_RUNNING: Metric = Metric::gauge(
    "privachat_queue_running",
    &["mode"],
    "Running searches, by the last heartbeat of each worker",
);
pub(super) static WORKERS: Metric = Metric::gauge(
    "privachat_workers",
    &[],
    "Workers with a heartbeat within the last minute",
);
pub(super) static WORKER_SLOTS: Metric = Metric::gauge(
    "privachat_worker_slots_total",
    &[],
    "Worker slots of all workers together",
);
pub(super) static HISTORY_UNSAVED: Metric = Metric::gauge(
    "privachat_history_unsaved",
    &[],
    "Ended searches that are not in the history yet",
);
pub(super) static CALLBACKS_WAITING: Metric = Metric::gauge(
    "privachat_callbacks_waiting",
    &[],
    "Searches with a pending callback, running ones too",
);
pub(super) static REDIS_UP: Metric = Metric::gauge(
    "privachat_redis_up",
    &[],
    "1 when Redis answered this scrape; else 0, and the seven above are left out",
);
pub(super) static REDIS_DURABLE: Metric = Metric::gauge(
    "privachat_redis_durable",
    &[],
    "1 when Redis syncs each write to disk before it answers; 0 when it does not (appendonly is off, \
     or appendfsync is not always); left out when Redis does not answer CONFIG GET",
);

/// The table.
#[cfg(test)]
pub(super) static ALL: [&Metric; 15] = [
    &REQUESTS,
    &REQUEST_SECONDS,
    &IN_FLIGHT,
    &ACCEPTED,
    &REFUSALS,
    &LISTENERS,
    &QUEUE_DEPTH,
    &QUEUE_OLDEST,
    &QUEUE_RUNNING,
    &WORKERS,
    &WORKER_SLOTS,
    &HISTORY_UNSAVED,
    &CALLBACKS_WAITING,
    &REDIS_UP,
    &REDIS_DURABLE,
];
