//! Retries: which failures are retried, how often, and within which time limit.

use privachat_tests::{
    Stack, Upstream,
    fixtures::{gather_results, question, searxng_hanging_first, wait_for_status, wait_until_idle},
    upstream::{Reply, searxng},
};
use serde_json::json;
use std::time::{Duration, Instant};

const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    privachat_tests::fixtures::stack(privachat_tests::binaries!(), searxng, workers).await
}

#[tokio::test]
async fn a_transient_failure_is_retried_and_a_permanent_one_is_not() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(
            request.parameter("q").unwrap_or_default(),
            &gather_results(),
        );
        Reply::json(200, body.to_string())
    });
    // A single engine is called three times in one attempt.
    for _ in 0..3 {
        searxng.next(Reply::new(502, "text/plain", "bad gateway"));
    }
    let stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    let end = wait_for_status(&stack, &id, "completed", Duration::from_secs(20)).await;
    assert_eq!(end["attempt"], 2);

    searxng.next(searxng::json_disabled());
    let id = stack
        .client()
        .enqueue(json!({"query": "What is it?", "mode": "speed"}))
        .await;
    let end = wait_for_status(&stack, &id, "failed", Duration::from_secs(10)).await;
    assert_eq!(
        (end["attempt"].clone(), end["error_code"].clone()),
        (json!(1), json!("upstream_unavailable"))
    );
    assert!(
        end["error_hint"].as_str().unwrap().contains("json"),
        "{end}"
    );
    wait_until_idle(&stack).await;
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
    let end = wait_for_status(&stack, &id, "failed", Duration::from_secs(20)).await;
    assert_eq!(
        (end["attempt"].clone(), end["error_code"].clone()),
        (json!(2), json!("upstream_unavailable"))
    );
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_search_fails_at_once_when_retry_after_exceeds_its_time_limit() {
    let limited = Reply::new(429, "text/plain", "too many requests").header("Retry-After", 3600);
    let searxng = Upstream::always(limited);
    let stack = Stack::builder(privachat_tests::binaries!())
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let end = wait_for_status(&stack, &id, "failed", SHORT_TIMEOUT).await;
    assert_eq!((&end["attempt"], searxng.calls()), (&json!(1), 1));
    let hint = end["error_hint"].as_str().unwrap();
    assert!(hint.starts_with("Try again in 3600 s"), "{end}");
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn attempts_share_the_running_time_of_the_search() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let stack = stack(&searxng, 1).await;
    let start = Instant::now();
    let search = json!({"query": "What is gather?", "mode": "speed", "timeout": 10});
    let id = stack.client().enqueue(search).await;
    let end = wait_for_status(
        &stack,
        &id,
        "failed",
        Duration::from_secs(10) + SHORT_TIMEOUT,
    )
    .await;
    println!(
        "every attempt failed after {:?} of 10 s: {}",
        start.elapsed(),
        end["error_code"]
    );
    wait_until_idle(&stack).await;
}
