//! Slow searches neither delay quick ones nor starve.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    fixtures::gather_results,
    upstream::{Reply, searxng},
};
use redis::{
    AsyncCommands,
    aio::MultiplexedConnection,
    streams::{StreamId, StreamRangeReply},
};
use serde_json::json;
use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

const WORKERS: usize = 4;
/// Slots of each worker that deep searches may have.
const DEEP_SLOTS: usize = 4;
/// Many rounds of deep searches: half a minute at least.
const DEEP: usize = 200;
const SPEED: usize = 100;
const DEEP_TAKES: Duration = Duration::from_millis(2500);
const SPEED_TAKES: Duration = Duration::from_millis(250);

/// How long each of the many searches may take to start, however busy the machine is.
const TIMEOUT: Duration = Duration::from_secs(240);

/// Answers deep searches slowly and quick ones quickly. Counts the most deep searches in progress
/// at the same time.
fn engine() -> (Upstream, Arc<AtomicUsize>) {
    let (now, most) = (AtomicUsize::new(0), Arc::new(AtomicUsize::new(0)));
    let seen = Arc::clone(&most);
    let upstream = Upstream::start(move |request| {
        let question = request.parameter("q").unwrap_or_default();
        let reply = Reply::json(200, searxng::body(question, &gather_results()).to_string());
        if question != "deep" {
            return reply.late(SPEED_TAKES);
        }
        let running = now.fetch_add(1, Ordering::SeqCst) + 1;
        seen.fetch_max(running, Ordering::SeqCst);
        // Each request has its own thread.
        std::thread::sleep(DEEP_TAKES);
        now.fetch_sub(1, Ordering::SeqCst);
        reply
    });
    (upstream, most)
}

/// Posts this many searches at once; returns their ids.
async fn post(stack: &Stack, mode: &str, count: usize) -> Vec<String> {
    let posts = (0..count).map(|_| {
        let search = json!({"query": mode, "mode": mode, "cache": false});
        stack.client().enqueue(search)
    });
    join_all(posts).await
}

/// Waits until all have been started.
async fn wait_until_started(redis: &mut MultiplexedConnection, ids: &[String]) {
    for id in ids {
        eventually("it has started", TIMEOUT, async || {
            is_started(redis, id).await.then_some(())
        })
        .await;
    }
}

async fn is_started(redis: &mut MultiplexedConnection, id: &str) -> bool {
    let events: StreamRangeReply = redis
        .xrange_all(format!("{{search_job:{id}}}:ev"))
        .await
        .unwrap();
    let is_start = |event: &StreamId| {
        let kind: Option<String> = event.get("type");
        kind.as_deref() == Some("started")
    };
    events.ids.iter().any(is_start)
}

#[tokio::test]
async fn quick_searches_start_before_two_hundred_waiting_deep_ones() {
    let (searxng, most) = engine();
    let stack = Stack::builder(binaries!())
        .workers(WORKERS)
        .with_searxng(&searxng)
        .env("WORKER_SLOTS", 16)
        .env("WORKER_SLOTS_DEEP", DEEP_SLOTS)
        .start()
        .await;
    let mut redis = stack.redis.connection().await;
    let deep = post(&stack, "deep", DEEP).await;
    let slots = WORKERS * DEEP_SLOTS;
    eventually(
        "deep searches have all slots that they may",
        TIMEOUT,
        async || (most.load(Ordering::SeqCst) == slots).then_some(()),
    )
    .await;
    let speed = post(&stack, "speed", SPEED).await;
    wait_until_started(&mut redis, &speed).await;
    let waiting: usize = redis.llen("{search}:queue:deep").await.unwrap();
    assert!(waiting > 0, "no deep search waits any more");
    // Deep searches do not starve either, and never took more than their slots.
    wait_until_started(&mut redis, &deep).await;
    assert_eq!(most.load(Ordering::SeqCst), slots);
}
