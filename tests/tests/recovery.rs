//! What was accepted ends, whatever dies: rows of the crash table, with shorter leases so that the
//! suite stays quick. Each test prints how long the recovery took and holds it to its row.

use privachat_tests::{
    Stack, Upstream, eventually,
    scene::{LEASE, found, hanging_first, is_quiet, question, reaches},
    upstream::{Reply, searxng},
};
use redis::AsyncCommands;
use serde_json::json;
use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

/// The row says lease + 2 s; the searches themselves take a moment more.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(LEASE + 2);
const MOMENT: Duration = Duration::from_secs(2);

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    privachat_tests::scene::stack(privachat_tests::binaries!(), searxng, workers).await
}

#[tokio::test]
async fn a_search_whose_worker_is_killed_in_mid_run_is_completed_by_another() {
    let (searxng, _) = hanging_first(1);
    let mut stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    searxng.asked(1).await;
    stack.add_worker();
    stack.workers[0].process().kill();
    let killed = Instant::now();
    let end = reaches(&stack, &id, "completed", TAKEN_OVER_WITHIN + MOMENT).await;
    println!(
        "worker killed in mid-run: recovered after {:?}",
        killed.elapsed()
    );
    assert_eq!(end["attempt"], 2);
    stack.workers.remove(0);
    is_quiet(&stack).await;
}

#[tokio::test]
async fn a_worker_that_was_frozen_for_longer_than_its_lease_changes_nothing_afterwards() {
    let (searxng, _) = hanging_first(1);
    let mut stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    searxng.asked(1).await;
    stack.workers[0].process().pause();
    stack.add_worker();
    let end = reaches(&stack, &id, "completed", TAKEN_OVER_WITHIN + MOMENT).await;
    let mut redis = stack.redis.connection().await;
    let before: String = redis.get(format!("search_job:{id}")).await.unwrap();
    stack.workers[0].process().resume();
    let log = "another worker has taken over";
    eventually(
        "the old worker notices",
        Duration::from_secs(10),
        async || {
            let output = stack.workers[0].process().output();
            (output.contains(log) || output.contains("Fenced")).then_some(())
        },
    )
    .await;
    let after: String = redis.get(format!("search_job:{id}")).await.unwrap();
    assert_eq!((before, end["attempt"].clone()), (after, json!(2)));
    let events: Vec<(String, Vec<(String, String)>)> = redis
        .xrange_all(format!("{{search_job:{id}}}:ev"))
        .await
        .map(entries)
        .unwrap();
    let terminal = events
        .iter()
        .filter(|(_, fields)| fields.iter().any(|(_, kind)| kind == "completed"));
    assert_eq!(terminal.count(), 1);
}

fn entries(reply: redis::streams::StreamRangeReply) -> Vec<(String, Vec<(String, String)>)> {
    let text = |value: redis::Value| redis::from_redis_value::<String>(value).unwrap_or_default();
    let entry = |entry: redis::streams::StreamId| {
        let fields = entry
            .map
            .into_iter()
            .map(|(name, value)| (name, text(value)));
        (entry.id, fields.collect())
    };
    reply.ids.into_iter().map(entry).collect()
}

#[tokio::test]
async fn a_hint_that_was_popped_and_lost_is_found_again() {
    let (searxng, _) = hanging_first(0);
    let mut stack = stack(&searxng, 0).await;
    let id = stack.client().enqueue(question()).await;
    // What a worker does that is killed between its pop and its claim.
    let mut redis = stack.redis.connection().await;
    let popped: String = redis.rpop("{search}:queue:speed", None).await.unwrap();
    assert_eq!(popped, id);
    stack.add_worker();
    let lost = Instant::now();
    reaches(&stack, &id, "completed", Duration::from_secs(5) + MOMENT).await;
    println!("hint lost: recovered after {:?}", lost.elapsed());
    is_quiet(&stack).await;
}

#[tokio::test]
async fn a_search_whose_submitter_died_before_the_push_is_found() {
    let (searxng, _) = hanging_first(0);
    let mut stack = stack(&searxng, 0).await;
    let id = stack.client().enqueue(question()).await;
    // What an API leaves behind that dies between the record and the hint.
    let mut redis = stack.redis.connection().await;
    let () = redis
        .del(&["{search}:queue:speed", "{search}:pending:speed"])
        .await
        .unwrap();
    let in_five_seconds = {
        let (seconds, micros): (u64, u64) =
            redis::cmd("TIME").query_async(&mut redis).await.unwrap();
        seconds * 1000 + micros / 1000 + 5000
    };
    let () = redis
        .zadd("{search}:live", &id, in_five_seconds)
        .await
        .unwrap();
    stack.add_worker();
    reaches(&stack, &id, "completed", Duration::from_secs(6) + MOMENT).await;
    is_quiet(&stack).await;
}

