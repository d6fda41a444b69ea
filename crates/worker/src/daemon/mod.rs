//! The daemon: the consumer dequeues searches, the executor claims and runs them, as many at once
//! as there are slots. Background tasks renew leases, recover lost jobs, archive finished searches
//! and deliver callbacks.
//!
//! This is the only module that uses both the job engine and the pipeline.

mod archive;
mod callbacks;
mod concurrency;
mod consumer;
mod dedup;
mod event_writer;
mod executor;
mod failure;
mod heartbeat;
mod history_maintenance;
mod lease_renewal;
mod recovery;
mod retry;
mod shutdown;
mod spans;
#[cfg(test)]
mod tests;

pub use callbacks::CallbackSettings;
pub use concurrency::SlotLimits;

use crate::{
    metrics::{HealthProbe, Metrics, MetricsServer},
    pipeline::{Context, Providers, search::breaker::BreakerState},
};
use anyhow::Context as _;
use concurrency::Slots;
use dedup::SingleFlight;
use executor::JobRunner;
use privachat_core::{
    cache::Cache,
    history::{DatabaseUrl, Retention, open},
    jobs::{Jobs, Notifier},
    keys,
    schema::worker::PerMode,
    settings::MetricsAddress,
    signals::Signals,
    supervisor::TaskSet,
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tokio::{runtime::Handle, sync::Notify};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// How long archiving, callbacks and deregistering may take after the last search.
const FINAL_WORK_TIMEOUT: Duration = Duration::from_secs(10);

/// Settings of a worker.
#[derive(Clone)]
pub struct DaemonSettings {
    /// The worker's name in records and logs.
    pub name: String,
    /// The database of the history.
    pub database_url: DatabaseUrl,
    /// Which sessions the history keeps.
    pub retention: Retention,
    /// How many searches run at once.
    pub slots: SlotLimits,
    /// After this long without a heartbeat, other workers recover a search.
    pub lease: Duration,
    /// Attempts at a search whose failures are retryable.
    pub max_attempts: u32,
    /// How long running searches may go on after a stop signal.
    pub drain: Duration,
    /// Holds the cache entries and leader locks of single flight.
    pub cache: Cache,
    /// Life of a cache entry; zero turns the answer cache off.
    pub cache_ttl: Duration,
    /// How callbacks are signed and where they may go.
    pub callbacks: CallbackSettings,
}

/// What operators can observe of a worker.
pub struct Observability {
    /// The worker's counters.
    pub metrics: Arc<Metrics>,
    /// Where to serve metrics and probes; `None` serves none.
    pub metrics_address: Option<MetricsAddress>,
}

/// Runs a worker until a stop signal, together with the background tasks in `parts`. Cancels
/// `stopped`, which ends those tasks, when the drain is over.
///
/// # Errors
/// When a background task exits, the metrics address cannot be bound, or the history, the signals
/// or the callback client cannot be set up.
pub async fn run(
    settings: DaemonSettings,
    jobs: Jobs,
    context: Context,
    look_after: Observability,
    mut parts: TaskSet,
    stopped: CancellationToken,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let slots = Slots::new(settings.slots);
    let metrics = look_after.metrics;
    let look = Arc::new(HealthProbe {
        metrics: Arc::clone(&metrics),
        jobs: jobs.clone(),
        runtime: Handle::current(),
        slots: slot_usage(slots.clone()),
        breakers: breaker_states(context.providers.clone()),
        is_consuming: AtomicBool::new(false),
        stop: stop.clone(),
    });
    // Dropped last, so that `/livez` answers until the end.
    let mut port = TaskSet::default();
    if let Some(address) = &look_after.metrics_address {
        let open = MetricsServer::open(address, Arc::clone(&look))?;
        port.spawn("the metrics server", open.serve());
    }
    let history = open(&settings.database_url)
        .await
        .context("the history cannot be opened")?;
    let give_up = stopped;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let ended = Arc::new(Notify::new());
    let tell = Arc::new(Notify::new());
    let caller = callbacks::sender(
        settings.callbacks.clone(),
        jobs.clone(),
        Arc::clone(&metrics),
    )?;
    let cancels = Notifier::default();

    parts.spawn(
        "the cancel subscription",
        cancels.clone().run(
            jobs.redis().clone(),
            keys::CANCELLED_CHANNEL,
            give_up.clone(),
        ),
    );
    let name = settings.name.clone();
    parts.spawn(
        "the worker heartbeat",
        heartbeat::run(
            jobs.clone(),
            name,
            slots.clone(),
            context.providers.clone(),
            give_up.clone(),
        ),
    );
    parts.spawn(
        "the sweeper",
        recovery::run(
            jobs.clone(),
            settings.lease,
            Arc::clone(&metrics),
            give_up.clone(),
        ),
    );
    parts.spawn(
        "history maintenance",
        history_maintenance::run(Arc::clone(&history), settings.retention, give_up.clone()),
    );
    parts.spawn(
        "the archiver",
        archive::run(
            jobs.clone(),
            history,
            Arc::clone(&metrics),
            Arc::clone(&ended),
            give_up.clone(),
        ),
    );

    parts.spawn(
        "callback delivery",
        callbacks::run(caller, Arc::clone(&tell), give_up.clone()),
    );

    let searches = TaskTracker::new();
    let runner = Arc::new(JobRunner {
        jobs: jobs.clone(),
        single_flight: SingleFlight::new(context, settings.cache.clone(), settings.cache_ttl),
        worker: settings.name.clone(),
        metrics,
        lease: settings.lease,
        max_attempts: settings.max_attempts,
        cancel_notifier: cancels,
        stop: stop.clone(),
        abort: give_up.clone(),
        done: ended,
        callback_due: tell,
    });
    let taker = jobs.consumer();
    let unblock = taker.unblocker();
    let feed = consumer::run(
        taker,
        slots,
        Arc::clone(&runner),
        searches.clone(),
        stop.clone(),
    );
    let mut feeding = TaskSet::default();
    feeding.spawn("the consumer", feed);
    look.is_consuming.store(true, Ordering::Release);
    tracing::info!(
        worker = settings.name,
        slots = settings.slots.total,
        "waiting for searches"
    );

    tokio::select! {
        () = signals.recv() => {}
        died = feeding.next_exit() => return Err(died.into()),
        died = parts.next_exit() => return Err(died.into()),
        died = port.next_exit() => return Err(died.into()),
    }
    stop.cancel();
    let draining = shutdown::drain(
        &settings,
        &unblock,
        feeding,
        &searches,
        &give_up,
        &mut signals,
    );
    draining.await?;
    tokio::select! {
        ended = parts.join_all() => ended?,
        () = signals.recv() => tracing::warn!("told to stop at once"),
        // The rest is in Redis, where other workers find it.
        () = tokio::time::sleep(FINAL_WORK_TIMEOUT) => tracing::warn!("last work cut: other workers finish it"),
    }
    tracing::info!(worker = settings.name, "stopped");
    Ok(())
}

fn slot_usage(slots: Slots) -> Box<dyn Fn() -> (PerMode, PerMode) + Send + Sync> {
    Box::new(move || (slots.limits(), slots.running()))
}

fn breaker_states(
    providers: Providers,
) -> Box<dyn Fn() -> Vec<(&'static str, bool)> + Send + Sync> {
    Box::new(move || {
        let states = providers.breaker_states();
        let spared = states.map(|(name, state)| (name, state != BreakerState::Closed));
        spared.collect()
    })
}
