//! How soon a cancelled search leaves its upstreams alone.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    scene::{hanging_first, is_quiet},
};
use redis::AsyncCommands;
use serde_json::json;
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

const SEARCHES: usize = 100;

async fn running(searxng: &Upstream, searches: usize) -> (Stack, Vec<String>) {
    let stack = Stack::builder(binaries!())
        .workers(2)
        .searching(searxng)
        .env("WORKER_SLOTS", SEARCHES)
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

/// From each moment to the one when the engine saw the search of that number hang up.
async fn until_abandoned(searxng: &Upstream, since: &[Instant], within: Duration) -> Vec<Duration> {
    eventually("all connections are closed", within, async || {
        (searxng.abandoned() == since.len()).then_some(())
    })
    .await;
    let closed: HashMap<String, Instant> = searxng
        .abandonments()
        .into_iter()
        .map(|(request, at)| (request.parameter("q").unwrap().to_owned(), at))
        .collect();
    let mut took: Vec<Duration> = since
        .iter()
        .enumerate()
        .map(|(number, since)| closed[&format!("q{number}")].duration_since(*since))
        .collect();
    took.sort();
    took
}

#[tokio::test]
async fn a_cancelled_search_hangs_up_on_its_upstreams_within_a_quarter_of_a_second() {
    let (searxng, _) = hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng, SEARCHES).await;
    let mut asked = Vec::new();
    for id in &ids {
        asked.push(Instant::now());
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200);
    }
    let took = until_abandoned(&searxng, &asked, Duration::from_secs(10)).await;
    let (median, p99) = (took[SEARCHES / 2], took[SEARCHES * 99 / 100 - 1]);
    println!("cancel → upstream left alone: median {median:?}, p99 {p99:?} of {SEARCHES}");
    assert!(p99 <= Duration::from_millis(250), "{took:?}");
    is_quiet(&stack).await;
    assert_eq!(
        searxng.calls(),
        SEARCHES,
        "nothing was asked after a cancel"
    );
}

#[tokio::test]
async fn a_cancel_whose_message_is_lost_is_noticed_within_six_seconds() {
    let (searxng, _) = hanging_first(usize::MAX);
    let (stack, ids) = running(&searxng, 20).await;
    let mut redis = stack.redis.connection().await;
    let mut asked = Vec::new();
    for id in &ids {
        asked.push(Instant::now());
        // The flag alone: what is left of a cancel whose message nobody heard.
        let control = format!("{{search_job:{id}}}:ctl");
        let () = redis.hset(control, "cancel", "lost").await.unwrap();
    }
    let took = until_abandoned(&searxng, &asked, Duration::from_secs(10)).await;
    let longest = took[took.len() - 1];
    println!(
        "cancel without its message: longest {longest:?} of {}",
        took.len()
    );
    assert!(longest <= Duration::from_secs(6), "{took:?}");
    is_quiet(&stack).await;
    assert_eq!(
        searxng.calls(),
        ids.len(),
        "nothing was asked after a cancel"
    );
}
