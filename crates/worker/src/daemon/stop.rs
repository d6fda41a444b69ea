//! Stopping: no new search, finish what runs, give back what does not end in time.

use super::DaemonSettings;
use anyhow::Context;
use privachat_core::jobs::Unblock;
use std::time::Duration;
use tokio::{
    signal::unix::{SignalKind, signal},
    task::JoinHandle,
    time::timeout,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long giving back may take.
const GIVE_BACK: Duration = Duration::from_secs(5);
/// How often the taker's wait is ended until it has noticed.
const UNBLOCK_AGAIN: Duration = Duration::from_millis(200);

/// Waits for SIGTERM or SIGINT.
pub(super) async fn requested() {
    let (Ok(mut terminate), Ok(mut interrupt)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        tracing::error!("signals cannot be heard; only a kill will stop this worker");
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
}

/// Ends the taking, then the searches. A second signal gives back at once what still runs.
pub(super) async fn drain(
    settings: &DaemonSettings,
    unblock: &Unblock,
    mut feeding: JoinHandle<()>,
    searches: &TaskTracker,
    give_up: &CancellationToken,
) -> anyhow::Result<()> {
    tracing::info!(
        running = searches.len(),
        drain_s = settings.drain.as_secs(),
        "stopping"
    );
    tokio::select! {
        ended = end_taking(unblock, &mut feeding) => ended?,
        // A taker that hangs has popped nothing that its job would not be found without.
        () = tokio::time::sleep(settings.drain) => feeding.abort(),
        () = requested() => feeding.abort(),
    }
    searches.close();
    tokio::select! {
        () = searches.wait() => {}
        () = tokio::time::sleep(settings.drain) => tracing::warn!(running = searches.len(), "the drain time is over"),
        () = requested() => tracing::warn!(running = searches.len(), "told to stop at once"),
    }
    give_up.cancel();
    if timeout(GIVE_BACK, searches.wait()).await.is_err() {
        tracing::warn!(running = searches.len(), "left searches to be taken over");
    }
    Ok(())
}

async fn end_taking(unblock: &Unblock, feeding: &mut JoinHandle<()>) -> anyhow::Result<()> {
    // It may be about to wait when the first call comes, so one is not enough.
    loop {
        if let Err(error) = unblock.unblock().await {
            tracing::debug!(error = %error, "could not end the taker's wait");
        }
        if let Ok(ended) = timeout(UNBLOCK_AGAIN, &mut *feeding).await {
            return ended.context("the task that takes searches died");
        }
    }
}
