//! Redis is down at the start or later, frozen, or full: no accepted search is lost, and callers
//! get an answer quickly.

use std::time::{Duration, Instant};

use privachat_tests::fixtures::{gather_results, question, wait_for_status, wait_until_idle};
use privachat_tests::redis::Options;
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{HttpResponse, RedisServer, Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(20);
/// Less than the wait that the poll among them requests: each is refused because of Redis.
const BEFORE_THE_POLL: Duration = Duration::from_secs(50);

fn slow(delay: Duration) -> Upstream {
    Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &gather_results()).to_string()).late(delay)
    })
}

fn assert_unavailable(answer: &HttpResponse) {
    let body = answer.expect(503);
    assert_eq!(body["error"], "service_unavailable");
    assert!(body["message"].is_string());
    let retry: u64 = answer
        .header("retry-after")
        .expect("Retry-After")
        .parse()
        .unwrap();
    assert!((1..=60).contains(&retry), "{retry}");
}

/// Every kind of request that needs Redis is refused, without its usual wait.
async fn assert_all_refused(stack: &Stack, id: &str) {
    let client = stack.client();
    let sync = question();
    let mut asynchronous = question();
    asynchronous["async_mode"] = json!(true);
    let begun = Instant::now();
    let poll = format!("/api/v1/search/status/{id}?wait=60");
    let answers = tokio::join!(
        client.post_search(sync),
        client.post_search(asynchronous),
        client.status(id),
        client.get(&poll)
    );
    let took = begun.elapsed();
    for answer in [answers.0, answers.1, answers.2, answers.3] {
        assert_unavailable(&answer);
    }
    assert!(took < BEFORE_THE_POLL, "{took:?}");
    assert_eq!(client.get("/readyz").await.status, 503);
    assert_eq!(client.get("/livez").await.status, 200);
    assert_eq!(client.get("/api/v1/health").await.status, 200);
}

async fn wait_until_ready(stack: &Stack) {
    eventually("the API is ready", TIMEOUT, async || {
        (stack.client().status_of("/readyz").await == Some(200)).then_some(())
    })
    .await;
}

