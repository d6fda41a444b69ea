//! Signals: the first lets running work finish, the second stops at once.

use privachat_tests::fixtures::{gather_results, question, searxng_hanging_first};
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{Stack, Upstream, binaries, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

const TIMEOUT: Duration = Duration::from_secs(10);
/// A process that waits for nothing has stopped by then, however busy the machine is.
const WITHOUT_WAITING: Duration = Duration::from_secs(60);
/// Seconds that a process would wait.
const LONG_WAIT_SECONDS: u64 = 300;

#[tokio::test]
async fn a_second_signal_makes_a_worker_release_its_searches_at_once() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .env("DRAIN_SECONDS", LONG_WAIT_SECONDS)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    let worker = stack.workers[0].process();
    worker.term();
    eventually("it stops", TIMEOUT, async || {
        worker.output().contains("stopping").then_some(())
    })
    .await;
    assert_eq!(worker.stop(WITHOUT_WAITING).await, 0);
    let back = stack.client().status(&id).await.expect(200);
    assert_eq!(
        (&back["status"], &back["attempt"]),
        (&json!("pending"), &json!(0))
    );
}

#[tokio::test]
async fn a_stopping_api_answers_earlier_requests() {
    let web = Upstream::start(|request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        let body = searxng::body(query, &gather_results());
        Reply::json(200, body.to_string()).late(Duration::from_secs(2))
    });
    let mut stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client().clone();
    let caller = tokio::spawn(async move { client.post_search(question()).await });
    web.wait_for_calls(1).await;
    assert_eq!(stack.api.process().stop(TIMEOUT).await, 0);
    let answer = caller.await.unwrap().expect(200);
    assert_eq!(answer["status"], "completed");
}

#[tokio::test]
async fn a_second_signal_ends_an_api_in_the_middle_of_its_requests() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .env("DRAIN_SECONDS", LONG_WAIT_SECONDS)
        .start()
        .await;
    let client = stack.client().clone();
    let caller = tokio::spawn(async move {
        let request = client.request(reqwest::Method::POST, "/api/v1/search");
        request.json(&question()).send().await.is_ok()
    });
    searxng.wait_for_calls(1).await;
    let api = stack.api.process();
    api.term();
    eventually("it stops", TIMEOUT, async || {
        api.output().contains("stopping").then_some(())
    })
    .await;
    assert_eq!(api.stop(WITHOUT_WAITING).await, 0);
    assert!(!caller.await.unwrap(), "it was cut off");
}

#[tokio::test]
async fn a_stopping_api_is_not_ready_and_accepts_requests_until_load_balancers_have_noticed() {
    const DELAY: Duration = Duration::from_secs(3);
    let (searxng, _) = searxng_hanging_first(0);
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .api_env("SHUTDOWN_DELAY_SECONDS", DELAY.as_secs())
        .start()
        .await;
    let client = stack.client().clone();
    let kept = client.get("/livez").await;
    assert_eq!(kept.header("connection"), None);
    let start = Instant::now();
    stack.api.process().term();
    let not_ready = eventually("it is not ready", TIMEOUT, async || {
        let answer = client.get("/readyz").await;
        (answer.status == 503).then_some(answer)
    })
    .await;
    assert_eq!(not_ready.json()["status"], "stopping");

    let id = client.enqueue(question()).await;
    let mut events = client.events(&id, "").await;
    events.until("completed").await;
    let answer = client.status(&id).await;
    assert_eq!(answer.expect(200)["status"], "completed");
    assert_eq!(answer.header("connection"), Some("close"));

    assert_eq!(stack.api.process().exit_code(TIMEOUT).await, 0);
    assert!(start.elapsed() >= DELAY, "{:?}", start.elapsed());
}

#[tokio::test]
async fn a_second_signal_ends_an_api_that_waits_for_load_balancers() {
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .api_env("SHUTDOWN_DELAY_SECONDS", LONG_WAIT_SECONDS)
        .start()
        .await;
    let client = stack.client().clone();
    let api = stack.api.process();
    api.term();
    eventually("it is not ready", TIMEOUT, async || {
        (client.status_of("/readyz").await == Some(503)).then_some(())
    })
    .await;
    assert_eq!(api.stop(WITHOUT_WAITING).await, 0);
}
