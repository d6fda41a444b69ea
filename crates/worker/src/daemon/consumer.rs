//! The consumer: the one loop that dequeues. It acquires a slot before it takes a queue entry, and
//! starts a task for each search.

use super::{concurrency::Slots, executor::JobRunner};
use privachat_core::{
    jobs::{Consumer, QueueEntry},
    outage_log::OutageLog,
};
use std::{iter, sync::Arc, time::Duration};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

const RETRY_INTERVAL: Duration = Duration::from_millis(500);

pub(super) async fn run(
    mut taker: Consumer,
    slots: Slots,
    runner: Arc<JobRunner>,
    searches: TaskTracker,
    stop: CancellationToken,
) {
    let mut outage = OutageLog::default();
    while let Some(Some(free)) = stop.run_until_cancelled(slots.acquire()).await {
        let modes = free.mode_order();
        let spare = modes.first().map(|mode| slots.try_acquire_extra(*mode));
        let spare = spare.unwrap_or_default();
        // Not raced against `stop`: a dropped pop may lose an entry. `shutdown` unblocks the
        // consumer.
        let hints = match taker.dequeue(&modes, spare.len()).await {
            Ok(hints) => {
                if let Some(seconds) = outage.record_success() {
                    tracing::info!(seconds, "taking searches again");
                }
                hints
            }
            Err(error) => {
                if outage.record_failure() {
                    tracing::warn!(error = %with_cause(&error), "cannot take searches; trying again");
                }
                let pause = tokio::time::sleep(RETRY_INTERVAL);
                stop.run_until_cancelled(pause).await;
                continue;
            }
        };
        for (hint, free) in hints.into_iter().zip(iter::once(free).chain(spare)) {
            if stop.is_cancelled() {
                requeue(&runner, hint).await;
            } else if let Some(mut slot) = free.into_slot(hint.mode) {
                let runner = Arc::clone(&runner);
                searches.spawn(async move {
                    runner.run(hint, &mut slot).await;
                    drop(slot);
                });
            }
        }
    }
}

/// Returns an entry that was popped during the stop signal. If this fails, the sweeper requeues it.
async fn requeue(runner: &JobRunner, hint: QueueEntry) {
    if let Err(error) = runner.jobs.requeue(hint).await {
        tracing::warn!(session_id = %hint.id, error = %error, "could not requeue a search; a sweeper does it");
    }
}

fn with_cause(error: &privachat_core::jobs::JobsError) -> String {
    match std::error::Error::source(error) {
        Some(cause) => format!("{error}: {cause}"),
        None => error.to_string(),
    }
}
