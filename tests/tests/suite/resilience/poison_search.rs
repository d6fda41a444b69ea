//! A search that kills its worker, and twenty that run beside it: it ends as `worker_lost`, and
//! they complete.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use privachat_tests::fixtures::{LEASE, gather_results, wait_until_idle};
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};

const INNOCENT: usize = 20;
/// Slots of one worker.
const SLOTS: usize = 16;
/// With all suspects, with a quarter of them, and then alone until it fails.
const MAX_KILLS: usize = 5;
const TIMEOUT: Duration = Duration::from_secs(60);
/// Long enough that others are lost beside the poison again.
const SLOW: Duration = Duration::from_millis(300);

/// A gate that opens once.
#[derive(Default)]
struct Gate {
    is_open: Mutex<bool>,
    opened: Condvar,
}

impl Gate {
    fn open(&self) {
        *self.is_open.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.opened.notify_all();
    }

    fn pass(&self) {
        let is_open = self.is_open.lock().unwrap_or_else(PoisonError::into_inner);
        let opened = self.opened.wait_while(is_open, |is_open| !*is_open);
        drop(opened.unwrap_or_else(PoisonError::into_inner));
    }
}

/// A SearXNG that returns nothing before the gate is open, and reports which worker searches for
/// the poison. Each worker uses its own path.
fn web(gate: &Arc<Gate>) -> (Upstream, UnboundedReceiver<usize>) {
    let (report, calls) = unbounded_channel();
    let gate = Arc::clone(gate);
    let web = Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        if query.contains("poison") {
            let worker = request.path.trim_start_matches('/').split('/').next();
            let number = worker.and_then(|worker| worker.parse().ok());
            let _ended = report.send(number.expect("the number of a worker"));
            return Reply::hang();
        }
        gate.pass();
        Reply::json(200, searxng::body(query, &gather_results()).to_string()).late(SLOW)
    });
    (web, calls)
}

async fn enqueue(stack: &Stack, query: &str) -> String {
    let search = json!({"query": query, "mode": "speed", "timeout": 60, "cache": false});
    stack.client().enqueue(search).await
}

fn add_worker(stack: &mut Stack, web: &Upstream) {
    let base = web.url_for(&format!("/{}", stack.workers.len()));
    stack.add_worker_with(&[("SEARXNG_BASE_URL", &base)]);
}

async fn control_field(stack: &Stack, id: &str, field: &str) -> u32 {
    let mut redis = stack.redis.connection().await;
    let key = format!("{{search_job:{id}}}:ctl");
    let count: Option<u32> = redis.hget(key, field).await.unwrap();
    count.unwrap_or(0)
}

/// Kills each worker that searches for the poison and starts another, until the poison has ended;
/// returns the number of kills and the poison's result.
async fn kill_until_it_ends(
    stack: &mut Stack,
    web: &Upstream,
    gate: &Gate,
    mut calls: UnboundedReceiver<usize>,
    poison: &str,
) -> (usize, Value) {
    let mut kills = 0;
    loop {
        let ended = async {
            eventually("the poison has ended", TIMEOUT, async || {
                let now = stack.client().status(poison).await.expect(200);
                (now["status"] == "failed").then_some(now)
            })
            .await
        };
        let worker = tokio::select! {
            end = ended => return (kills, end),
            worker = calls.recv() => worker.expect("the double lives"),
        };
        let victim = stack.workers[worker].process();
        if victim.exited().is_some() {
            continue;
        }
        victim.kill();
        gate.open();
        kills += 1;
        add_worker(stack, web);
    }
}

async fn assert_only_poison_fails(workers: usize) {
    let gate = Arc::new(Gate::default());
    let (web, calls) = web(&gate);
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .env("JOB_LEASE_SECONDS", LEASE)
        .start()
        .await;
    let poison = enqueue(&stack, "poison").await;
    let mut innocent = Vec::with_capacity(INNOCENT);
    for number in 0..INNOCENT {
        innocent.push(enqueue(&stack, &format!("What is gather {number}?")).await);
    }
    for _ in 0..workers {
        add_worker(&mut stack, &web);
    }
    // All slots are in use when the first worker dies.
    web.wait_for_calls((workers * SLOTS).min(INNOCENT + 1))
        .await;
    let (kills, end) = kill_until_it_ends(&mut stack, &web, &gate, calls, &poison).await;
    assert_eq!(end["error_code"], "worker_lost");
    assert!((3..=MAX_KILLS).contains(&kills), "{kills} workers killed");
    for id in &innocent {
        let end = stack.client().wait_terminal(id).await;
        assert_eq!(end["status"], "completed", "{end}");
        assert_eq!(control_field(&stack, id, "crashes").await, 0, "{end}");
        assert!(control_field(&stack, id, "losses").await <= 2, "{end}");
    }
    assert_eq!(control_field(&stack, &poison, "crashes").await, 3);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn twenty_searches_in_one_worker_survive_a_poison() {
    assert_only_poison_fails(1).await;
}

#[tokio::test]
async fn twenty_searches_in_three_workers_survive_a_poison() {
    assert_only_poison_fails(3).await;
}
