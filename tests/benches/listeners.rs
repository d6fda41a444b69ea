//! The cost of a listener, and the delay of an event from the worker's side to the client. `cargo
//! bench -p privachat-tests --bench listeners`; LISTENERS sets how many (10000).

use privachat_tests::event_listeners::{
    append_text_events, raise_limit, request_events, resident_kib, wait_for_first_event,
};
use privachat_tests::fixtures::question;
use privachat_tests::{Stack, binaries};
use std::time::{Duration, Instant};
use tokio::time::interval;

const EVENTS: usize = 1000;
const PAUSE: Duration = Duration::from_millis(10);

#[tokio::main]
async fn main() {
    raise_limit();
    let listeners =
        std::env::var("LISTENERS").map_or(10_000, |text| text.parse().expect("a number"));
    for (name, socket) in [("SSE", false), ("WebSocket", true)] {
        let each = memory(listeners, socket).await;
        println!("{listeners} idle listeners, {name}: {each:.1} KiB each");
    }
    let mut took = latencies().await;
    took.sort_unstable();
    let at = |share: usize| took[(took.len() * share / 100).min(took.len() - 1)];
    println!(
        "event to client at 100 a second: p50 {:?}, p99 {:?}",
        at(50),
        at(99)
    );
}

async fn memory(listeners: usize, socket: bool) -> f64 {
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    let process = stack.api.process().id();
    let id = stack.client().enqueue(question()).await;
    wait_for_first_event(&mut request_events(stack.client(), &id, socket).await).await;
    let before = resident_kib(process);
    let mut held = Vec::with_capacity(listeners);
    for _ in 0..listeners {
        let mut stream = request_events(stack.client(), &id, socket).await;
        wait_for_first_event(&mut stream).await;
        held.push(stream);
    }
    (resident_kib(process) - before) as f64 / listeners as f64
}

/// From before the write of the event until the client has it.
async fn latencies() -> Vec<Duration> {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack.client().enqueue(question()).await;
    let mut stream = stack.client().events(&id, "").await;
    stream.next().await.expect("queued");
    let began = Instant::now();
    let telling = async {
        let mut beat = interval(PAUSE);
        for _ in 0..EVENTS {
            beat.tick().await;
            append_text_events(&stack, &id, &[began.elapsed().as_nanos().to_string()]).await;
        }
    };
    let listening = async {
        let mut took = Vec::with_capacity(EVENTS);
        while took.len() < EVENTS {
            let told = stream.next().await.expect("an event");
            let sent = told.data["delta"].as_str().expect("a time");
            took.push(began.elapsed() - Duration::from_nanos(sent.parse().expect("a number")));
        }
        took
    };
    tokio::join!(telling, listening).1
}
