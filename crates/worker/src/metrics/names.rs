//! Every metric of the worker; docs/METRICS.md has the same table.

use privachat_core::metrics::Metric;

pub(super) static SLOTS: Metric = Metric::gauge(
    "privachat_worker_slots",
    &["mode"],
    "How many searches the worker may run at once; `mode` may also be `all`",
);
pub(super) static RUNNING: Metric = Metric::gauge(
    "privachat_worker_running",
    &["mode"],
    "Searches that run now",
);
pub(super) static CLAIM_SECONDS: Metric = Metric::histogram(
    "privachat_worker_claim_seconds",
    &["mode"],
    "How long a search waited from its acceptance to its first attempt",
);
pub(super) static ATTEMPTS: Metric = Metric::counter(
    "privachat_worker_attempts_total",
    &["mode", "outcome"],
    "Attempts that ended: `completed`, `failed` (cancelled too), `retry` (another attempt follows), `released` (by a stopping worker), `fenced` (another worker had claimed the job)",
);
pub(super) static SEARCH_SECONDS: Metric = Metric::histogram(
    "privachat_worker_search_seconds",
    &["mode"],
    "How long an attempt took, however it ended",
);
pub(super) static FAILURES: Metric = Metric::counter(
    "privachat_worker_failures_total",
    &["error_code"],
    "Searches that ended without an answer, by their error_code (docs/ERRORS.md)",
);
pub(super) static STAGE_SECONDS: Metric = Metric::histogram(
    "privachat_worker_stage_seconds",
    &["stage"],
    "How long a stage took, of searches that have an answer: `plan`, `search`, `read`, `rank`, `answer`, `check`",
);
pub(super) static UPSTREAM_REQUESTS: Metric = Metric::counter(
    "privachat_worker_upstream_requests_total",
    &["upstream", "outcome"],
    "Calls to a search provider, `page`, `model`, `embeddings` or `rerank`: `ok`, `abandoned` (the search had ended or had no time left) or the kind of failure",
);
pub(super) static UPSTREAM_SECONDS: Metric = Metric::histogram(
    "privachat_worker_upstream_seconds",
    &["upstream"],
    "How long such a call took",
);
pub(super) static BREAKER_OPEN: Metric = Metric::gauge(
    "privachat_worker_breaker_open",
    &["upstream"],
    "1 from when the circuit breaker of a provider opens until the provider has answered again; else 0",
);
pub(super) static LEASES_LOST: Metric = Metric::counter(
    "privachat_worker_leases_lost_total",
    &[],
    "Searches that another worker claimed while they ran here",
);
pub(super) static FENCED_WRITES: Metric = Metric::counter(
    "privachat_worker_fenced_writes_total",
    &[],
    "Outcomes that were not written because another worker had claimed the job",
);
pub(super) static RECOVERIES: Metric = Metric::counter(
    "privachat_worker_recoveries_total",
    &["kind"],
    "Jobs that the sweeper recovered: `worker_lost` (runs again), `given_up` (its workers were lost too often), `expired` (waited too long), `hint_lost` (its queue entry was lost), `unlisted` (was missing from the index), `left_listed` (had ended and was still in the index)",
);
pub(super) static TOKENS: Metric = Metric::counter(
    "privachat_worker_tokens_total",
    &["kind"],
    "Tokens of language models that answers used: `prompt` and `completion`",
);
pub(super) static CALLBACKS: Metric = Metric::counter(
    "privachat_worker_callbacks_total",
    &["outcome"],
    "Calls to a callback_url: `taken`, `failed` (repeated later), and `given_up` (a 410, or no time is left)",
);
pub(super) static HISTORY_WRITES: Metric = Metric::counter(
    "privachat_worker_history_writes_total",
    &["outcome"],
    "Ended searches written into the history: `saved`, or `failed` (tried again)",
);

/// The table.
#[cfg(test)]
pub(super) static ALL: [&Metric; 16] = [
    &SLOTS,
    &RUNNING,
    &CLAIM_SECONDS,
    &ATTEMPTS,
    &SEARCH_SECONDS,
    &FAILURES,
    &STAGE_SECONDS,
    &UPSTREAM_REQUESTS,
    &UPSTREAM_SECONDS,
    &BREAKER_OPEN,
    &LEASES_LOST,
    &FENCED_WRITES,
    &RECOVERIES,
    &TOKENS,
    &CALLBACKS,
    &HISTORY_WRITES,
];
