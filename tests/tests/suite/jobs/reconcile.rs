//! Damage that sweepers repair although no crash of the service causes it: keys that were deleted
//! by hand or lost with one of several nodes. And what they leave unchanged.

use privachat_tests::{
    Stack, Upstream, eventually,
    fixtures::{question, searxng_hanging_first, wait_for_status, wait_until_idle},
    redis_info,
};
use redis::AsyncCommands;
use serde_json::json;
use std::time::Duration;

/// The scan reads a page per second; these tests have one page.
const TIMEOUT: Duration = Duration::from_secs(10);

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    privachat_tests::fixtures::stack(privachat_tests::binaries!(), searxng, workers).await
}

#[tokio::test]
async fn a_search_in_no_index_is_adopted_and_completed() {
    let (searxng, _) = searxng_hanging_first(0);
    let mut stack = stack(&searxng, 0).await;
    let id = stack.client().enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    // What a failover of the node with the queues can lose at most.
    let keys: Vec<String> = redis.keys("{search}:*").await.unwrap();
    let () = redis.del(keys).await.unwrap();
    stack.add_worker();
    let end = wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    assert_eq!(end["attempt"], 1);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_running_search_in_no_index_is_taken_over_when_its_worker_is_lost() {
    let (searxng, _) = searxng_hanging_first(1);
    let mut stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    stack.workers[0].process().kill();
    let mut redis = stack.redis.connection().await;
    let keys: Vec<String> = redis.keys("{search}:*").await.unwrap();
    let () = redis.del(keys).await.unwrap();
    stack.add_worker();
    let end = wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    assert_eq!(end["attempt"], 2);
}

#[tokio::test]
async fn ended_searches_are_not_stored_repeatedly() {
    let (searxng, _) = searxng_hanging_first(0);
    let stack = stack(&searxng, 1).await;
    let ended = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &ended, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
    let mut redis = stack.redis.connection().await;
    let before = redis_info::calls(&mut redis, "zadd").await;
    let scans = redis_info::calls(&mut redis, "scan").await;
    eventually("the records were walked through", TIMEOUT, async || {
        (redis_info::calls(&mut redis, "scan").await >= scans + 3).then_some(())
    })
    .await;
    // The worker's heartbeat is one ZADD every two seconds; nothing else may write.
    assert!(redis_info::calls(&mut redis, "zadd").await - before <= 3);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn cancelled_searches_do_not_fill_the_queue() {
    let (searxng, _) = searxng_hanging_first(0);
    let stack = Stack::builder(privachat_tests::binaries!())
        .workers(0)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("MAX_QUEUE_LENGTH", 2)
        .start()
        .await;
    for _ in 0..5 {
        let id = stack.client().enqueue(question()).await;
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200);
    }
    let queue = stack.client().get("/api/v1/queue").await.expect(200);
    assert_eq!(queue["modes"][0]["depth"], 0, "{queue}");
    assert_eq!(queue["modes"][0]["oldest_age_seconds"], json!(null));
}
