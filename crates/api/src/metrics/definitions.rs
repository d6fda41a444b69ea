//! All metrics of the API; docs/METRICS.md has the same table.

use privachat_core::metrics::Metric;

pub(super) static REQUESTS: Metric = Metric::counter(
    "privachat_api_requests_total",
    &["method", "route", "status"],
    "Requests that were answered. `route` is the pattern of the address, or `unknown`",
);
pub(super) static REQUEST_SECONDS: Metric = Metric::histogram(
    "privachat_api_request_seconds",
    &["method", "route"],
    "Time from a request to the head of its response; a synchronous search takes as long as the search",
);
pub(super) static IN_FLIGHT: Metric = Metric::gauge(
    "privachat_api_requests_in_flight",
    &[],
    "Requests whose response has not begun",
);
pub(super) static ACCEPTED: Metric = Metric::counter(
    "privachat_api_searches_accepted_total",
    &["mode"],
    "Enqueued searches, without replays of an Idempotency-Key",
);
pub(super) static REFUSALS: Metric = Metric::counter(
    "privachat_api_refusals_total",
    &["error"],
    "Responses with an error, by its code in docs/ERRORS.md; `invalid_request` is a 422",
);
pub(super) static SUBSCRIBERS: Metric = Metric::gauge(
    "privachat_api_listeners",
    &["transport"],
    "Open event streams: `sse` (searches and the queue) or `websocket`",
);
pub(super) static QUEUE_DEPTH: Metric = Metric::gauge(
    "privachat_queue_depth",
    &["mode"],
    "Searches that wait in the queues of the whole service",
);
pub(super) static QUEUE_OLDEST: Metric = Metric::gauge(
    "privachat_queue_oldest_seconds",
    &["mode"],
    "How long the oldest waiting search has waited; 0 when none waits",
);
pub(super) static QUEUE_RUNNING: Metric = Metric::gauge(
    "privachat_queue_running",
    &["mode"],
    "Running searches, by the last heartbeats of the workers",
);
pub(super) static WORKERS: Metric = Metric::gauge(
    "privachat_workers",
    &[],
    "Workers with a heartbeat within the last minute",
);
pub(super) static WORKER_SLOTS: Metric = Metric::gauge(
    "privachat_worker_slots_total",
    &[],
    "Searches that all workers can run at once",
);
pub(super) static HISTORY_UNSAVED: Metric = Metric::gauge(
    "privachat_history_unsaved",
    &[],
    "Ended searches that are not in the history yet",
);
pub(super) static CALLBACKS_WAITING: Metric = Metric::gauge(
    "privachat_callbacks_waiting",
    &[],
    "Searches with a callback that is not delivered yet, running ones too",
);
pub(super) static REDIS_UP: Metric = Metric::gauge(
    "privachat_redis_up",
    &[],
    "1 when Redis answered this scrape; else 0, and the seven above are left out",
);
pub(super) static REDIS_DURABLE: Metric = Metric::gauge(
    "privachat_redis_durable",
    &[],
    "1 when Redis syncs to disk before it replies; 0 when it does not (appendonly is off, or appendfsync is \
     not always); left out while it is unknown",
);

/// In the order of docs/METRICS.md.
#[cfg(test)]
pub(super) static ALL: [&Metric; 15] = [
    &REQUESTS,
    &REQUEST_SECONDS,
    &IN_FLIGHT,
    &ACCEPTED,
    &REFUSALS,
    &SUBSCRIBERS,
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
