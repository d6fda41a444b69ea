//! Keeping the hold on a job while its search runs.

use privachat_core::{
    jobs::{Beat, Jobs, Lease, Ring},
    outage::Outage,
};
use std::time::Duration;

/// A lease is short: after a beat that failed the next comes soon.
const AFTER_ERROR: Duration = Duration::from_secs(1);

/// Why a hold has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lost {
    /// A client cancelled the search.
    Cancelled,
    /// The job is not ours any more.
    Fenced,
}

/// Extends the lease three times in its length, and at once when the job's cancel rings, until it
/// is lost. While Redis is away the search goes on: nobody else can claim the job either.
pub(super) async fn hold(
    jobs: &Jobs,
    lease: &Lease,
    length: Duration,
    mut cancelled: Ring,
) -> Lost {
    let mut pause = length / 3;
    let mut outage = Outage::default();
    loop {
        // The ring only says "look": the flag in the job decides.
        let _rung_or_due = tokio::time::timeout(pause, cancelled.rung()).await;
        pause = length / 3;
        match jobs.beat(lease, length).await {
            Ok(Beat::Held) => {
                if let Some(seconds) = outage.ended() {
                    tracing::info!(session_id = %lease.id, seconds, "extends its lease again");
                }
            }
            Ok(Beat::Cancel) => return Lost::Cancelled,
            Ok(Beat::Fenced) => return Lost::Fenced,
            Err(error) => {
                pause = AFTER_ERROR;
                if outage.failed() {
                    tracing::warn!(session_id = %lease.id, error = %error, "cannot extend a lease; trying again");
                }
            }
        }
    }
}
