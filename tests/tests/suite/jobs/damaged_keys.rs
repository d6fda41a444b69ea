//! Damaged data is not an outage: whatever is stored under one key of Redis, other searches are
//! accepted, run, recovered and listed.

use std::time::Duration;

use privachat_core::connection::Redis;
use privachat_core::jobs::{
    ClaimResult, EnqueueResult, FinishResult, JobFailure, Jobs, QueueEntry, SweepRules, Sweeper,
};
use privachat_core::keys;
use privachat_core::mode::Mode;
use privachat_tests::damaged_keys::{self, Content};
use privachat_tests::fixtures::{gather_results, question, wait_for_status, wait_until_idle};
use privachat_tests::process::isolated;
use privachat_tests::upstream::searxng;
use privachat_tests::{RedisServer, Stack, binaries, eventually, fixtures};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use serde_json::Value;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const TIMEOUT: Duration = Duration::from_secs(20);

fn sweeper(jobs: &Jobs) -> Sweeper {
    let rules = SweepRules {
        max_crashes: 2,
        // Redis is younger than any real lease: a longer one would fall under the outage grace.
        lease: Duration::ZERO,
        worker_lost: JobFailure::new("worker_lost", "lost"),
        queue_expired: JobFailure::new("queue_expired", "late"),
    };
    Sweeper::new(jobs.clone(), rules)
}

/// Runs a job through all its states, with one lost worker, and calls every reader.
async fn run_job_lifecycle(
    jobs: &Jobs,
    redis: &mut MultiplexedConnection,
    once: bool,
) -> Result<(), String> {
    let text = |error: privachat_core::jobs::JobsError| error.to_string();
    let job = fixtures::job(Uuid::new_v4());
    let entry = QueueEntry {
        id: job.id,
        mode: Mode::Speed,
    };
    let submitted = match once {
        true => jobs.enqueue_idempotent(&job).await,
        false => jobs.enqueue(&job).await,
    };
    // `Exists` as after a lost reply: one of two steps was done before the other met the key.
    let submitted = submitted.map_err(text)?;
    assert!(once || submitted == EnqueueResult::Created, "{submitted:?}");
    assert_ne!(submitted, EnqueueResult::Conflict);
    jobs.is_queue_full(1).await.map_err(text)?;
    let claim = |claim| match claim {
        ClaimResult::Started { lease, .. } => Ok(lease),
        other => Err(format!("{other:?} of a job that waits")),
    };
    claim(jobs.claim(entry, "lost", LEASE).await.map_err(text)?)?;
    jobs.schedule_check(entry, LEASE).await.map_err(text)?;
    let () = redis.hset(keys::control(job.id), "lease", 1).await.unwrap();
    let () = redis.zadd(keys::LIVE, job.id.to_string(), 0).await.unwrap();
    let swept = sweeper(jobs).sweep().await.map_err(text)?;
    if swept.leases_expired != 1 {
        return Err(format!("{swept:?} of a job with a lost worker"));
    }
    let lease = claim(jobs.claim(entry, "next", LEASE).await.map_err(text)?)?;
    jobs.worker_heartbeat("next", "{}").await.map_err(text)?;
    jobs.overview().await.map_err(text)?;
    jobs.list_jobs(50).await.map_err(text)?;
    jobs.queue_position(job.id, Mode::Speed)
        .await
        .map_err(text)?;
    let ended = jobs.finish(&lease, Ok(b"{}")).await.map_err(text)?;
    assert_eq!(ended, FinishResult::Completed);
    jobs.mark_done(job.id, Mode::Speed).await.map_err(text)?;
    let unsaved = jobs.due_for_archive(256, LEASE).await.map_err(text)?;
    if !unsaved.contains(&job.id) {
        return Err(format!("not among the unsaved: {unsaved:?}"));
    }
    jobs.mark_archived(job.id).await.map_err(text)?;
    jobs.unarchived_count().await.map_err(text)?;
    jobs.due_callbacks(256, LEASE).await.map_err(text)?;
    jobs.unsettled_callback_count().await.map_err(text)?;
    jobs.record_failure(job.id).await.map_err(text)?;
    Ok(())
}

#[tokio::test]
async fn one_damaged_key_harms_no_other_job() {
    let server = RedisServer::start().await;
    let mut redis = server.connection().await;
    let mut hurt = Vec::new();
    for (key, kind) in damaged_keys::keys(Uuid::from_u128(7)) {
        for content in Content::ALL {
            for once in [false, true] {
                let () = redis::cmd("FLUSHDB").query_async(&mut redis).await.unwrap();
                damaged_keys::overwrite(&mut redis, &key, kind, content).await;
                damaged_keys::add_to_indexes(&mut redis, Uuid::from_u128(7)).await;
                let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
                if let Err(error) = run_job_lifecycle(&jobs, &mut redis, once).await {
                    hurt.push(format!("{key} {content:?}: {error}"));
                }
            }
        }
    }
    assert!(hurt.is_empty(), "{}", hurt.join("\n"));
}

#[tokio::test]
async fn sequence_numbers_continue_after_damage() {
    let server = RedisServer::start().await;
    let mut redis = server.connection().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let mut ids = Vec::new();
    for content in ["", "garbage", "1.5", "9223372036854775807"] {
        for _ in 0..2 {
            let id = Uuid::new_v4();
            jobs.enqueue(&fixtures::job(id)).await.unwrap();
            ids.push(id.to_string());
        }
        let () = redis.set(keys::SEQ, content).await.unwrap();
    }
    let last = Uuid::new_v4();
    jobs.enqueue(&fixtures::job(last)).await.unwrap();
    ids.push(last.to_string());
    let waiting: Vec<String> = redis
        .zrange(keys::pending(Mode::Speed), 0, -1)
        .await
        .unwrap();
    assert_eq!(waiting, ids, "in the order in which they were accepted");
}

