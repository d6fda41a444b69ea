//! Stopping: no new search, finish what runs, give back what does not end in time.

use super::DaemonSettings;
use privachat_core::{
    jobs::Unblock,
    parts::{PartDied, Parts},
    signals::Signals,
};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long giving back may take.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How often the taker's wait is ended until it has noticed.
const UNBLOCK_AGAIN: Duration = Duration::from_millis(200);

/// Ends the taking, then the searches. A second signal gives back at once what still runs.
pub(super) async fn drain(
    settings: &DaemonSettings,
    unblock: &Unblock,
    feeding: Parts,
    searches: &TaskTracker,
    give_up: &CancellationToken,
    signals: &mut Signals,
) -> anyhow::Result<()> {
    let until = Instant::now() + settings.drain;
    tracing::info!(
        running = searches.len(),
        drain_s = settings.drain.as_secs(),
        "stopping"
    );
    // A taker that hangs is dropped: it has popped nothing that its job would not be found without.
    let at_once = tokio::select! {
        ended = end_taking(unblock, feeding) => { ended?; false }
        () = sleep_until(until) => false,
        () = signals.heard() => true,
    };
    searches.close();
    let told = async {
        if !at_once {
            signals.heard().await;
        }
    };
    tokio::select! {
        () = searches.wait() => {}
        () = sleep_until(until) => tracing::warn!(running = searches.len(), "the drain time is over"),
        () = told => tracing::warn!(running = searches.len(), "told to stop at once"),
    }
    give_up.cancel();
    if timeout(GIVE_BACK, searches.wait()).await.is_err() {
        tracing::warn!(running = searches.len(), "left searches to be taken over");
    }
    Ok(())
}

async fn end_taking(unblock: &Unblock, feeding: Parts) -> Result<(), PartDied> {
    let ended = feeding.end();
    tokio::pin!(ended);
    // It may be about to wait when the first call comes, so one is not enough.
    loop {
        if let Err(error) = unblock.unblock().await {
            tracing::debug!(error = %error, "could not end the taker's wait");
        }
        if let Ok(ended) = timeout(UNBLOCK_AGAIN, &mut ended).await {
            return ended;
        }
    }
}