#[tokio::test]
async fn both_binaries_start_without_redis_report_it_and_work_once_it_is_up() {
    let web = searxng::finding(gather_results());
    let mut redis = RedisServer::start().await;
    redis.kill();
    let mut stack = Stack::builder(binaries!())
        .on_redis(redis)
        .with_searxng(&web)
        .start_unready()
        .await;
    assert_all_refused(&stack, "11111111-1111-1111-1111-111111111111").await;
    let worker = stack.workers[0].process();
    eventually("the worker logs it", TIMEOUT, async || {
        worker
            .output()
            .contains("Redis does not answer yet")
            .then_some(())
    })
    .await;
    worker.assert_alive();
    assert!(
        stack
            .api
            .process()
            .output()
            .contains("Redis does not answer yet")
    );

    stack.redis.restart().await;
    wait_until_ready(&stack).await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    stack.workers[0].process().assert_alive();
    stack.api.process().assert_alive();
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn searches_accepted_before_redis_was_killed_complete_after_its_restart() {
    let web = slow(Duration::from_secs(2));
    let redis = RedisServer::with_aof().await;
    let mut stack = Stack::builder(binaries!())
        .on_redis(redis)
        .with_searxng(&web)
        .env("WORKER_SLOTS", 1)
        .env("JOB_LEASE_SECONDS", 3)
        .start()
        .await;
    let running = stack.client().enqueue(question()).await;
    web.wait_for_calls(1).await;
    let waiting = stack.client().enqueue(question()).await;
    stack.redis.kill();
    assert_all_refused(&stack, &running).await;

    stack.redis.restart().await;
    wait_until_ready(&stack).await;
    for id in [&running, &waiting] {
        let end = wait_for_status(&stack, id, "completed", TIMEOUT).await;
        assert_eq!(end["attempt"], 1, "the search itself went on");
    }
    assert_eq!(web.calls(), 2, "nothing ran twice");
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_sync_caller_gets_its_answer_despite_a_redis_outage() {
    // Longer than the pause between two checks of the waiting request.
    const OUTAGE: Duration = Duration::from_secs(6);
    let web = slow(Duration::from_secs(1));
    let redis = RedisServer::with_aof().await;
    let mut stack = Stack::builder(binaries!())
        .on_redis(redis)
        .with_searxng(&web)
        .start()
        .await;
    let client = stack.client().clone();
    let caller = tokio::spawn(async move { client.post_search(question()).await });
    web.wait_for_calls(1).await;
    stack.redis.kill();
    tokio::time::sleep(OUTAGE).await;
    stack.redis.restart().await;
    let answer = caller.await.unwrap().expect(200);
    assert_eq!(
        (&answer["status"], &answer["attempt"]),
        (&json!("completed"), &json!(1))
    );
}

#[tokio::test]
async fn a_frozen_redis_means_503_and_work_continues_when_it_resumes() {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let before = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &before, "completed", TIMEOUT).await;
    stack.redis.pause();
    assert_all_refused(&stack, &before).await;
    stack.redis.resume();
    wait_until_ready(&stack).await;
    assert_eq!(
        stack.client().status(&before).await.expect(200)["status"],
        "completed"
    );
    let after = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &after, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_full_redis_refuses_new_searches_and_still_answers_polls() {
    let web = searxng::finding(gather_results());
    let redis = RedisServer::with(Options::default()).await;
    let stack = Stack::builder(binaries!())
        .on_redis(redis)
        .with_searxng(&web)
        .start()
        .await;
    let before = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &before, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
    stack.redis.fill(true).await;
    let mut asynchronous = question();
    asynchronous["async_mode"] = json!(true);
    assert_unavailable(&stack.client().post_search(asynchronous).await);
    assert_eq!(
        stack.client().status(&before).await.expect(200)["status"],
        "completed"
    );
    stack.redis.fill(false).await;
    let after = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &after, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_worker_keeps_a_result_until_a_full_redis_has_room() {
    let web = slow(Duration::from_secs(1));
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let id = stack.client().enqueue(question()).await;
    web.wait_for_calls(1).await;
    stack.redis.fill(true).await;
    let log = stack.folder().join("worker-0.log");
    eventually("the worker cannot hand it in", TIMEOUT, async || {
        std::fs::read_to_string(&log)
            .unwrap()
            .contains("cannot store an outcome")
            .then_some(())
    })
    .await;
    stack.redis.fill(false).await;
    assert_eq!(
        wait_for_status(&stack, &id, "completed", TIMEOUT).await["attempt"],
        1
    );
    assert_eq!(web.calls(), 1);
}

#[tokio::test]
async fn a_worker_claims_no_more_than_its_slots_from_a_full_redis() {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .env("WORKER_SLOTS", 2)
        .start()
        .await;
    let mut ids = Vec::new();
    for _ in 0..8 {
        ids.push(stack.client().enqueue(question()).await);
    }
    stack.redis.fill(true).await;
    stack.add_worker();
    let log = stack.folder().join("worker-0.log");
    eventually("both slots wait", TIMEOUT, async || {
        let log = std::fs::read_to_string(&log).unwrap();
        let waiting = ids.iter().filter(|id| {
            let mut lines = log.lines();
            lines.any(|line| line.contains("cannot claim") && line.contains(id.as_str()))
        });
        (waiting.count() == 2).then_some(())
    })
    .await;
    let mut redis = stack.redis.connection().await;
    let waiting: usize = redis.llen("{search}:queue:speed").await.unwrap();
    assert_eq!(waiting, 6);
    stack.redis.fill(false).await;
    for id in &ids {
        assert_eq!(
            wait_for_status(&stack, id, "completed", TIMEOUT).await["attempt"],
            1
        );
    }
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_worker_can_be_stopped_during_a_redis_outage() {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    stack.redis.kill();
    assert_eq!(stack.workers[0].process().stop(TIMEOUT).await, 0);
    assert_eq!(stack.api.process().stop(TIMEOUT).await, 0);
}
