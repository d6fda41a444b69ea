//! History maintenance in the background: deletes expired sessions, and adds what an older version
//! stored to the list and its search. Every worker does it; doing it twice is harmless.

use chrono::Utc;
use privachat_core::{
    history::{History, HistoryError, Retention},
    outage_log::OutageLog,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

const MAINTENANCE_INTERVAL: Duration = Duration::from_secs(60);
/// Repeated because an older version may run beside this one; rare because it scans the whole
/// table.
const SUMMARISE_INTERVAL: Duration = Duration::from_secs(600);
/// Between two batches, so that finished searches are stored without delay.
const BATCH_PAUSE: Duration = Duration::from_millis(100);

/// Runs a round of maintenance each minute until `stop`.
pub(super) async fn run(history: Arc<dyn History>, keep: Retention, stop: CancellationToken) {
    let rounds = async {
        let mut outage = OutageLog::default();
        let mut summarised = None;
        loop {
            match run_round(history.as_ref(), keep, &mut summarised).await {
                Ok(()) => {
                    if let Some(seconds) = outage.record_success() {
                        tracing::info!(seconds, "history maintenance works again");
                    }
                }
                Err(error) => {
                    if outage.record_failure() {
                        let cause = anyhow::Error::from(error);
                        tracing::warn!(
                            error = format!("{cause:#}"),
                            "history maintenance failed; trying again"
                        );
                    }
                }
            }
            // Jitter, so that the rounds of the workers do not coincide.
            sleep(MAINTENANCE_INTERVAL.mul_f64(rand::random_range(0.8..1.2))).await;
        }
    };
    stop.run_until_cancelled(rounds).await;
}

async fn run_round(
    history: &dyn History,
    keep: Retention,
    summarised: &mut Option<Instant>,
) -> Result<(), HistoryError> {
    if keep != Retention::default() {
        prune(history, keep).await?;
    }
    if summarised.is_none_or(|last| last.elapsed() >= SUMMARISE_INTERVAL) {
        while history.summarise().await? > 0 {
            sleep(BATCH_PAUSE).await;
        }
        *summarised = Some(Instant::now());
    }
    // Also scrubs what other processes deleted. What is read meanwhile is left for the next round.
    history.scrub().await?;
    Ok(())
}

async fn prune(history: &dyn History, keep: Retention) -> Result<(), HistoryError> {
    let mut deleted = 0;
    loop {
        let batch = history.prune(keep, Utc::now()).await?;
        if batch == 0 {
            break;
        }
        deleted += batch;
        sleep(BATCH_PAUSE).await;
    }
    if deleted > 0 {
        tracing::info!(deleted, "deleted old sessions from the history");
    }
    Ok(())
}
