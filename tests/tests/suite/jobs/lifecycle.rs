//! The life of a search: who runs it, who may stop it, and what remains.

use std::collections::HashMap;
use std::time::Duration;

use privachat_tests::fixtures::{
    gather_results, question, searxng_hanging_first, wait_for_status, wait_until_idle,
};
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{Client, HttpResponse, Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);

/// A SearXNG that returns results after a delay.
fn slow(delay: Duration) -> Upstream {
    Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &gather_results()).to_string()).late(delay)
    })
}

#[tokio::test]
async fn two_workers_share_the_load() {
    let web = slow(Duration::from_millis(300));
    let stack = Stack::builder(binaries!())
        .workers(2)
        .env("WORKER_SLOTS", 4)
        .with_searxng(&web)
        .start()
        .await;
    let posts = (0..40).map(|number| {
        stack
            .client()
            .enqueue(json!({"query": format!("What is gather {number}?"), "mode": "speed"}))
    });
    let ids = futures_util::future::join_all(posts).await;
    let mut redis = stack.redis.connection().await;
    let mut shares: HashMap<String, usize> = HashMap::new();
    for id in &ids {
        let end = stack.client().wait_completed(id).await;
        assert_eq!(end["attempt"], 1);
        let worker: String = redis
            .hget(format!("{{search_job:{id}}}:ctl"), "worker")
            .await
            .unwrap();
        *shares.entry(worker).or_default() += 1;
    }
    assert_eq!(shares.len(), 2, "{shares:?}");
    assert!(shares.values().all(|share| *share >= 10), "{shares:?}");
    assert_eq!(web.calls(), 40, "each search ran once");
    assert!(
        web.most_open() <= 9,
        "{} at once with twice 4 slots",
        web.most_open()
    );
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_sync_caller_that_disconnects_ends_the_search() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .start()
        .await;
    let client = stack.client().clone();
    let caller = tokio::spawn(async move { client.post_search(question()).await });
    searxng.wait_for_calls(1).await;
    caller.abort();
    eventually(
        "the engine sees the connection close",
        TIMEOUT,
        async || (searxng.abandoned() == 1).then_some(()),
    )
    .await;
    let mut redis = stack.redis.connection().await;
    let keys: Vec<String> = redis.keys("search_job:*").await.unwrap();
    let id = keys[0].strip_prefix("search_job:").unwrap();
    let end = stack.client().wait_terminal(id).await;
    assert_eq!(
        (&end["status"], &end["cancelled"], &end["error_code"]),
        (&json!("failed"), &json!(true), &json!("cancelled"))
    );
    assert_eq!(end["error"], "cancelled by client");
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_sync_caller_that_disconnects_before_the_start_ends_the_search() {
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client().clone();
    let caller = tokio::spawn(async move { client.post_search(question()).await });
    let mut redis = stack.redis.connection().await;
    let id = eventually("it is accepted", TIMEOUT, async || {
        let keys: Vec<String> = redis.keys("search_job:*").await.unwrap();
        Some(keys.first()?.strip_prefix("search_job:")?.to_owned())
    })
    .await;
    caller.abort();
    assert_eq!(
        wait_for_status(&stack, &id, "failed", TIMEOUT).await["cancelled"],
        true
    );
    stack.add_worker();
    wait_until_idle(&stack).await;
}

fn keyed(client: &Client, key: &str, request: &Value) -> RequestBuilder {
    client
        .request(Method::POST, "/api/v1/search")
        .header("Idempotency-Key", key)
        .json(request)
}

fn id_of(answer: &HttpResponse) -> String {
    answer.expect(200)["session_id"]
        .as_str()
        .unwrap()
        .to_owned()
}

#[tokio::test]
async fn a_repeat_with_the_same_key_gets_the_state_of_the_first_search_and_no_second_run() {
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let client = stack.client().clone();
    let request = json!({"query": "What is gather?", "mode": "speed", "async_mode": true});
    let first = client.send(keyed(&client, "k-1", &request)).await;
    assert_eq!(first.header("idempotent-replayed"), None);
    let id = id_of(&first);
    let repeat = client.send(keyed(&client, "k-1", &request)).await;
    assert_eq!(repeat.header("idempotent-replayed"), Some("true"));
    assert_eq!(repeat.header("location"), first.header("location"));
    let (first, repeat) = (first.json(), repeat.json());
    assert_eq!(repeat["status"], "pending");
    for member in ["session_id", "query", "mode", "created_at"] {
        assert_eq!(first[member], repeat[member], "{member}");
    }

    stack.add_worker();
    let end = client.wait_completed(&id).await;
    let late = client.send(keyed(&client, "k-1", &request)).await;
    assert_eq!(late.header("idempotent-replayed"), Some("true"));
    assert_eq!(late.expect(200), end);
    assert_eq!(web.calls(), 1);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn the_same_key_with_another_body_is_409() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let request = json!({"query": "one", "async_mode": true});
    client
        .send(keyed(client, "k-2", &request))
        .await
        .expect(200);
    for other in [
        json!({"query": "two", "async_mode": true}),
        json!({"query": "one", "mode": "deep", "async_mode": true}),
    ] {
        let refused = client.send(keyed(client, "k-2", &other)).await.expect(409);
        assert_eq!(refused["error"], "idempotency_conflict");
        assert!(refused["message"].is_string());
    }
    let spelled = json!({"async_mode": "yes", "query": " one ", "mode": "balanced"});
    let same = client.send(keyed(client, "k-2", &spelled)).await;
    assert_eq!(
        same.header("idempotent-replayed"),
        Some("true"),
        "the same request in other words"
    );
}

#[tokio::test]
async fn twenty_posts_at_once_with_one_key_are_one_search() {
    let web = slow(Duration::from_millis(200));
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    for request in [
        json!({"query": "What is gather?", "mode": "speed", "async_mode": true}),
        question(),
    ] {
        let key = format!("k-{}", request["async_mode"]);
        let calls = web.calls();
        let answers = futures_util::future::join_all(
            (0..20).map(|_| client.send(keyed(client, &key, &request))),
        )
        .await;
        let ids: Vec<String> = answers.iter().map(id_of).collect();
        assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
        let fresh = answers
            .iter()
            .filter(|answer| answer.header("idempotent-replayed").is_none())
            .count();
        assert_eq!(fresh, 1, "answers that are no repeats");
        client.wait_completed(&ids[0]).await;
        assert_eq!(web.calls() - calls, 1);
    }
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_stopping_worker_finishes_its_searches_and_claims_no_more() {
    let web = slow(Duration::from_secs(1));
    let mut stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let running = stack.client().enqueue(question()).await;
    web.wait_for_calls(1).await;
    let worker = stack.workers[0].process();
    worker.term();
    eventually("it reports that it stops", TIMEOUT, async || {
        worker.output().contains("stopping").then_some(())
    })
    .await;
    let later = stack.client().enqueue(question()).await;
    assert_eq!(stack.workers[0].process().exit_code(TIMEOUT).await, 0);
    let end = stack.client().status(&running).await.expect(200);
    assert_eq!(
        (&end["status"], &end["attempt"]),
        (&json!("completed"), &json!(1))
    );
    assert_eq!(
        stack.client().status(&later).await.expect(200)["status"],
        "pending"
    );
    stack.workers.clear();
    stack.add_worker();
    stack.client().wait_completed(&later).await;
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_search_that_outlasts_the_drain_is_released_and_its_attempt_not_counted() {
    let (searxng, _) = searxng_hanging_first(1);
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .env("DRAIN_SECONDS", 1)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    assert_eq!(stack.workers[0].process().stop(TIMEOUT).await, 0);
    let back = stack.client().status(&id).await.expect(200);
    assert_eq!(
        (&back["status"], &back["attempt"]),
        (&json!("pending"), &json!(0))
    );
    stack.workers.clear();
    stack.add_worker();
    let end = stack.client().wait_completed(&id).await;
    assert_eq!(end["attempt"], 1, "the stop was no fault of the search");
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_stopping_api_exits_with_success() {
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    stack.client().enqueue(question()).await;
    assert_eq!(stack.api.process().stop(TIMEOUT).await, 0);
}
