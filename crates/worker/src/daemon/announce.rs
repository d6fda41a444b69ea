//! The worker says that it is there, so that operators see it.

use super::slots::Slots;
use privachat_core::{jobs::Jobs, schema::worker::WorkerDescription};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const EVERY: Duration = Duration::from_secs(2);

/// Announces `worker` until `stop`, then signs it off.
pub(super) async fn run(jobs: Jobs, worker: String, slots: Slots, stop: CancellationToken) {
    let announcing = async {
        loop {
            announce(&jobs, &worker, &slots).await;
            tokio::time::sleep(EVERY).await;
        }
    };
    stop.run_until_cancelled(announcing).await;
    if let Err(error) = jobs.sign_off(&worker).await {
        tracing::debug!(error = %error, "could not sign off");
    }
}

async fn announce(jobs: &Jobs, worker: &str, slots: &Slots) {
    let description = WorkerDescription {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: slots.limits(),
        running: slots.running(),
        providers: Vec::new(),
    };
    let Ok(description) = serde_json::to_string(&description) else {
        return;
    };
    // Only a display: the sweeper says it when Redis is away.
    if let Err(error) = jobs.announce(worker, &description).await {
        tracing::debug!(error = %error, "could not announce the worker");
    }
}
