//! What was accepted ends, whatever dies: rows of the crash table, with shorter leases so that the
//! suite stays quick. Each test prints how long the recovery took and holds it to its row.

use privachat_tests::{
    Stack, Upstream, eventually,
    upstream::{Reply, Request, searxng},
};
use redis::AsyncCommands;
use serde_json::{Value, json};
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

/// Instead of the 15 s of a deployment.
const LEASE: u64 = 3;
/// The row says lease + 2 s; the searches themselves take a moment more.
const TAKEN_OVER_WITHIN: Duration = Duration::from_secs(LEASE + 2);
const MOMENT: Duration = Duration::from_secs(2);

fn found() -> Vec<searxng::Result> {
    vec![searxng::Result::new(
        "Gather",
        "http://docs.example/gather",
        "Gather is a function that runs awaitable objects concurrently.",
    )]
}

/// A SearXNG that hangs for as long as it is told to, and finds something afterwards.
fn hanging_first(times: usize) -> (Upstream, Arc<AtomicUsize>) {
    let asked = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&asked);
    let double = Upstream::start(move |request: &Request| {
        if counter.fetch_add(1, Ordering::SeqCst) < times {
            return Reply::hang();
        }
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        Reply::json(200, body.to_string())
    });
    (double, asked)
}

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    Stack::builder(privachat_tests::binaries!())
        .workers(workers)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("JOB_LEASE_SECONDS", LEASE)
        .start()
        .await
}

fn question() -> Value {
    json!({"query": "What is gather?", "mode": "speed"})
}

async fn reaches(stack: &Stack, id: &str, status: &str, within: Duration) -> Value {
    let what = format!("the search is {status}");
    eventually(&what, within, async || {
        let now = stack.client().status(id).await.expect(200);
        (now["status"] == status).then_some(now)
    })
    .await
}

/// Nothing is queued, watched or waiting to be stored any more.
async fn is_quiet(stack: &Stack) {
    let mut redis = stack.redis.connection().await;
    eventually(
        "all lists and indexes are empty",
        Duration::from_secs(10),
        async || {
            let keys: Vec<String> = redis.keys("{search}:*").await.unwrap();
            (keys == ["{search}:seq"]).then_some(())
        },
    )
    .await;
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
async fn a_cancel_ends_a_waiting_search_at_once_and_a_running_one_within_a_moment() {
    let (searxng, _) = hanging_first(usize::MAX);
    let mut stack = stack(&searxng, 0).await;
    let waiting = stack.client().enqueue(question()).await;
    let answer = stack
        .client()
        .delete(&format!("/api/v1/search/{waiting}"))
        .await
        .expect(200);
    assert_eq!(
        (answer["status"].clone(), answer["cancelled"].clone()),
        (json!("failed"), json!(true))
    );
    assert_eq!(answer["error"], "cancelled by client");

    stack.add_worker();
    let running = stack.client().enqueue(question()).await;
    searxng.asked(1).await;
    let asked = Instant::now();
    let answer = stack
        .client()
        .delete(&format!("/api/v1/search/{running}"))
        .await
        .expect(200);
    assert_eq!(answer["status"], "failed", "{answer}");
    println!(
        "cancel of a running search: ended after {:?}",
        asked.elapsed()
    );
    eventually("the engine sees the connection close", MOMENT, async || {
        (searxng.abandoned() == 1).then_some(())
    })
    .await;

    let again = stack
        .client()
        .delete(&format!("/api/v1/search/{running}"))
        .await;
    assert_eq!(again.expect(409)["error"], "already_finished");
    let unknown = "/api/v1/search/11111111-1111-1111-1111-111111111111";
    assert_eq!(stack.client().delete(unknown).await.status, 404);
    is_quiet(&stack).await;
}

#[tokio::test]
async fn a_failed_search_can_be_run_again_and_no_other() {
    let (searxng, _) = hanging_first(0);
    searxng.next(searxng::json_disabled());
    let stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    reaches(&stack, &id, "failed", Duration::from_secs(10)).await;
    let retry = |id: &str| {
        let path = format!("/api/v1/search/{id}/retry");
        stack
            .client()
            .send(stack.client().request(reqwest::Method::POST, &path))
    };
    let again = retry(&id).await.expect(200);
    let second = again["session_id"].as_str().unwrap().to_owned();
    assert_ne!(second, id);
    reaches(&stack, &second, "completed", Duration::from_secs(10)).await;
    assert_eq!(retry(&second).await.expect(409)["error"], "not_retryable");
}

#[tokio::test]
async fn a_full_queue_refuses_with_the_time_to_wait() {
    let (searxng, _) = hanging_first(0);
    let stack = Stack::builder(privachat_tests::binaries!())
        .workers(0)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("MAX_QUEUE_LENGTH", 3)
        .start()
        .await;
    for _ in 0..3 {
        stack.client().enqueue(question()).await;
    }
    let mut request = question();
    request["async_mode"] = json!(true);
    let refused = stack.client().post_search(request).await;
    assert_eq!(refused.expect(429)["error"], "queue_full");
    assert!(refused.header("retry-after").is_some());
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
