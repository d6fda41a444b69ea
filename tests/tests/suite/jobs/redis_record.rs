//! The record as operators see it with redis-cli: `GET search_job:<id>`, `TTL`, `KEYS`.

use std::time::Duration;

use privachat_tests::fixtures::{wait_for_status, wait_until_idle};
use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);
const DAY: i64 = 86_400;

fn question() -> Value {
    json!({"query": "What is Python?", "mode": "speed"})
}

async fn record(stack: &Stack, id: &str) -> Value {
    let mut redis = stack.redis.connection().await;
    let kind: String = redis::cmd("TYPE")
        .arg(format!("search_job:{id}"))
        .query_async(&mut redis)
        .await
        .unwrap();
    assert_eq!(kind, "string");
    let text: String = redis.get(format!("search_job:{id}")).await.unwrap();
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

async fn ttl(stack: &Stack, id: &str) -> i64 {
    let mut redis = stack.redis.connection().await;
    redis.ttl(format!("search_job:{id}")).await.unwrap()
}

/// Every key of the job expires together with its record.
async fn assert_same_life(stack: &Stack, id: &str) {
    let mut redis = stack.redis.connection().await;
    let life = ttl(stack, id).await;
    let siblings: Vec<String> = redis.keys(format!("{{search_job:{id}}}:*")).await.unwrap();
    assert!(!siblings.is_empty());
    for key in siblings {
        let its: i64 = redis.ttl(&key).await.unwrap();
        assert!(
            (life - its).abs() <= 1,
            "{key} lives {its} s, the record {life} s"
        );
    }
}

async fn jobs(stack: &Stack) -> Vec<String> {
    let mut redis = stack.redis.connection().await;
    let mut keys: Vec<String> = redis.keys("search_job:*").await.unwrap();
    keys.sort();
    keys
}

fn slow_once() -> Upstream {
    let web = searxng::finding(searxng::about_python());
    let body = searxng::body("q", &searxng::about_python()).to_string();
    web.next(Reply::json(200, body).late(Duration::from_secs(1)));
    web
}

#[tokio::test]
async fn the_record_is_readable_json_in_every_state_of_a_search_that_completes() {
    let web = slow_once();
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let pending = record(&stack, &id).await;
    assert_eq!(
        (&pending["status"], &pending["result"], &pending["error"]),
        (&json!("pending"), &Value::Null, &Value::Null)
    );
    assert!((DAY - 5..=DAY).contains(&ttl(&stack, &id).await));
    assert_eq!(jobs(&stack).await, [format!("search_job:{id}")]);

    stack.add_worker();
    wait_for_status(&stack, &id, "processing", TIMEOUT).await;
    let processing = record(&stack, &id).await;
    assert_eq!(
        (
            &processing["status"],
            &processing["result"],
            &processing["error"]
        ),
        (&json!("processing"), &Value::Null, &Value::Null)
    );
    assert!((DAY - 5..=DAY).contains(&ttl(&stack, &id).await));
    assert_eq!(jobs(&stack).await, [format!("search_job:{id}")]);

    let answered = stack.client().wait_completed(&id).await;
    let completed = record(&stack, &id).await;
    assert_eq!(
        (&completed["status"], &completed["error"]),
        (&json!("completed"), &Value::Null)
    );
    assert_eq!(completed["result"], answered);
    assert!((DAY - 5..=DAY).contains(&ttl(&stack, &id).await));
    assert_same_life(&stack, &id).await;
    wait_until_idle(&stack).await;
    assert_eq!(jobs(&stack).await, [format!("search_job:{id}")]);
}

#[tokio::test]
async fn the_record_of_a_failed_search_has_its_error_as_text() {
    let empty = Upstream::always(searxng::sample("noresults.json"));
    let stack = Stack::builder(binaries!())
        .with_searxng(&empty)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let answered = stack.client().wait_terminal(&id).await;
    let failed = record(&stack, &id).await;
    assert_eq!(
        (&failed["status"], &failed["result"]),
        (&json!("failed"), &Value::Null)
    );
    assert_eq!(failed["error"], answered["error"]);
    assert!(failed["error"].is_string(), "{failed}");
    assert!((DAY - 5..=DAY).contains(&ttl(&stack, &id).await));
    assert_same_life(&stack, &id).await;
    wait_until_idle(&stack).await;
    assert_eq!(jobs(&stack).await, [format!("search_job:{id}")]);
}

#[tokio::test]
async fn a_request_may_set_the_lifetime_of_its_result() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    for (seconds, mode) in [(60, "speed"), (604_800, "speed")] {
        let id = stack
            .client()
            .enqueue(json!({"query": "What is Python?", "mode": mode, "ttl_seconds": seconds}))
            .await;
        stack.client().wait_completed(&id).await;
        let left = ttl(&stack, &id).await;
        assert!(
            (seconds - 5..=seconds).contains(&left),
            "{left} s left of {seconds}"
        );
    }
}

#[tokio::test]
async fn a_waiting_search_outlives_the_short_lifetime_of_its_result() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack
        .client()
        .enqueue(json!({"query": "q", "ttl_seconds": 60}))
        .await;
    assert!(ttl(&stack, &id).await > 900);
}

#[tokio::test]
async fn searches_without_a_lifetime_have_the_configured_one() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .env("JOB_TTL_SECONDS", 7200)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    stack.client().wait_completed(&id).await;
    assert!((7195..=7200).contains(&ttl(&stack, &id).await));
}

#[tokio::test]
async fn an_expired_record_is_404() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack.client().enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    let _: () = redis.pexpire(format!("search_job:{id}"), 1).await.unwrap();
    let gone = eventually("it has expired", TIMEOUT, async || {
        let answer = stack.client().status(&id).await;
        (answer.status != 200).then_some(answer)
    })
    .await;
    let detail = format!("Job not found: session_id={id} (expired or invalid)");
    assert_eq!(gone.expect(404), json!({"detail": detail}));
}

#[tokio::test]
async fn every_key_of_a_job_expires_and_no_other_key_begins_like_a_record() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let ids =
        futures_util::future::join_all((0..5).map(|_| stack.client().enqueue(question()))).await;
    for id in &ids {
        stack.client().wait_completed(id).await;
    }
    wait_until_idle(&stack).await;
    let mut expected: Vec<String> = ids.iter().map(|id| format!("search_job:{id}")).collect();
    expected.sort();
    assert_eq!(jobs(&stack).await, expected);
    let mut redis = stack.redis.connection().await;
    let all: Vec<String> = redis.keys("*").await.unwrap();
    for key in all.iter().filter(|key| !key.starts_with("{search}:")) {
        let life: i64 = redis.ttl(key).await.unwrap();
        assert!(life > 0, "{key} never ends");
    }
}
