//! The clients of a soak: they wait, poll, listen, cancel.

use futures_util::future::join_all;
use privachat_tests::Client;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

/// The number of questions: the harness searches each log for each question at the end, so a
/// million would not end.
const QUESTIONS: u64 = 1000;

#[derive(Debug, Default)]
pub(super) struct Counts {
    pub(super) good: AtomicU64,
    pub(super) bad: AtomicU64,
}

fn request(number: u64) -> Value {
    let query = format!("What is Python, asked in wording {}?", number % QUESTIONS);
    json!({"query": query, "mode": "speed", "cache": false})
}

/// The highest rate of searches per second for this many clients that wait, each for one search
/// after the other.
pub(super) async fn most(client: &Client, clients: u64, span: Duration) -> f64 {
    let began = Instant::now();
    let clients = (0..clients).map(async |first| {
        let mut done = 0;
        while began.elapsed() < span {
            let answer = client.post_search(request(first + clients * done)).await;
            assert_eq!(answer.status, 200, "{}", answer.text);
            done += 1;
        }
        done
    });
    let done: u64 = join_all(clients).await.iter().sum();
    done as f64 / began.elapsed().as_secs_f64()
}

/// This many searches per second, until it is aborted.
pub(super) async fn hold(client: Client, rate: f64, counts: Arc<Counts>) {
    let mut beat = interval(Duration::from_secs_f64(1.0 / rate.max(0.1)));
    beat.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut running = JoinSet::new();
    for number in 0.. {
        beat.tick().await;
        let client = client.clone();
        running.spawn(async move { visit(&client, number).await });
        while let Some(ended) = running.try_join_next() {
            let count = match ended {
                Ok(true) => &counts.good,
                _ => &counts.bad,
            };
            count.fetch_add(1, Ordering::Relaxed);
        }
    }
}

/// One client with one search; returns whether it went well.
async fn visit(client: &Client, number: u64) -> bool {
    match number % 10 {
        // Waits.
        0..=2 => client.post_search(request(number)).await.status == 200,
        // Listens.
        3 => {
            let id = client.enqueue(request(number)).await;
            let told = client.events(&id, "").await.rest().await;
            told.last().is_some_and(|last| last.kind == "completed")
        }
        // Cancels, which may come too late.
        4 => {
            let id = client.enqueue(request(number)).await;
            let path = format!("/api/v1/search/{id}");
            matches!(client.delete(&path).await.status, 200..300 | 409)
        }
        // Polls with a wait.
        _ => {
            let id = client.enqueue(request(number)).await;
            let poll = format!("/api/v1/search/status/{id}");
            let mut now = client.get(&poll).await;
            for _ in 0..5 {
                if now.status != 200 || now.json()["status"] == "completed" {
                    break;
                }
                now = client.get(&format!("{poll}?wait=10")).await;
            }
            now.status == 200 && now.json()["status"] == "completed"
        }
    }
}
