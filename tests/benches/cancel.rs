//! How soon a cancelled search stops its upstream calls: by the message, and by the heartbeat when
//! the message is lost. `cargo bench -p privachat-tests --bench cancel`

use futures_util::future::join_all;
use privachat_tests::fixtures::searxng_hanging_first;
use privachat_tests::{Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use serde_json::json;
use std::collections::HashMap;
use std::time::{Duration, Instant};

const SEARCHES: usize = 100;

#[tokio::main]
async fn main() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng).await;
    let mut asked = Vec::new();
    for id in &ids {
        asked.push(Instant::now());
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200);
    }
    show("by its message", until_abandoned(&searxng, &asked).await);
    drop(stack);

    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng).await;
    let mut redis = stack.redis.connection().await;
    let mut asked = Vec::new();
    for id in &ids {
        asked.push(Instant::now());
        let control = format!("{{search_job:{id}}}:ctl");
        let () = redis.hset(control, "cancel", "lost").await.expect("a flag");
    }
    show("by a heartbeat", until_abandoned(&searxng, &asked).await);
}

async fn running(searxng: &Upstream) -> (Stack, Vec<String>) {
    let stack = Stack::builder(binaries!())
        .workers(2)
        .with_searxng(searxng)
        .env("WORKER_SLOTS", SEARCHES)
        .start()
        .await;
    let posts = (0..SEARCHES).map(|number| {
        let search = json!({"query": format!("q{number}"), "mode": "speed"});
        stack.client().enqueue(search)
    });
    let ids = join_all(posts).await;
    searxng.wait_for_calls(SEARCHES).await;
    (stack, ids)
}

/// From each moment until the engine saw the search of that number hang up.
async fn until_abandoned(searxng: &Upstream, since: &[Instant]) -> Vec<Duration> {
    let within = Duration::from_secs(60);
    eventually("all connections are closed", within, async || {
        (searxng.abandoned() == since.len()).then_some(())
    })
    .await;
    let closed: HashMap<String, Instant> = searxng
        .abandonments()
        .into_iter()
        .map(|(request, at)| (request.parameter("q").unwrap_or_default().to_owned(), at))
        .collect();
    let took = since.iter().enumerate();
    let took = took.map(|(number, since)| closed[&format!("q{number}")].duration_since(*since));
    let mut took: Vec<Duration> = took.collect();
    took.sort();
    took
}

fn show(how: &str, took: Vec<Duration>) {
    println!(
        "cancel {how}, until the engine is left alone: median {:.1?}, p99 {:.1?} of {}",
        took[took.len() / 2],
        took[took.len() * 99 / 100 - 1],
        took.len()
    );
}