#[tokio::test]
async fn a_search_that_kills_its_workers_fails_with_the_reason() {
    let (searxng, asked) = hanging_first(usize::MAX);
    let mut stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    for crash in 1..=3 {
        eventually(
            "the search has started",
            Duration::from_secs(10),
            async || (asked.load(Ordering::SeqCst) >= crash).then_some(()),
        )
        .await;
        stack.add_worker();
        let victim = stack.workers.len() - 2;
        stack.workers[victim].process().kill();
    }
    let end = reaches(&stack, &id, "failed", TAKEN_OVER_WITHIN + MOMENT).await;
    assert_eq!(end["error_code"], "worker_lost");
    assert_eq!(end["attempt"], 3);
    is_quiet(&stack).await;
}

#[tokio::test]
async fn a_failure_that_may_pass_is_tried_again_and_one_that_cannot_is_not() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        Reply::json(200, body.to_string())
    });
    searxng.next(Reply::new(502, "text/plain", "bad gateway"));
    let stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    let end = reaches(&stack, &id, "completed", Duration::from_secs(20)).await;
    assert_eq!(end["attempt"], 2);

    searxng.next(searxng::json_disabled());
    let id = stack
        .client()
        .enqueue(json!({"query": "What is it?", "mode": "speed"}))
        .await;
    let end = reaches(&stack, &id, "failed", Duration::from_secs(10)).await;
    assert_eq!(
        (end["attempt"].clone(), end["error_code"].clone()),
        (json!(1), json!("upstream_unavailable"))
    );
    assert!(
        end["error_hint"].as_str().unwrap().contains("json"),
        "{end}"
    );
    is_quiet(&stack).await;
}

#[tokio::test]
async fn attempts_end_and_the_last_error_is_kept() {
    let searxng = Upstream::always(Reply::new(502, "text/plain", "bad gateway"));
    let stack = Stack::builder(privachat_tests::binaries!())
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("JOB_MAX_ATTEMPTS", 2)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let end = reaches(&stack, &id, "failed", Duration::from_secs(20)).await;
    assert_eq!(
        (end["attempt"].clone(), end["error_code"].clone()),
        (json!(2), json!("upstream_unavailable"))
    );
    is_quiet(&stack).await;
}

#[tokio::test]
async fn after_a_restart_of_redis_running_searches_are_not_started_twice() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        // Longer than a lease and the outage together.
        Reply::json(200, body.to_string()).late(Duration::from_secs(LEASE + 5))
    });
    let redis = privachat_tests::RedisServer::with_aof().await;
    let mut stack = Stack::builder(privachat_tests::binaries!())
        .on(redis)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("JOB_LEASE_SECONDS", LEASE)
        .start()
        .await;
    stack.add_worker();
    let id = stack.client().enqueue(question()).await;
    searxng.asked(1).await;
    // A killed Redis has written all that it has answered; only a power cut loses the last second.
    stack.redis.kill();
    stack.redis.restart().await;
    let end = reaches(&stack, &id, "completed", Duration::from_secs(30)).await;
    assert_eq!(end["attempt"], 1, "{end}");
    assert_eq!(searxng.calls(), 1);
}

#[tokio::test]
async fn attempts_share_the_running_time_of_the_search() {
    let (searxng, _) = hanging_first(usize::MAX);
    let stack = stack(&searxng, 1).await;
    let asked = Instant::now();
    let search = json!({"query": "What is gather?", "mode": "speed", "timeout": 10});
    let id = stack.client().enqueue(search).await;
    let end = reaches(&stack, &id, "failed", Duration::from_secs(10) + MOMENT).await;
    println!(
        "every attempt failed after {:?} of 10 s: {}",
        asked.elapsed(),
        end["error_code"]
    );
    is_quiet(&stack).await;
}

#[tokio::test]
async fn after_an_outage_of_redis_its_old_sweepers_spare_running_searches_too() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        Reply::json(200, body.to_string()).late(Duration::from_secs(LEASE + 5))
    });
    let mut stack = stack(&searxng, 2).await;
    // Older than the age at which a Redis counts as just started, as far as these leases go.
    let mut redis = stack.redis.connection().await;
    eventually("Redis is old enough", Duration::from_secs(30), async || {
        let info: String = redis::cmd("INFO")
            .arg("server")
            .query_async(&mut redis)
            .await
            .unwrap();
        let uptime = info
            .lines()
            .find_map(|line| line.strip_prefix("uptime_in_seconds:"));
        let seconds: u64 = uptime.unwrap().trim().parse().unwrap();
        (seconds > LEASE + 11).then_some(())
    })
    .await;
    let id = stack.client().enqueue(question()).await;
    searxng.asked(1).await;
    stack.redis.pause();
    // The outage itself: long enough for every lease to run out.
    tokio::time::sleep(Duration::from_secs(LEASE + 2)).await;
    stack.redis.resume();
    let end = reaches(&stack, &id, "completed", Duration::from_secs(30)).await;
    assert_eq!(
        (end["attempt"].clone(), searxng.calls()),
        (json!(1), 1),
        "{end}"
    );
}
