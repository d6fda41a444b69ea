//! Waiting for a Redis that does not take something now.

use privachat_core::{
    jobs::{JobsError, Lease},
    outage::Outage,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How long a result is kept in hand while Redis cannot take it.
const FINISH_PATIENCE: Duration = Duration::from_secs(60);
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(2);

/// For what one waits, and with what.
pub(super) struct Patience<'a> {
    pub(super) what: &'static str,
    pub(super) id: Uuid,
    pub(super) waits: fn(&JobsError) -> bool,
    /// Nothing new is begun any more.
    pub(super) unless: Option<&'a CancellationToken>,
}

impl Patience<'_> {
    pub(super) fn to_hand_in(lease: &Lease) -> Self {
        Self {
            what: "hand in an outcome",
            id: lease.id,
            waits: JobsError::may_pass,
            unless: None,
        }
    }
}

/// Repeats a call that failed for a reason to wait for, as long as it makes sense.
pub(super) async fn patiently<T, F>(
    patience: Patience<'_>,
    call: impl Fn() -> F,
) -> Result<T, JobsError>
where
    F: Future<Output = Result<T, JobsError>>,
{
    let Patience {
        what,
        id,
        waits,
        unless,
    } = patience;
    let until = Instant::now() + FINISH_PATIENCE;
    let mut pause = FIRST_PAUSE;
    let mut outage = Outage::default();
    loop {
        let error = match call().await {
            Err(error) if waits(&error) && Instant::now() < until => error,
            done => return done,
        };
        if outage.failed() {
            tracing::warn!(session_id = %id, error = %error, "cannot {what} yet; trying again");
        }
        match unless {
            Some(stop) if stop.run_until_cancelled(sleep(pause)).await.is_none() => {
                return Err(error);
            }
            Some(_) => {}
            None => sleep(pause).await,
        }
        pause = (pause * 2).min(LONGEST_PAUSE);
    }
}
