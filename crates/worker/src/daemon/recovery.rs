//! Recovery: runs the [`Sweeper`] once a second.

use crate::metrics::Metrics;
use privachat_core::{
    jobs::{JobFailure, Jobs, SweepRules, Sweeper},
    outage_log::OutageLog,
    schema::error_code,
};
use std::{sync::Arc, time::Duration};
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// A search is abandoned after more crashes than this.
const MAX_CRASHES: u32 = 2;
const SWEEP_INTERVAL: Duration = Duration::from_secs(1);
/// While Redis is away.
const OUTAGE_SWEEP_INTERVAL: Duration = Duration::from_millis(400);

/// Sweeps until `stop`.
pub(super) async fn run(
    jobs: Jobs,
    lease: Duration,
    metrics: Arc<Metrics>,
    stop: CancellationToken,
) {
    let mut sweeper = Sweeper::new(jobs, sweep_rules(lease));
    let rounds = async {
        let mut outage = OutageLog::default();
        loop {
            match sweeper.sweep().await {
                Ok(swept) => {
                    metrics.count_recoveries(&swept);
                    if let Some(seconds) = outage.record_success() {
                        tracing::info!(seconds, "Redis answers again");
                    }
                }
                Err(error) => {
                    if outage.record_failure() {
                        let cause = anyhow::Error::from(error);
                        tracing::warn!(error = format!("{cause:#}"), "sweep failed; trying again");
                    }
                }
            }
            // The outage grace begins with the first sweep that succeeds: do not delay it.
            let round = if outage.is_ongoing() {
                OUTAGE_SWEEP_INTERVAL
            } else {
                SWEEP_INTERVAL
            };
            // Jitter, so that the sweeps of the workers do not coincide.
            sleep(round.mul_f64(rand::random_range(0.8..1.2))).await;
        }
    };
    stop.run_until_cancelled(rounds).await;
}

fn sweep_rules(lease: Duration) -> SweepRules {
    let failure = |code: &'static str, error: &str| JobFailure {
        hint: error_code::find(code).map(|problem| problem.remedy.to_owned()),
        ..JobFailure::new(code, error)
    };
    SweepRules {
        max_crashes: MAX_CRASHES,
        lease,
        worker_lost: failure(
            error_code::WORKER_LOST,
            "The worker that ran this search stopped in mid-search, and so did those that tried again",
        ),
        queue_expired: failure(
            error_code::QUEUE_EXPIRED,
            "No worker was free before the search had waited too long",
        ),
    }
}
