//! Jobs that do nothing, run through the job engine as the service's worker uses it.

use crate::sites::SUBMITTED;
use anyhow::{anyhow, bail, ensure};
use bytes::Bytes;
use chrono::Utc;
use futures_util::{StreamExt, stream};
use privachat_core::connection::Redis;
use privachat_core::jobs::{
    ClaimResult, Consumer, FinishResult, JobFailure, Jobs, NewJob, QueueEntry, SweepRules, Sweeper,
};
use privachat_core::mode::Mode;
use privachat_core::schema::SearchJob;
use privachat_core::schema::validate::search_request;
use privachat_tests::fixtures::job;
use serde_json::Value;
use std::iter;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use uuid::Uuid;

/// Submissions in flight, and slots of a worker.
const AT_ONCE: usize = 32;
const LEASE: Duration = Duration::from_secs(15);
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 60 * 60);
const SWEEP_EVERY: Duration = Duration::from_secs(1);

pub(crate) fn open(url: &str) -> anyhow::Result<Jobs> {
    Ok(Jobs::new(Redis::open(url)?))
}

pub(crate) async fn submit(jobs: &Jobs, count: usize) -> anyhow::Result<()> {
    submit_each(jobs, count, || waiting(Uuid::new_v4())).await
}

/// The same search repeatedly, as the API would submit it.
pub(crate) async fn submit_searches(jobs: &Jobs, count: usize) -> anyhow::Result<()> {
    let asked: Value = serde_json::from_str(SUBMITTED)?;
    let search = search_request(&asked).map_err(|faults| anyhow!("{faults:?}"))?;
    let created_at = Utc::now();
    let request = Bytes::from(serde_json::to_vec(&SearchJob {
        created_at,
        request_id: None,
        traceparent: None,
        search,
    })?);
    let searching = || NewJob {
        request: request.clone(),
        ..waiting(Uuid::new_v4())
    };
    submit_each(jobs, count, searching).await
}

/// A job that may wait as long as the longest measurement.
fn waiting(id: Uuid) -> NewJob {
    NewJob {
        queue_timeout: LONGEST_WAIT,
        ..job(id)
    }
}

async fn submit_each(jobs: &Jobs, count: usize, job: impl Fn() -> NewJob) -> anyhow::Result<()> {
    let submissions = stream::iter(0..count).map(|_| async { jobs.enqueue(&job()).await });
    let mut outcomes = submissions.buffer_unordered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        outcome?;
    }
    Ok(())
}

/// Runs this many jobs.
pub(crate) async fn drain(jobs: &Jobs, count: usize) -> anyhow::Result<()> {
    let mut taker = jobs.consumer();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut left = count;
    while left > 0 {
        left -= start(jobs, &mut taker, &slots, left, &mut running).await?;
    }
    while let Some(outcome) = running.join_next().await {
        outcome??;
    }
    Ok(())
}

/// A worker: runs jobs and sweeps until it is killed.
pub(crate) async fn work(url: &str) -> anyhow::Result<()> {
    let jobs = open(url)?;
    tokio::spawn(sweep(jobs.clone()));
    let mut taker = jobs.consumer();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    loop {
        start(&jobs, &mut taker, &slots, AT_ONCE, &mut running).await?;
        while let Some(outcome) = running.try_join_next() {
            outcome??;
        }
    }
}

/// Like a worker's loop: a slot for the first queue entry, half of the free ones for more, and for
/// each entry a task that claims and finishes. Returns their number, at most `most`.
async fn start(
    jobs: &Jobs,
    taker: &mut Consumer,
    slots: &Arc<Semaphore>,
    most: usize,
    running: &mut JoinSet<anyhow::Result<()>>,
) -> anyhow::Result<usize> {
    let first = Arc::clone(slots).acquire_owned().await?;
    let spare = (slots.available_permits() / 2).min(most - 1);
    let free = iter::repeat_with(|| Arc::clone(slots).try_acquire_owned().ok());
    let spare: Vec<_> = free.take(spare).flatten().collect();
    let hints = taker.dequeue(&Mode::ALL, spare.len()).await?;
    let count = hints.len();
    for (hint, slot) in hints.into_iter().zip(iter::once(first).chain(spare)) {
        let jobs = jobs.clone();
        running.spawn(async move {
            let outcome = run(&jobs, hint).await;
            drop(slot);
            outcome
        });
    }
    Ok(count)
}

async fn run(jobs: &Jobs, hint: QueueEntry) -> anyhow::Result<()> {
    let ClaimResult::Started { lease, .. } = jobs.claim(hint, "bench", LEASE).await? else {
        bail!("a job that was pushed once could not be claimed");
    };
    let (tracked, ended) = tokio::join!(
        jobs.schedule_check(hint, LEASE),
        jobs.finish(&lease, Ok(b"{}"))
    );
    tracked?;
    ensure!(ended? == FinishResult::Completed, "a job did not complete");
    jobs.mark_done(hint.id, hint.mode).await?;
    Ok(jobs.mark_archived(hint.id).await?)
}

pub(crate) async fn sweep(jobs: Jobs) {
    let rules = SweepRules {
        max_crashes: 2,
        lease: LEASE,
        worker_lost: JobFailure::new("worker_lost", "lost"),
        queue_expired: JobFailure::new("queue_expired", "late"),
    };
    let mut sweeper = Sweeper::new(jobs, rules);
    loop {
        sweeper.sweep().await.expect("a round of sweeping");
        tokio::time::sleep(SWEEP_EVERY).await;
    }
}
