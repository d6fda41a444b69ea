//! A run of many searches with faults everywhere: every accepted search must end exactly once. The
//! run only logs what happens; afterwards the twelve invariants of the design are checked from that
//! log alone.

pub mod check;
mod collect;
mod deployment;
mod end_watch;
mod faults;
mod inject;
mod load;
pub mod log;
mod plan;
pub mod report;
mod resources;
mod search_engine;
mod skewed_clock;

use std::path::Path;
use std::time::Duration;

use crate::{Binaries, wait::eventually};
use deployment::Deployment;
use end_watch::EndWatch;
use log::{Entry, Log};
use plan::Plan;

/// How long after the load all searches may take to end. Longer than any search of the load may
/// run.
const SETTLING_TIMEOUT: Duration = Duration::from_secs(240);
/// How long idle connections may take to close: a worker's client for the engines keeps one for 90
/// s and checks every 90 s.
const RESTING_TIMEOUT: Duration = Duration::from_secs(190);

/// The settings of a run.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub seed: u64,
    pub jobs: usize,
    /// New searches per second.
    pub rate: f64,
    /// Time between two faults.
    pub fault_interval: Duration,
    /// An additional pause, at random.
    pub recovery_pause: Duration,
}

/// Runs it; returns the event log.
pub async fn run(binaries: Binaries, settings: Settings) -> Log {
    let Settings {
        seed,
        jobs,
        rate,
        fault_interval,
        recovery_pause,
    } = settings;
    let length = Duration::from_secs_f64(jobs as f64 / rate);
    let plan = Plan::new(seed, jobs, length, fault_interval, recovery_pause);
    let log = Log::default();
    log.note(Entry::Run {
        seed,
        jobs,
        lease_ms: deployment::LEASE * 1000,
        max_attempts: deployment::MAX_ATTEMPTS,
    });
    let web = search_engine::start(seed, log.clone());
    let mut deployment = Deployment::start(binaries, &web, log.clone()).await;
    let watch = EndWatch::default();
    let watching = tokio::spawn(watch.clone().follow(deployment.redis.url(), log.clone()));
    warm_up(&deployment).await;
    let before = deployment.level(true).await;
    log.note(before.clone());

    let addresses = deployment.addresses();
    let (posting, posted) = (log.clone(), plan.clone());
    let posting = tokio::spawn(async move {
        load::run(&posted, &addresses, &posting).await;
        posting.note(Entry::Posts { end: log::now_ms() });
    });
    inject::run(&mut deployment, &plan.faults, &log).await;
    inject::restore_proxies(&deployment);
    posting.await.expect("the load");

    let mut redis = deployment.redis.connection().await;
    let keys = collect::wait_until_empty(&mut redis, SETTLING_TIMEOUT).await;
    deployment.replace_dead_workers();
    log.note(Entry::Leftovers { keys });
    let collected = collect::jobs(&mut redis, &watch, &log).await;
    collected.expect("what Redis holds");
    watching.abort();
    drop(redis);
    log.note(wait_for_resources(&mut deployment, &before).await);
    deployment.note_lines();
    log
}

/// Opens connections that are opened on first use: a stack that has done nothing is no baseline.
async fn warm_up(deployment: &Deployment) {
    let clients: Vec<crate::Client> = deployment
        .addresses()
        .iter()
        .map(|base| crate::Client::new(base))
        .collect();
    let searches = (0..20).map(|number| {
        let query = format!("What is gather {number}?");
        clients[number % clients.len()]
            .enqueue(serde_json::json!({"query": query, "mode": "speed"}))
    });
    for id in futures_util::future::join_all(searches).await {
        clients[0].wait_terminal(&id).await;
    }
}

/// The resources of the stack once they are back at their former level, or at a timeout.
async fn wait_for_resources(deployment: &mut Deployment, before: &Entry) -> Entry {
    let until = tokio::time::Instant::now() + RESTING_TIMEOUT;
    eventually(
        "the level is taken",
        RESTING_TIMEOUT + Duration::from_secs(5),
        async || {
            let after = deployment.level(false).await;
            let down = check::leftovers::excess(before, &after).is_empty();
            (down || tokio::time::Instant::now() >= until).then_some(after)
        },
    )
    .await
}

/// Where event logs are written: `<folder of the build>/chaos`.
pub fn folder(binaries: Binaries) -> std::path::PathBuf {
    let built = Path::new(binaries.api).ancestors().nth(2);
    built.expect("the folder of the build").join("chaos")
}
