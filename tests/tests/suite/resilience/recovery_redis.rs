//! Rows of the crash table: Redis dies, loses its data, closes connections, is full. Beyond the
//! table: a healthy worker keeps its searches through all of that.

use privachat_tests::fixtures::{LEASE, question, wait_for_status, wait_for_workers};
use privachat_tests::recovery::{self, Row, found_after};
use privachat_tests::{RedisServer, Stack, binaries, eventually, redis_info};
use redis::AsyncCommands;
use serde_json::json;
use std::time::Duration;

async fn assert_recovers(row: &Row) {
    row.assert_recovers(binaries!()).await;
}

/// Adds a worker and waits for its heartbeat.
async fn add_second_worker(stack: &mut Stack) {
    stack.add_worker();
    wait_for_workers(stack, 2).await;
}

/// Waits until Redis no longer counts as just started for leases of this length.
async fn wait_until_uptime_counts(redis: &RedisServer) {
    let mut redis = redis.connection().await;
    eventually("Redis is old enough", Duration::from_secs(30), async || {
        let uptime = redis_info::value(&mut redis, "server", "uptime_in_seconds").await;
        let seconds: u64 = uptime.unwrap().parse().unwrap();
        (seconds > LEASE + 11).then_some(())
    })
    .await;
}

/// Waits until a sweeper has handled this search, with whatever result.
async fn wait_until_swept(redis: &RedisServer, id: &str) {
    let mut redis = redis.connection().await;
    let (seconds, _): (f64, f64) = redis::cmd("TIME").query_async(&mut redis).await.unwrap();
    eventually(
        "a sweeper handles it",
        Duration::from_secs(10),
        async || {
            let due: Option<f64> = redis.zscore("{search}:live", id).await.unwrap();
            (due? > (seconds + 1.0) * 1000.0).then_some(())
        },
    )
    .await;
}

#[tokio::test]
async fn after_a_restart_of_redis_the_searches_of_a_dead_worker_are_taken_over() {
    assert_recovers(&recovery::redis::RESTARTED).await;
}

#[tokio::test]
async fn killed_connections_are_replaced_at_once() {
    assert_recovers(&recovery::redis::CLIENTS_KILLED).await;
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again_at_once() {
    assert_recovers(&recovery::redis::SCRIPTS_FLUSHED).await;
}

#[tokio::test]
async fn a_full_redis_refuses_new_searches_and_gets_the_outcomes_later() {
    assert_recovers(&recovery::redis::FULL).await;
}

#[tokio::test]
async fn after_a_restart_of_redis_running_searches_are_not_started_twice() {
    // Longer than a lease and the outage together.
    let searxng = found_after(Duration::from_secs(LEASE + 5));
    let redis = RedisServer::with_aof().await;
    let mut stack = Stack::builder(binaries!())
        .on_redis(redis)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("JOB_LEASE_SECONDS", LEASE)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    add_second_worker(&mut stack).await;
    // A killed Redis has written everything that it has answered; only a power cut loses the last
    // second.
    stack.redis.kill();
    // The other worker resumes first and finds an expired lease.
    stack.workers[0].process().pause();
    // Lets every lease expire during the outage.
    tokio::time::sleep(Duration::from_secs(LEASE + 1)).await;
    stack.redis.restart().await;
    wait_until_swept(&stack.redis, &id).await;
    stack.workers[0].process().resume();
    let end = wait_for_status(&stack, &id, "completed", Duration::from_secs(30)).await;
    assert_eq!(end["attempt"], 1, "{end}");
    assert_eq!(searxng.calls(), 1);
}

#[tokio::test]
async fn after_an_outage_of_redis_old_sweepers_leave_running_searches_alone() {
    let searxng = found_after(Duration::from_secs(LEASE + 5));
    let mut stack = privachat_tests::fixtures::stack(binaries!(), &searxng, 2).await;
    wait_until_uptime_counts(&stack.redis).await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    stack.redis.pause();
    // Lets every lease expire during the outage.
    tokio::time::sleep(Duration::from_secs(LEASE + 2)).await;
    stack.redis.resume();
    let end = wait_for_status(&stack, &id, "completed", Duration::from_secs(30)).await;
    assert_eq!(
        (end["attempt"].clone(), searxng.calls()),
        (json!(1), 1),
        "{end}"
    );
}

#[tokio::test]
async fn an_outage_too_short_for_an_error_costs_no_running_search_either() {
    let searxng = found_after(Duration::from_secs(LEASE + 9));
    let mut stack = privachat_tests::fixtures::stack(binaries!(), &searxng, 1).await;
    wait_until_uptime_counts(&stack.redis).await;
    let id = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    add_second_worker(&mut stack).await;
    // The other worker resumes first and finds an expired lease.
    stack.workers[0].process().pause();
    stack.redis.pause();
    // The outage is longer than a lease and shorter than the 4 s that a reply may take.
    tokio::time::sleep(Duration::from_millis(LEASE * 1000 + 500)).await;
    stack.redis.resume();
    wait_until_swept(&stack.redis, &id).await;
    stack.workers[0].process().resume();
    let end = wait_for_status(&stack, &id, "completed", Duration::from_secs(30)).await;
    assert_eq!(
        (end["attempt"].clone(), searxng.calls()),
        (json!(1), 1),
        "{end}"
    );
}
