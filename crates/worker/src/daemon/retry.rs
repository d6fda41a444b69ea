//! Retries calls to a Redis that is away or full.

use privachat_core::{
    jobs::{JobsError, Lease},
    outage_log::OutageLog,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a call is retried, and so how long a result is held in memory.
const MAX_RETRY_TIME: Duration = Duration::from_secs(60);
const FIRST_DELAY: Duration = Duration::from_millis(100);
const MAX_DELAY: Duration = Duration::from_secs(2);

/// Which errors of a call are retried, and until when.
pub(super) struct RetryPolicy<'a> {
    /// The call, for the log: "cannot {what} yet".
    pub(super) action: &'static str,
    pub(super) id: Uuid,
    /// Whether an error is retried.
    pub(super) is_retryable: fn(&JobsError) -> bool,
    /// Ends the retries when cancelled.
    pub(super) stop: Option<&'a CancellationToken>,
}

impl RetryPolicy<'_> {
    pub(super) fn for_outcome(lease: &Lease) -> Self {
        Self {
            action: "store an outcome",
            id: lease.id,
            is_retryable: JobsError::is_retryable,
            stop: None,
        }
    }
}

/// Repeats `call` with exponential backoff while its error is retryable, for a minute at most.
pub(super) async fn retry<T, F>(
    patience: RetryPolicy<'_>,
    call: impl Fn() -> F,
) -> Result<T, JobsError>
where
    F: Future<Output = Result<T, JobsError>>,
{
    let RetryPolicy {
        action: what,
        id,
        is_retryable: waits,
        stop: unless,
    } = patience;
    let until = Instant::now() + MAX_RETRY_TIME;
    let mut pause = FIRST_DELAY;
    let mut outage = OutageLog::default();
    loop {
        let error = match call().await {
            Err(error) if waits(&error) && Instant::now() < until => error,
            done => return done,
        };
        if outage.record_failure() {
            tracing::warn!(session_id = %id, error = %error, "cannot {what} yet; trying again");
        }
        match unless {
            Some(stop) if stop.run_until_cancelled(sleep(pause)).await.is_none() => {
                return Err(error);
            }
            Some(_) => {}
            None => sleep(pause).await,
        }
        pause = (pause * 2).min(MAX_DELAY);
    }
}
