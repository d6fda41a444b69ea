//! Renews the lease of a job while its search runs.

use privachat_core::{
    jobs::{Jobs, Lease, LeaseStatus, Subscription},
    outage_log::OutageLog,
};
use std::time::Duration;

/// After a failed heartbeat; short, as a lease is.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Why the worker no longer holds the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LeaseLost {
    /// A client cancelled the search.
    Cancelled,
    /// Another attempt has claimed the job.
    Fenced,
}

/// Renews the lease every third of its length, and at once on a cancel notification, until it is
/// lost. The search goes on while Redis is away, since no other worker can claim the job then.
pub(super) async fn renew_until_lost(
    jobs: &Jobs,
    lease: &Lease,
    length: Duration,
    mut cancelled: Subscription,
) -> LeaseLost {
    let mut pause = length / 3;
    let mut outage = OutageLog::default();
    loop {
        // A notification only triggers the check: the cancel flag of the job decides.
        let _rung_or_due = tokio::time::timeout(pause, cancelled.changed()).await;
        pause = length / 3;
        match jobs.heartbeat(lease, length).await {
            Ok(LeaseStatus::Held) => {
                if let Some(seconds) = outage.record_success() {
                    tracing::info!(session_id = %lease.id, seconds, "renewing a lease again");
                }
            }
            Ok(LeaseStatus::CancelRequested) => return LeaseLost::Cancelled,
            Ok(LeaseStatus::Fenced) => return LeaseLost::Fenced,
            Err(error) => {
                pause = RETRY_INTERVAL;
                if outage.record_failure() {
                    tracing::warn!(session_id = %lease.id, error = %error, "cannot renew a lease; trying again");
                }
            }
        }
    }
}
