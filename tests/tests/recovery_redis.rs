//! Rows of the crash table: Redis dies, forgets, hangs up, is full. And what is no row: a healthy
//! worker keeps its searches through all of that.

use privachat_tests::recovery::{self, Row};
use privachat_tests::scene::{LEASE, found, question, reaches};
use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, Upstream, binaries, eventually};
use serde_json::json;
use std::time::Duration;

async fn holds(row: &Row) {
    row.holds(binaries!()).await;
}

#[tokio::test]
async fn after_a_restart_of_redis_the_searches_of_a_dead_worker_are_taken_over() {
    holds(&recovery::redis::RESTARTED).await;
}

#[tokio::test]
async fn killed_connections_are_replaced_at_once() {
    holds(&recovery::redis::CLIENTS_KILLED).await;
}

#[tokio::test]
async fn flushed_scripts_are_loaded_again_at_once() {
    holds(&recovery::redis::SCRIPTS_FLUSHED).await;
}

#[tokio::test]
async fn a_full_redis_refuses_new_searches_and_gets_the_outcomes_later() {
    holds(&recovery::redis::FULL).await;
}

#[tokio::test]
async fn after_a_restart_of_redis_running_searches_are_not_started_twice() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        // Longer than a lease and the outage together.
        Reply::json(200, body.to_string()).late(Duration::from_secs(LEASE + 5))
    });
    let redis = privachat_tests::RedisServer::with_aof().await;
    let mut stack = Stack::builder(binaries!())
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
async fn after_an_outage_of_redis_its_old_sweepers_spare_running_searches_too() {
    let searxng = Upstream::start(|request| {
        let body = searxng::body(request.parameter("q").unwrap_or_default(), &found());
        Reply::json(200, body.to_string()).late(Duration::from_secs(LEASE + 5))
    });
    let mut stack = privachat_tests::scene::stack(binaries!(), &searxng, 2).await;
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
