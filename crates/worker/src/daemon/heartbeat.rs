//! The worker heartbeat: keeps this worker listed, with its slots and the health of its providers.

use super::concurrency::Slots;
use crate::pipeline::Providers;
use privachat_core::{jobs::Jobs, schema::worker::WorkerDescription};
use std::time::Duration;
use tokio_util::sync::CancellationToken;

const HEARTBEAT_INTERVAL: Duration = Duration::from_secs(2);

/// Sends heartbeats until `stop`, then deregisters the worker.
pub(super) async fn run(
    jobs: Jobs,
    worker: String,
    slots: Slots,
    providers: Providers,
    stop: CancellationToken,
) {
    let announcing = async {
        loop {
            send_heartbeat(&jobs, &worker, &describe_worker(&slots, &providers)).await;
            tokio::time::sleep(HEARTBEAT_INTERVAL).await;
        }
    };
    stop.run_until_cancelled(announcing).await;
    if let Err(error) = jobs.deregister_worker(&worker).await {
        tracing::debug!(error = %error, "could not deregister the worker");
    }
}

fn describe_worker(slots: &Slots, providers: &Providers) -> WorkerDescription {
    WorkerDescription {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        slots: slots.limits(),
        running: slots.running(),
        providers: providers.health(),
    }
}

async fn send_heartbeat(jobs: &Jobs, worker: &str, description: &WorkerDescription) {
    let Ok(description) = serde_json::to_string(description) else {
        return;
    };
    // Debug level: the list is for display only, and the sweeper logs outages of Redis.
    if let Err(error) = jobs.worker_heartbeat(worker, &description).await {
        tracing::debug!(error = %error, "worker heartbeat failed");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        daemon::SlotLimits,
        pipeline::{Deadline, ProviderQuery, SearchProvider, test_support::ScriptedProvider},
    };
    use privachat_core::schema::SearchEngine;
    use std::sync::Arc;

    #[tokio::test]
    async fn a_heartbeat_contains_the_breaker_state_of_each_provider() {
        let broken = ScriptedProvider::fails("searxng") as Arc<dyn SearchProvider>;
        let sound = ScriptedProvider::finds("wikipedia", &[]) as Arc<dyn SearchProvider>;
        let providers = Providers::new(vec![broken, sound]);
        let query = ProviderQuery {
            text: "q".to_owned(),
            language: None,
            time_range: None,
            year: None,
            limit: 10,
        };
        let searxng = providers.get(SearchEngine::Searxng).unwrap();
        for _ in 0..5 {
            let deadline = Deadline::after(Duration::from_secs(5));
            searxng.search(&query, deadline).await.unwrap_err();
        }
        let slots = Slots::new(SlotLimits {
            total: 1,
            balanced: 1,
            deep: 1,
        });
        let said = describe_worker(&slots, &providers);
        let told: Vec<(&str, &str, u32)> = said
            .providers
            .iter()
            .map(|it| (it.name.as_str(), it.state.as_str(), it.failures))
            .collect();
        assert_eq!(told, [("searxng", "open", 5), ("wikipedia", "closed", 0)]);
    }
}
