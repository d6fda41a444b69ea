//! The daemon: the consumer dequeues searches, the executor claims and runs them, as many at once
//! as there are slots. Background tasks renew leases, recover lost jobs, archive finished searches
//! and deliver callbacks.
//!
//! This is the only module that uses both the job engine and the pipeline.

mod announce;
mod attempt;
mod callbacks;
mod failure;
mod feed;
mod history;
mod hold;
mod outbox;
mod patience;
mod report;
mod runs;
mod slots;
mod spans;
mod stop;
mod sweep;
#[cfg(test)]
mod tests;

pub use callbacks::CallbackSettings;
pub use slots::SlotLimits;

use crate::{
    metrics::{Look, Metrics, Port},
    pipeline::{Context, Providers, search::breaker::State},
};
use anyhow::Context as _;
use attempt::Runner;
use privachat_core::{
    cache::Cache,
    history::{DatabaseUrl, Retention, open},
    jobs::{Jobs, Notifier},
    keys,
    parts::Parts,
    schema::worker::PerMode,
    settings::MetricsAddress,
    signals::Signals,
};
use runs::Runs;
use slots::Slots;
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
const LAST_WORK: Duration = Duration::from_secs(10);

/// Settings of a worker.
#[derive(Clone)]
pub struct DaemonSettings {
    /// The worker's name in records and logs.
    pub name: String,
    /// The database of the history.
    pub database_url: DatabaseUrl,
    /// Which sessions the history keeps.
    pub keep: Retention,
    /// How many searches run at once.
    pub slots: SlotLimits,
    /// After this long without a heartbeat, other workers recover a search.
    pub lease: Duration,
    /// Attempts at a search whose failures are retryable.
    pub most_attempts: u32,
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
pub struct LookAfter {
    /// The worker's counters.
    pub metrics: Arc<Metrics>,
    /// Where to serve metrics and probes; `None` serves none.
    pub address: Option<MetricsAddress>,
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
    look_after: LookAfter,
    mut parts: Parts,
    stopped: CancellationToken,
) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    let slots = Slots::new(settings.slots);
    let metrics = look_after.metrics;
    let look = Arc::new(Look {
        metrics: Arc::clone(&metrics),
        jobs: jobs.clone(),
        runtime: Handle::current(),
        slots: count_slots(slots.clone()),
        breakers: breakers(context.providers.clone()),
        taking: AtomicBool::new(false),
        stop: stop.clone(),
    });
    // Dropped last, so that `/livez` answers until the end.
    let mut port = Parts::default();
    if let Some(address) = &look_after.address {
        let open = Port::open(address, Arc::clone(&look))?;
        port.spawn("the metrics server", open.serve());
    }
    let history = open(&settings.database_url)
        .await
        .context("the history cannot be opened")?;
    let give_up = stopped;
    let mut signals = Signals::listen().context("cannot listen for signals")?;
    let ended = Arc::new(Notify::new());
    let tell = Arc::new(Notify::new());
    let caller = callbacks::caller(
        settings.callbacks.clone(),
        jobs.clone(),
        Arc::clone(&metrics),
    )?;
    let cancels = Notifier::default();

    parts.spawn(
        "the cancel subscription",
        cancels
            .clone()
            .run(jobs.redis().clone(), keys::CANCELLED, give_up.clone()),
    );
    let name = settings.name.clone();
    parts.spawn(
        "the worker heartbeat",
        announce::run(
            jobs.clone(),
            name,
            slots.clone(),
            context.providers.clone(),
            give_up.clone(),
        ),
    );
    parts.spawn(
        "the sweeper",
        sweep::run(
            jobs.clone(),
            settings.lease,
            Arc::clone(&metrics),
            give_up.clone(),
        ),
    );
    parts.spawn(
        "history maintenance",
        history::keep(Arc::clone(&history), settings.keep, give_up.clone()),
    );
    parts.spawn(
        "the archiver",
        outbox::run(
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
    let runner = Arc::new(Runner {
        jobs: jobs.clone(),
        runs: Runs::new(context, settings.cache.clone(), settings.cache_ttl),
        worker: settings.name.clone(),
        metrics,
        lease: settings.lease,
        most_attempts: settings.most_attempts,
        cancels,
        stop: stop.clone(),
        give_up: give_up.clone(),
        ended,
        tell,
    });
    let taker = jobs.consumer();
    let unblock = taker.unblocker();
    let feed = feed::run(
        taker,
        slots,
        Arc::clone(&runner),
        searches.clone(),
        stop.clone(),
    );
    let mut feeding = Parts::default();
    feeding.spawn("the consumer", feed);
    look.taking.store(true, Ordering::Release);
    tracing::info!(
        worker = settings.name,
        slots = settings.slots.all,
        "waiting for searches"
    );

    tokio::select! {
        () = signals.heard() => {}
        died = feeding.death() => return Err(died.into()),
        died = parts.death() => return Err(died.into()),
        died = port.death() => return Err(died.into()),
    }
    stop.cancel();
    let draining = stop::drain(
        &settings,
        &unblock,
        feeding,
        &searches,
        &give_up,
        &mut signals,
    );
    draining.await?;
    tokio::select! {
        ended = parts.end() => ended?,
        () = signals.heard() => tracing::warn!("told to stop at once"),
        // The rest is in Redis, where other workers find it.
        () = tokio::time::sleep(LAST_WORK) => tracing::warn!("last work cut: other workers finish it"),
    }
    tracing::info!(worker = settings.name, "stopped");
    Ok(())
}

fn count_slots(slots: Slots) -> Box<dyn Fn() -> (PerMode, PerMode) + Send + Sync> {
    Box::new(move || (slots.limits(), slots.running()))
}

fn breakers(providers: Providers) -> Box<dyn Fn() -> Vec<(&'static str, bool)> + Send + Sync> {
    Box::new(move || {
        let states = providers.states();
        let spared = states.map(|(name, state)| (name, state != State::Closed));
        spared.collect()
    })
}
