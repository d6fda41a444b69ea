//! The waits of one search: until it is accepted, and until it starts.

use crate::figures::{Figure, Goal, Row, percentile};
use crate::pace::{Exchange, post as paced};
use crate::scale::Scale;
use crate::sites::{SUBMITTED, service, web};
use privachat_core::keys;
use privachat_tests::Stack;
use std::collections::HashMap;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

const POSTS: f64 = 500.0;
const STARTS: f64 = 100.0;
/// Longer than any search waits for its start, in one round.
const TIMEOUT: Duration = Duration::from_secs(30);

pub(crate) async fn post(scale: Scale) -> Row {
    let stack = service(0, &[]).await;
    let count = requests(POSTS, scale.span);
    paced(
        stack.client().base(),
        "/api/v1/search",
        SUBMITTED,
        POSTS,
        count.min(500),
    )
    .await;
    let (mut middle, mut late) = (Figure::new("p50", "ms"), Figure::new("p99", "ms"));
    for _ in 0..scale.rounds {
        crate::redis::empty(&stack.redis).await;
        let sent = paced(
            stack.client().base(),
            "/api/v1/search",
            SUBMITTED,
            POSTS,
            count,
        )
        .await;
        let took: Vec<f64> = sent
            .iter()
            .map(|it| millis(it.answered.saturating_duration_since(it.due)))
            .collect();
        middle.samples.push(percentile(&took, 50));
        late.samples.push(percentile(&took, 99));
    }
    Row {
        goals: vec![Goal::at_most(5.0, &late)],
        figures: vec![middle, late],
        notes: vec![format!(
            "{count} POSTs a turn from 16 connections, each counted from when it was due, not from when \
             it was sent; no worker takes them."
        )],
        ..Row::default()
    }
}

pub(crate) async fn start(scale: Scale) -> Row {
    let web = web();
    let address = web.url();
    let settings = [
        ("SEARXNG_BASE_URL", address.as_str()),
        ("CACHE_TTL_SECONDS", "3600"),
    ];
    let stack = service(1, &settings).await;
    // The first is searched for; the others find its answer.
    let first = serde_json::from_str(SUBMITTED).expect("a request");
    let id = stack.client().enqueue(first).await;
    stack.client().wait_completed(&id).await;
    let count = requests(STARTS, 2 * scale.span);
    let (mut middle, mut late) = (Figure::new("p50", "ms"), Figure::new("p99", "ms"));
    starts(&stack, count.min(100)).await;
    for _ in 0..scale.rounds {
        let took = starts(&stack, count).await;
        middle.samples.push(percentile(&took, 50));
        late.samples.push(percentile(&took, 99));
    }
    Row {
        goals: vec![Goal::at_most(0.5, &middle), Goal::at_most(1.5, &late)],
        figures: vec![middle, late],
        notes: vec![format!(
            "{count} POSTs a turn. From the moment before the request is sent until this process, which \
             subscribes to `{}`, has read `<id> processing`, on one monotonic clock: the request, its \
             validation, the submission, the worker's pop and claim, and the way of the message back. \
             The worker is the whole daemon with its default settings; each search ends with an answer \
             from the cache and is stored in the history.",
            keys::CHANGED_CHANNEL
        )],
        ..Row::default()
    }
}

/// From each POST to its start.
async fn starts(stack: &Stack, count: usize) -> Vec<f64> {
    let listener = Listener::start(&stack.redis.url(), count);
    let sent = paced(
        stack.client().base(),
        "/api/v1/search",
        SUBMITTED,
        STARTS,
        count,
    )
    .await;
    let started = listener.all().await;
    sent.iter()
        .map(|exchange| {
            let id = id_of(exchange);
            let at = started.get(&id).expect("a start that was heard of");
            millis(at.saturating_duration_since(exchange.sent))
        })
        .collect()
}

fn id_of(exchange: &Exchange) -> String {
    let answer: serde_json::Value = serde_json::from_str(&exchange.body).expect("an answer");
    let id = answer["session_id"].as_str().expect("a session_id");
    id.to_owned()
}

/// A thread that notes when searches start.
struct Listener {
    thread: JoinHandle<HashMap<String, Instant>>,
}

impl Listener {
    /// Listens until this many have ended or none can follow. A running search announces
    /// `processing` again with its progress, which must not count in the next round.
    fn start(url: &str, count: usize) -> Self {
        let client = redis::Client::open(url).expect("an address");
        let mut connection = client.get_connection().expect("a connection");
        let (ready, is_ready) = std::sync::mpsc::channel();
        let thread = thread::spawn(move || {
            let mut channel = connection.as_pubsub();
            channel
                .subscribe(keys::CHANGED_CHANNEL)
                .expect("a subscription");
            channel
                .set_read_timeout(Some(TIMEOUT))
                .expect("a time limit");
            let _ = ready.send(());
            let mut started = HashMap::new();
            let mut ended = 0;
            while ended < count {
                let message = channel.get_message();
                let at = Instant::now();
                let message = message.expect("every search starts and ends, and is heard of");
                let text: String = message.get_payload().expect("a text");
                match text.split_once(' ') {
                    Some((id, "processing")) => {
                        started.entry(id.to_owned()).or_insert(at);
                    }
                    Some((_, "completed")) => ended += 1,
                    _ => {}
                }
            }
            started
        });
        is_ready.recv().expect("a subscription");
        Self { thread }
    }

    async fn all(self) -> HashMap<String, Instant> {
        let joining = tokio::task::spawn_blocking(|| self.thread.join());
        let joined = joining.await.expect("a thread to wait on");
        joined.expect("the listener")
    }
}

fn requests(rate: f64, span: Duration) -> usize {
    (rate * span.as_secs_f64()).ceil() as usize
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}
