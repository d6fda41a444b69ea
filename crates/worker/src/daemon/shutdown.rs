//! Shutdown: stop the consumer, drain the running searches, release those that do not end in time.

use super::DaemonSettings;
use privachat_core::{
    jobs::Unblocker,
    signals::Signals,
    supervisor::{TaskExited, TaskSet},
};
use std::time::Duration;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long releasing jobs may take.
const RELEASE_TIMEOUT: Duration = Duration::from_secs(5);
/// How often the consumer's blocking pop is ended until the consumer has stopped.
const UNBLOCK_INTERVAL: Duration = Duration::from_millis(200);

/// Stops the consumer, then waits for the searches. A second signal ends the wait at once.
///
/// # Errors
/// When the consumer panicked.
pub(super) async fn drain(
    settings: &DaemonSettings,
    unblock: &Unblocker,
    feeding: TaskSet,
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
    // A consumer that hangs is dropped: the sweeper requeues what it may have popped.
    let at_once = tokio::select! {
        ended = stop_consumer(unblock, feeding) => { ended?; false }
        () = sleep_until(until) => false,
        () = signals.recv() => true,
    };
    searches.close();
    let told = async {
        if !at_once {
            signals.recv().await;
        }
    };
    tokio::select! {
        () = searches.wait() => {}
        () = sleep_until(until) => tracing::warn!(running = searches.len(), "the drain time is over"),
        () = told => tracing::warn!(running = searches.len(), "told to stop at once"),
    }
    give_up.cancel();
    if timeout(RELEASE_TIMEOUT, searches.wait()).await.is_err() {
        tracing::warn!(
            running = searches.len(),
            "searches still run: sweepers recover them"
        );
    }
    Ok(())
}

async fn stop_consumer(unblock: &Unblocker, feeding: TaskSet) -> Result<(), TaskExited> {
    let ended = feeding.join_all();
    tokio::pin!(ended);
    // One call is not enough: the consumer may begin its pop just after it.
    loop {
        if let Err(error) = unblock.unblock().await {
            tracing::debug!(error = %error, "could not unblock the consumer");
        }
        if let Ok(ended) = timeout(UNBLOCK_INTERVAL, &mut ended).await {
            return ended;
        }
    }
}
