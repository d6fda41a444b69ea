//! Common starting points of job tests: a SearXNG that hangs or returns results, a quick search.

use crate::stack::RedisBackend;
use crate::upstream::{Reply, Request, searxng};
use crate::{Binaries, Stack, Upstream, eventually};
use bytes::Bytes;
use privachat_core::jobs::NewJob;
use privachat_core::mode::Mode;
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use redis::streams::{StreamId, StreamRangeReply};
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use uuid::Uuid;

/// Seconds, instead of the 15 of a deployment.
pub const LEASE: u64 = 3;

/// The results of the search engine.
pub fn gather_results() -> Vec<searxng::Result> {
    vec![searxng::Result::new(
        "Gather",
        "http://docs.example/gather",
        "Gather is a function that runs awaitable objects concurrently.",
    )]
}

/// A SearXNG that hangs for the first calls and then returns results.
pub fn searxng_hanging_first(times: usize) -> (Upstream, Arc<AtomicUsize>) {
    let calls = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&calls);
    let double = Upstream::start(move |request: &Request| {
        if counter.fetch_add(1, Ordering::SeqCst) < times {
            return Reply::hang();
        }
        let body = searxng::body(
            request.parameter("q").unwrap_or_default(),
            &gather_results(),
        );
        Reply::json(200, body.to_string())
    });
    (double, calls)
}

/// A stack with short leases whose only engine is this SearXNG.
pub async fn stack(binaries: Binaries, searxng: &Upstream, workers: usize) -> Stack {
    Stack::builder(binaries)
        .workers(workers)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", "off")
        .env("JOB_LEASE_SECONDS", LEASE)
        .start()
        .await
}

/// A job for the engine's functions, with ten minutes for everything.
pub fn job(id: Uuid) -> NewJob {
    const TEN_MINUTES: Duration = Duration::from_secs(600);
    NewJob {
        id,
        mode: Mode::Speed,
        request: Bytes::from_static(b"{}"),
        request_hash: "digest".to_owned(),
        public_fields: format!(r#""session_id":"{id}""#),
        ttl: TEN_MINUTES,
        run_timeout: TEN_MINUTES,
        queue_timeout: TEN_MINUTES,
        callback: None,
        owner: None,
    }
}

/// A search that takes a moment and is never answered from the cache.
pub fn question() -> Value {
    json!({"query": "What is gather?", "mode": "speed", "cache": false})
}

/// Polls until the search has this status.
pub async fn wait_for_status<R>(
    stack: &Stack<R>,
    id: &str,
    status: &str,
    within: Duration,
) -> Value {
    let what = format!("the search is {status}");
    eventually(&what, within, async || {
        let now = stack.client().status(id).await.expect(200);
        (now["status"] == status).then_some(now)
    })
    .await
}

/// Waits until this many workers have sent heartbeats.
pub async fn wait_for_workers(stack: &Stack, workers: usize) {
    eventually(
        "the workers are there",
        Duration::from_secs(10),
        async || {
            let queue = stack.client().get("/api/v1/queue").await.expect(200);
            (queue["workers"].as_array()?.len() == workers).then_some(())
        },
    )
    .await;
}

/// A lost reply delays a session's way into the history by 10 s, and the sweep for leftovers runs
/// every 5 s.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Waits until no job is queued, leased or waiting for the history.
pub async fn wait_until_idle<R: RedisBackend>(stack: &Stack<R>) {
    let mut servers = stack.redis.connections().await;
    eventually(
        "all lists and indexes are empty",
        IDLE_TIMEOUT,
        async || {
            let mut keys: Vec<String> = Vec::new();
            for server in &mut servers {
                let found: Vec<String> = server.keys("{search}:*").await.unwrap();
                keys.extend(found);
            }
            let left = keys
                .iter()
                .filter(|key| !key.starts_with("{search}:workers"))
                // Groups of jointly lost searches are remembered for an hour.
                .filter(|key| !key.starts_with("{search}:lost:"))
                .filter(|key| *key != "{search}:failures");
            left.eq(["{search}:seq"]).then_some(())
        },
    )
    .await;
}

/// The number of `completed` events of a search.
pub async fn count_completions(redis: &mut MultiplexedConnection, id: &str) -> usize {
    let events: StreamRangeReply = redis
        .xrange_all(format!("{{search_job:{id}}}:ev"))
        .await
        .expect("the events of a search");
    let completed = redis::Value::BulkString(b"completed".to_vec());
    let says_so = |event: &&StreamId| event.map.values().any(|value| *value == completed);
    events.ids.iter().filter(says_so).count()
}
