//! How soon a cancelled search leaves its upstreams alone.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    scene::{hanging_first, is_quiet},
};
use redis::AsyncCommands;
use serde_json::json;
use std::time::Duration;

const SEARCHES: usize = 100;

/// Leases in seconds: the longest, whose next heartbeat is more than a minute away, and the shortest.
const LONG: u64 = 300;
const SHORT: u64 = 3;
/// Before the next heartbeat of a long lease, and far more than a message takes.
const BEFORE_THE_BEAT: Duration = Duration::from_secs(60);

async fn running(searxng: &Upstream, searches: usize, lease: u64) -> (Stack, Vec<String>) {
    let stack = Stack::builder(binaries!())
        .workers(2)
        .searching(searxng)
        .env("WORKER_SLOTS", SEARCHES)
        .env("JOB_LEASE_SECONDS", lease)
        .start()
        .await;
    let posts = (0..searches).map(|number| {
        let search = json!({"query": format!("q{number}"), "mode": "speed"});
        stack.client().enqueue(search)
    });
    let ids = join_all(posts).await;
    searxng.asked(searches).await;
    (stack, ids)
}

async fn are_abandoned(searxng: &Upstream, searches: usize, within: Duration) {
    eventually("all connections are closed", within, async || {
        (searxng.abandoned() == searches).then_some(())
    })
    .await;
}

/// How long that takes is measured by the bench `cancel`.
#[tokio::test]
async fn a_cancelled_search_hangs_up_on_its_upstreams_without_waiting_for_a_heartbeat() {
    let (searxng, _) = hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng, SEARCHES, LONG).await;
    for id in &ids {
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200);
    }
    are_abandoned(&searxng, SEARCHES, BEFORE_THE_BEAT).await;
    is_quiet(&stack).await;
    assert_eq!(
        searxng.calls(),
        SEARCHES,
        "nothing was asked after a cancel"
    );
}

#[tokio::test]
async fn a_cancel_whose_message_is_lost_is_noticed_with_the_next_heartbeat() {
    let (searxng, _) = hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng, 20, SHORT).await;
    let mut redis = stack.redis.connection().await;
    for id in &ids {
        // The flag alone: what is left of a cancel whose message nobody heard.
        let control = format!("{{search_job:{id}}}:ctl");
        let () = redis.hset(control, "cancel", "lost").await.unwrap();
    }
    are_abandoned(&searxng, ids.len(), BEFORE_THE_BEAT).await;
    is_quiet(&stack).await;
    assert_eq!(
        searxng.calls(),
        ids.len(),
        "nothing was asked after a cancel"
    );
}