/// A service with one worker whose keys, one after the other, get this content while it works.
async fn service_survives(content: Content) {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .env("JOB_LEASE_SECONDS", fixtures::LEASE)
        .start()
        .await;
    let client = stack.client();
    let first = client.enqueue(question()).await;
    wait_for_status(&stack, &first, "completed", TIMEOUT).await;
    let mut redis = stack.redis.connection().await;
    let victim = Uuid::from_u128(7);
    damaged_keys::add_to_indexes(&mut redis, victim).await;
    for (key, kind) in damaged_keys::keys(victim) {
        damaged_keys::overwrite(&mut redis, &key, kind, content).await;
    }
    let checked = check_config(&stack);
    let client = stack.client();
    assert_eq!(client.status_of("/readyz").await, Some(200), "{content:?}");
    client.get("/api/v1/queue").await.expect(200);
    let id = client.enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    assert_eq!(client.status_of("/readyz").await, Some(200), "{content:?}");
    client.get("/api/v1/queue").await.expect(200);
    // Ids without a job are removed from the indexes.
    let gone = Uuid::from_u128(9).to_string();
    let () = redis.zadd(keys::LIVE, &gone, 0).await.unwrap();
    eventually("a sweeper repairs the indexes", TIMEOUT, async || {
        let listed: Option<f64> = redis.zscore(keys::LIVE, &gone).await.unwrap();
        listed.is_none().then_some(())
    })
    .await;
    assert!(
        checked.contains("warn  redis       {search"),
        "{content:?}: {checked}"
    );
    let log = stack.workers[0].process().output() + stack.api.process().output().as_str();
    let named = lines(&log, "a key of Redis is damaged");
    assert!(!named.is_empty(), "{content:?}");
    let workers = lines(
        &stack.workers[0].process().output(),
        "a key of Redis is damaged",
    );
    for key in &workers {
        let times = workers.iter().filter(|other| *other == key).count();
        assert_eq!(times, 1, "{key} is named once: {workers:?}");
    }
}

/// The keys in the log lines with this message.
fn lines(log: &str, message: &str) -> Vec<String> {
    let lines = log
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let named = lines.filter_map(|line| {
        let line = line.get("fields").cloned().unwrap_or(line);
        (line["message"] == message).then(|| line["key"].as_str().unwrap_or_default().to_owned())
    });
    named.collect()
}

fn check_config(stack: &Stack) -> String {
    let output = isolated(binaries!().worker)
        .env("REDIS_URL", stack.redis.url())
        .env(
            "DATABASE_URL",
            format!("sqlite://{}", stack.folder().join("history.db").display()),
        )
        .env("WIKIPEDIA_BASE_URL", "off")
        .arg("check-config")
        .output()
        .unwrap();
    String::from_utf8_lossy(&output.stdout).into_owned()
}

#[tokio::test]
async fn texts_under_all_keys() {
    service_survives(Content::Text).await;
}

#[tokio::test]
async fn lists_under_all_keys() {
    service_survives(Content::List).await;
}

#[tokio::test]
async fn hashes_under_all_keys() {
    service_survives(Content::Hash).await;
}

#[tokio::test]
async fn sets_under_all_keys() {
    service_survives(Content::Set).await;
}

#[tokio::test]
async fn sorted_sets_under_all_keys() {
    service_survives(Content::Sorted).await;
}

#[tokio::test]
async fn streams_under_all_keys() {
    service_survives(Content::Stream).await;
}

#[tokio::test]
async fn garbage_under_all_keys() {
    service_survives(Content::Garbage).await;
}

#[tokio::test]
async fn a_later_version_under_all_keys() {
    service_survives(Content::LaterVersion).await;
}

#[tokio::test]
async fn entries_that_are_not_ids_are_removed_from_every_index() {
    let web = searxng::finding(gather_results());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let mut redis = stack.redis.connection().await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    let modes = Mode::ALL.map(keys::pending);
    let lists = [keys::LIVE, keys::UNSAVED, keys::CALLBACKS, keys::FAILURES];
    for list in lists.into_iter().chain(modes.iter().map(String::as_str)) {
        let mut pipe = redis::pipe();
        for (number, score) in ["-inf", "0", "4e12", "inf"]
            .into_iter()
            .cycle()
            .take(600)
            .enumerate()
        {
            pipe.cmd("ZADD")
                .arg(list)
                .arg(score)
                .arg(format!("garbage {number}"));
        }
        let () = pipe.query_async(&mut redis).await.unwrap();
    }
    let queue = keys::queue(Mode::Deep);
    let () = redis.rpush(queue, "garbage").await.unwrap();
    wait_until_idle(&stack).await;
    let failures: u64 = redis.zcard(keys::FAILURES).await.unwrap();
    assert_eq!(failures, 0);
}

/// A search scheduled for the end of time would never run.
#[tokio::test]
async fn a_search_scheduled_in_years_is_recovered_now() {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    let () = redis.zadd(keys::LIVE, &id, "inf").await.unwrap();
    let () = redis.del(keys::queue(Mode::Speed)).await.unwrap();
    let () = redis.del(keys::pending(Mode::Speed)).await.unwrap();
    stack.add_worker();
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
}
