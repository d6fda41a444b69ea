//! Slow searches do not take the quick ones' turn, and are not starved either.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    scene::found,
    upstream::{Reply, searxng},
};
use redis::{AsyncCommands, aio::MultiplexedConnection, streams::StreamRangeReply};
use serde_json::json;
use std::time::Duration;

const WORKERS: usize = 4;
const DEEP: usize = 50;
const SPEED: usize = 500;
/// Searches of speed mode a second: less than the slots that deep ones may not take can do (192), more
/// than what would be left if deep ones could take any (56).
const PER_SECOND: u32 = 80;
const DEEP_TAKES: Duration = Duration::from_millis(2500);
const SPEED_TAKES: Duration = Duration::from_millis(250);

/// Deep searches ask slowly, quick ones quickly.
fn engine() -> Upstream {
    Upstream::start(|request| {
        let question = request.parameter("q").unwrap_or_default();
        let takes = if question.contains("deep") {
            DEEP_TAKES
        } else {
            SPEED_TAKES
        };
        Reply::json(200, searxng::body(question, &found()).to_string()).late(takes)
    })
}

async fn post_speed(stack: &Stack) -> Vec<String> {
    let mut tick = tokio::time::interval(Duration::from_secs(1) / PER_SECOND);
    let mut posts = Vec::with_capacity(SPEED);
    for _ in 0..SPEED {
        tick.tick().await;
        let client = stack.client().clone();
        posts.push(tokio::spawn(async move {
            client
                .enqueue(json!({"query": "speed", "mode": "speed", "cache": false}))
                .await
        }));
    }
    join_all(posts)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect()
}

/// From the acceptance of each search to its start, shortest first.
async fn waits(redis: &mut MultiplexedConnection, ids: &[String]) -> Vec<Duration> {
    let mut waits = Vec::with_capacity(ids.len());
    for id in ids {
        waits.push(
            eventually("it has started", Duration::from_secs(120), async || {
                wait(redis, id).await
            })
            .await,
        );
    }
    waits.sort();
    waits
}

async fn wait(redis: &mut MultiplexedConnection, id: &str) -> Option<Duration> {
    let events: StreamRangeReply = redis
        .xrange_all(format!("{{search_job:{id}}}:ev"))
        .await
        .unwrap();
    let at = |kind: &str| {
        let of_kind = |event: &&redis::streams::StreamId| {
            event.get::<String>("type").is_some_and(|is| is == kind)
        };
        let event = events.ids.iter().find(of_kind)?;
        let (ms, _) = event.id.split_once('-')?;
        ms.parse::<u64>().ok()
    };
    let created: u64 = redis
        .hget(format!("{{search_job:{id}}}:ctl"), "created")
        .await
        .unwrap();
    Some(Duration::from_millis(at("started")? - created))
}

fn p95(sorted: &[Duration]) -> Duration {
    sorted[sorted.len() * 95 / 100]
}

#[tokio::test]
async fn quick_searches_wait_no_longer_because_fifty_deep_ones_are_queued() {
    let searxng = engine();
    let stack = Stack::builder(binaries!())
        .workers(WORKERS)
        .searching(&searxng)
        .env("WORKER_SLOTS", 16)
        .start()
        .await;
    let mut redis = stack.redis.connection().await;
    let alone = waits(&mut redis, &post_speed(&stack).await).await;

    let deep = join_all((0..DEEP).map(|_| {
        stack
            .client()
            .enqueue(json!({"query": "deep", "mode": "deep", "cache": false}))
    }))
    .await;
    let beside = waits(&mut redis, &post_speed(&stack).await).await;
    let deep = waits(&mut redis, &deep).await;

    let (alone, beside) = (p95(&alone), p95(&beside));
    let longest = deep[deep.len() - 1];
    println!("speed waits, p95: {alone:?} alone, {beside:?} beside {DEEP} deep searches");
    println!("deep waits: p95 {:?}, longest {longest:?}", p95(&deep));
    // Idle workers start a search within a millisecond or two; a busy machine may add some. If deep
    // searches could take any slot it would be seconds.
    assert!(beside <= alone.mul_f64(1.2) + Duration::from_millis(50));
    // 4 workers with 4 slots for deep searches: 50 are done in four rounds; each asks at least once.
    assert!(longest < Duration::from_secs(60), "deep searches starve");
}
