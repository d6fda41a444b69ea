//! The daemon: take a hint, run its search, finish its job; as many at once as there are slots.
//!
//! This is the one place that sees both the job engine and the pipeline.

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
    jobs::{Bell, Jobs},
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

/// How long storing and signing off may take after the last search.
const LAST_WORK: Duration = Duration::from_secs(10);

/// How a worker works.
#[derive(Clone)]
pub struct DaemonSettings {
    /// Its name in records and logs.
    pub name: String,
    /// Where finished searches are kept.
    pub database_url: DatabaseUrl,
    /// Which of them are kept.
    pub keep: Retention,
    /// How many searches it runs at once.
    pub slots: SlotLimits,
    /// How long it may be silent before its searches are taken over.
    pub lease: Duration,
    /// How often a search that failed for a passing reason is started.
    pub most_attempts: u32,
    /// How long it goes on with running searches when it is told to stop.
    pub drain: Duration,
    /// Where answers are kept that other searches may use.
    pub cache: Cache,
    /// For how long; zero for not at all.
    pub cache_ttl: Duration,
    /// How those are told who gave an address.
    pub callbacks: CallbackSettings,
}

/// How a worker is looked after.
pub struct LookAfter {
    /// What it counts.
    pub metrics: Arc<Metrics>,
    /// Where that is shown; nowhere without one.
    pub address: Option<MetricsAddress>,
}

/// Runs a worker until it is told to stop, together with the parts that the caller has started.
/// Those stop when `stopped` is cancelled, which is when nothing runs any more.
///
/// # Errors
/// When any of its parts has died, or the history cannot be opened at all.
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
    // Dropped last: whoever asks is told until the end that the worker is alive.
    let mut port = Parts::default();
    if let Some(address) = &look_after.address {
        let open = Port::open(address, Arc::clone(&look))?;
        port.spawn("the port for metrics", open.serve());
    }
    let history = open(&settings.database_url)
        .await
        .context("the history cannot be opened")?;
    let give_up = stopped;
    let mut signals = Signals::listen().context("signals cannot be heard")?;
    let ended = Arc::new(Notify::new());
    let tell = Arc::new(Notify::new());
    let caller = callbacks::caller(
        settings.callbacks.clone(),
        jobs.clone(),
        Arc::clone(&metrics),
    )?;
    let cancels = Bell::default();

    parts.spawn(
        "the subscription to cancels",
        cancels
            .clone()
            .follow(jobs.redis().clone(), keys::CANCELLED, give_up.clone()),
    );
    let name = settings.name.clone();
    parts.spawn(
        "the announcer",
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
        "the keeper of the history",
        history::keep(Arc::clone(&history), settings.keep, give_up.clone()),
    );
    parts.spawn(
        "the outbox",
        outbox::run(
            jobs.clone(),
            history,
            Arc::clone(&metrics),
            Arc::clone(&ended),
            give_up.clone(),
        ),
    );

    parts.spawn(
        "the caller of callbacks",
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
    let taker = jobs.taker();
    let unblock = taker.unblock();
    let feed = feed::run(
        taker,
        slots,
        Arc::clone(&runner),
        searches.clone(),
        stop.clone(),
    );
    let mut feeding = Parts::default();
    feeding.spawn("the taker of searches", feed);
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
        // What is left is in Redis, for the other workers.
        () = tokio::time::sleep(LAST_WORK) => tracing::warn!("left the last work to other workers"),
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
