//! Jobs per second that do nothing: through the whole engine, and through a bare `BRPOP` loop, in
//! turn on one Redis. `cargo bench -p privachat-tests --bench engine`
//!
//! The engine's loop is a worker's: a slot, a pop, a claim, a finish, with their bookkeeping. The
//! bare loop pops ids and loses its current job when it dies.

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use privachat_core::{
    connection::Redis,
    jobs::{ClaimResult, FinishResult, Jobs, NewJob, QueueEntry},
    mode::Mode,
};
use privachat_tests::RedisServer;
use std::{
    iter,
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{sync::Semaphore, task::JoinSet};
use uuid::Uuid;

const JOBS: usize = 10_000;
const ROUNDS: usize = 3;
/// Submissions in flight, and slots of the worker.
const AT_ONCE: usize = 32;
const LEASE: Duration = Duration::from_secs(15);

#[tokio::main]
async fn main() -> anyhow::Result<()> {
    let server = RedisServer::with_aof().await;
    let redis = Redis::open(&server.url())?;
    let jobs = Jobs::new(redis.clone());
    let (mut submitted, mut drained, mut bare) = (Vec::new(), Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        submitted.push(rate(submit_all(&jobs)).await?);
        drained.push(rate(drain(&jobs)).await?);
        push_bare(&redis).await?;
        bare.push(rate(pop_bare(&redis)).await?);
    }
    let (submitted, drained, bare) = (median(submitted), median(drained), median(bare));
    println!(
        "no-op jobs a second, medians of {ROUNDS} rounds of {JOBS}, AOF synced before each reply:"
    );
    println!("  accepted (register, create, push)        {submitted:>9.0}");
    println!("  drained  (pop, claim, finish, forget)    {drained:>9.0}");
    println!("  bare BRPOP loop                          {bare:>9.0}");
    println!(
        "  drained / bare                           {:>9.2}",
        drained / bare
    );
    Ok(())
}

async fn rate(work: impl Future<Output = anyhow::Result<()>>) -> anyhow::Result<f64> {
    let started = Instant::now();
    work.await?;
    Ok(JOBS as f64 / started.elapsed().as_secs_f64())
}

fn median(mut rates: Vec<f64>) -> f64 {
    rates.sort_by(f64::total_cmp);
    rates[rates.len() / 2]
}

fn job() -> NewJob {
    let id = Uuid::new_v4();
    NewJob {
        id,
        mode: Mode::Speed,
        request: Bytes::from_static(br#"{"query":"nothing"}"#),
        request_hash: id.to_string(),
        public_fields: format!(r#""session_id":"{id}""#),
        ttl: Duration::from_secs(600),
        run_timeout: Duration::from_secs(10),
        queue_timeout: Duration::from_secs(600),
        callback: None,
        owner: None,
    }
}

async fn submit_all(jobs: &Jobs) -> anyhow::Result<()> {
    let submissions = stream::iter(0..JOBS).map(|_| async { jobs.enqueue(&job()).await });
    let mut outcomes = submissions.buffer_unordered(AT_ONCE);
    while let Some(outcome) = outcomes.next().await {
        outcome?;
    }
    Ok(())
}

async fn drain(jobs: &Jobs) -> anyhow::Result<()> {
    let mut taker = jobs.consumer();
    let slots = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    let mut taken = 0;
    while taken < JOBS {
        let first = Arc::clone(&slots).acquire_owned().await?;
        let half = slots.available_permits() / 2;
        let spare = iter::repeat_with(|| Arc::clone(&slots).try_acquire_owned().ok());
        let spare: Vec<_> = spare.take(half).flatten().collect();
        let hints = taker.dequeue(&Mode::ALL, spare.len()).await?;
        taken += hints.len();
        for (hint, slot) in hints.into_iter().zip(iter::once(first).chain(spare)) {
            let jobs = jobs.clone();
            running.spawn(async move {
                let outcome = run(&jobs, hint).await;
                drop(slot);
                outcome
            });
        }
    }
    while let Some(outcome) = running.join_next().await {
        outcome??;
    }
    Ok(())
}

async fn run(jobs: &Jobs, hint: QueueEntry) -> anyhow::Result<()> {
    let ClaimResult::Started { lease, .. } = jobs.claim(hint, "bench", LEASE).await? else {
        anyhow::bail!("a job that was pushed once could not be claimed");
    };
    let (tracked, ended) = tokio::join!(
        jobs.schedule_check(hint, LEASE),
        jobs.finish(&lease, Ok(b"{}"))
    );
    tracked?;
    anyhow::ensure!(ended? == FinishResult::Completed, "a job did not complete");
    jobs.mark_done(hint.id, hint.mode).await?;
    Ok(jobs.mark_archived(hint.id).await?)
}

async fn push_bare(redis: &Redis) -> anyhow::Result<()> {
    for _ in 0..JOBS / 100 {
        let mut push = redis::cmd("LPUSH");
        push.arg("bare");
        for _ in 0..100 {
            push.arg(Uuid::new_v4().to_string());
        }
        redis.query::<u64>(&push).await?;
    }
    Ok(())
}

async fn pop_bare(redis: &Redis) -> anyhow::Result<()> {
    let mut connection = redis.dedicated().await?.connection;
    for _ in 0..JOBS {
        let mut pop = redis::cmd("BRPOP");
        pop.arg("bare").arg(2);
        let (_, _): (String, String) = pop.query_async(&mut connection).await?;
    }
    Ok(())
}
