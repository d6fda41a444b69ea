//! A run of many searches while everything breaks: what is accepted must end, once, whatever dies.
//! The run only writes down what happens; afterwards the twelve invariants of the design are checked
//! from that log alone.

mod breaking;
pub mod check;
mod clock;
mod collect;
mod faults;
mod level;
mod load;
pub mod log;
mod plan;
pub mod report;
mod stage;
mod watch;
mod web;

use std::path::Path;
use std::time::Duration;

use crate::{Binaries, wait::eventually};
use log::{Entry, Log};
use plan::Plan;
use stage::Stage;
use watch::Watch;

/// How long after the load everything may take to end. Longer than any search of the load lives.
const SETTLES_WITHIN: Duration = Duration::from_secs(240);
/// How long connections that were idle may take to be closed: a worker's client of the engines keeps
/// one for 90 s, and looks every 90 s.
const RESTS_WITHIN: Duration = Duration::from_secs(190);

/// What a run is made of.
#[derive(Debug, Clone, Copy)]
pub struct Settings {
    pub seed: u64,
    pub jobs: usize,
    /// New searches in a second.
    pub rate: f64,
    /// Between two faults.
    pub pause: Duration,
    /// More than that, now and then.
    pub breath: Duration,
}

/// Runs it; the event log.
pub async fn run(binaries: Binaries, settings: Settings) -> Log {
    let Settings {
        seed,
        jobs,
        rate,
        pause,
        breath,
    } = settings;
    let length = Duration::from_secs_f64(jobs as f64 / rate);
    let plan = Plan::new(seed, jobs, length, pause, breath);
    let log = Log::default();
    log.note(Entry::Run {
        seed,
        jobs,
        lease_ms: stage::LEASE * 1000,
        most_attempts: stage::MOST_ATTEMPTS,
    });
    let web = web::start(seed, log.clone());
    let mut stage = Stage::start(binaries, &web, log.clone()).await;
    let watch = Watch::default();
    let watching = tokio::spawn(watch.clone().follow(stage.redis.url(), log.clone()));
    warm_up(&stage).await;
    let before = stage.level(true).await;
    log.note(before.clone());

    let addresses = stage.addresses();
    let (posting, posted) = (log.clone(), plan.clone());
    let posting = tokio::spawn(async move {
        load::run(&posted, &addresses, &posting).await;
        posting.note(Entry::Posts { end: log::now_ms() });
    });
    breaking::run(&mut stage, &plan.faults, &log).await;
    breaking::mend(&stage);
    posting.await.expect("the load");

    let mut redis = stage.redis.connection().await;
    let keys = collect::quiet(&mut redis, SETTLES_WITHIN).await;
    stage.look_after_workers();
    log.note(Entry::Left { keys });
    let collected = collect::jobs(&mut redis, &watch, &log).await;
    collected.expect("what Redis holds");
    watching.abort();
    drop(redis);
    log.note(rest(&mut stage, &before).await);
    stage.note_lines();
    log
}

/// Connections are opened when they are first needed: a stack that has done nothing is no measure.
async fn warm_up(stage: &Stage) {
    let clients: Vec<crate::Client> = stage
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

/// The level of the stack once it has come down to what it was, or after a while.
async fn rest(stage: &mut Stage, before: &Entry) -> Entry {
    let until = tokio::time::Instant::now() + RESTS_WITHIN;
    eventually(
        "the level is taken",
        RESTS_WITHIN + Duration::from_secs(5),
        async || {
            let after = stage.level(false).await;
            let down = check::rest::excess(before, &after).is_empty();
            (down || tokio::time::Instant::now() >= until).then_some(after)
        },
    )
    .await
}

/// Where event logs go: `<folder of the build>/chaos`.
pub fn folder(binaries: Binaries) -> std::path::PathBuf {
    let built = Path::new(binaries.api).ancestors().nth(2);
    built.expect("the folder of the build").join("chaos")
}
