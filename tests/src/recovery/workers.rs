//! Workers that die, freeze, are stopped, or have a wrong clock.

use super::{AT_ONCE, CLOCK_TOLERANCE, Row, SWEEP, Scenario, patient_question, row};
use crate::fixtures::{question, searxng_hanging_first, wait_for_status, wait_until_idle};
use crate::{Stack, eventually};
use ::redis::AsyncCommands;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

pub const ROWS: [Row; 5] = [KILLED, FROZEN, POISON, TERMINATED, CLOCK_OFF];

pub const KILLED: Row = row!("worker killed in mid-run", |lease| lease + SWEEP, killed);
pub const FROZEN: Row = row!("worker frozen in mid-run", |lease| lease + SWEEP, frozen);
pub const POISON: Row = row!(
    "poison search that kills three workers",
    |lease| (lease + SWEEP) * 3,
    poison
);
pub const TERMINATED: Row = row!(
    "stopping worker releases its search",
    |_| AT_ONCE,
    terminated
);
pub const CLOCK_OFF: Row = row!(
    "worker killed, the others' clocks an hour off",
    |lease| lease + SWEEP,
    clock_off
);

async fn killed(scenario: Scenario) -> Duration {
    let (searxng, _) = searxng_hanging_first(1);
    let mut stack = scenario.builder(&searxng).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker();
    stack.workers[0].process().kill();
    let (took, end) = scenario.completed(&stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 2);
    stack.workers.remove(0);
    wait_until_idle(&stack).await;
    took
}

async fn frozen(scenario: Scenario) -> Duration {
    let (searxng, _) = searxng_hanging_first(1);
    let mut stack = scenario.builder(&searxng).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker();
    stack.workers[0].process().pause();
    let (took, end) = scenario.completed(&stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 2);

    let resume = |stack: &mut Stack| stack.workers[0].process().resume();
    old_worker_changes_nothing(scenario, &mut stack, &id, resume).await;
    wait_until_idle(&stack).await;
    took
}

/// The first worker resumes after another has ended its search.
pub(super) async fn old_worker_changes_nothing(
    scenario: Scenario,
    stack: &mut Stack,
    id: &str,
    back: impl FnOnce(&mut Stack),
) {
    let mut redis = stack.redis.connection().await;
    let record = format!("search_job:{id}");
    let before: String = redis.get(&record).await.expect("the record");
    back(stack);
    let old = stack.workers[0].process();
    eventually("the old worker notices", scenario.timeout(), async || {
        let output = old.output();
        (output.contains("another worker has taken over") || output.contains("Fenced"))
            .then_some(())
    })
    .await;
    let after: String = redis.get(&record).await.expect("the record");
    assert_eq!(before, after, "what the old worker wrote was refused");
    let events = events(stack, id).await;
    let ends = events.iter().filter(|(kind, _)| kind == "completed");
    assert_eq!(ends.count(), 1, "{events:?}");
}

async fn poison(scenario: Scenario) -> Duration {
    let (searxng, calls) = searxng_hanging_first(usize::MAX);
    let mut stack = scenario.builder(&searxng).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    let mut first = None;
    for crash in 1..=3 {
        eventually("the search has started", scenario.timeout(), async || {
            (calls.load(Ordering::SeqCst) >= crash).then_some(())
        })
        .await;
        stack.add_worker();
        let victim = stack.workers.len() - 2;
        stack.workers[victim].process().kill();
        first.get_or_insert_with(Instant::now);
    }
    let end = wait_for_status(&stack, &id, "failed", scenario.timeout()).await;
    let took = first.map_or(Duration::ZERO, |first| first.elapsed());
    assert_eq!(end["error_code"], "worker_lost");
    assert_eq!(end["attempt"], 3);
    wait_until_idle(&stack).await;
    took
}

/// Measured from its return to the queue to its next start, both by Redis's clock.
async fn terminated(scenario: Scenario) -> Duration {
    let (searxng, _) = searxng_hanging_first(2);
    let mut stack = scenario
        .builder(&searxng)
        .env("DRAIN_SECONDS", 1)
        .env("WORKER_SLOTS", 1)
        .start()
        .await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker();
    assert_eq!(stack.workers[0].process().stop(scenario.timeout()).await, 0);
    searxng.wait_for_calls(2).await;
    let now = stack.client().status(&id).await.expect(200);
    assert_eq!(now["attempt"], 1, "the stop was no fault of the search");
    let events = events(&stack, &id).await;
    let released = event_time(&events, "released", 1);
    let took = event_time(&events, "started", 2).saturating_sub(released);

    // Returned while others wait: it is the next.
    let waiting = stack.client().enqueue(question()).await;
    assert_eq!(stack.workers[1].process().stop(scenario.timeout()).await, 0);
    let mut redis = stack.redis.connection().await;
    let queue: Vec<String> = redis
        .lrange("{search}:queue:speed", 0, -1)
        .await
        .expect("the queue");
    assert_eq!(queue, [waiting.clone(), id.clone()], "popped at the right");
    stack.workers.clear();
    stack.add_worker();
    for id in [&id, &waiting] {
        let (_, end) = scenario.completed(&stack, id, Instant::now()).await;
        assert_eq!(end["attempt"], 1);
    }
    wait_until_idle(&stack).await;
    took
}

/// The time of the n-th event of a kind, on Redis's clock.
fn event_time(events: &[(String, Duration)], kind: &str, n: usize) -> Duration {
    let mut of_kind = events.iter().filter(|(name, _)| name == kind);
    let found = of_kind.nth(n - 1);
    found
        .unwrap_or_else(|| panic!("no {n}. {kind}: {events:?}"))
        .1
}

async fn events(stack: &Stack, id: &str) -> Vec<(String, Duration)> {
    let mut redis = stack.redis.connection().await;
    let stream: ::redis::streams::StreamRangeReply = redis
        .xrange_all(format!("{{search_job:{id}}}:ev"))
        .await
        .expect("the events");
    let event = |entry: ::redis::streams::StreamId| {
        let kind: String = entry.get("type").expect("a type");
        let (ms, _) = entry.id.split_once('-').expect("a stream id");
        let ms = ms.parse().expect("milliseconds");
        (kind, Duration::from_millis(ms))
    };
    stream.ids.into_iter().map(event).collect()
}

/// Only Redis's clock counts: a worker whose clock is ahead takes over nothing early, and one whose
/// clock is behind takes over in time.
async fn clock_off(scenario: Scenario) -> Duration {
    let (ahead, behind) = tokio::join!(
        taken_over_by_clock(scenario, "+1h"),
        taken_over_by_clock(scenario, "-1h")
    );
    ahead.max(behind)
}

async fn taken_over_by_clock(scenario: Scenario, offset: &str) -> Duration {
    let library = faketime();
    let odd = [
        ("LD_PRELOAD", library.as_str()),
        ("FAKETIME", offset),
        ("FAKETIME_DONT_FAKE_MONOTONIC", "1"),
    ];
    let (searxng, _) = searxng_hanging_first(1);
    let mut stack = scenario.builder(&searxng).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker_with(&odd);
    stack.workers[0].process().kill();
    let (took, end) = scenario.completed(&stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 2);
    // The last heartbeat was at most a third of the lease ago.
    let earliest = (scenario.lease * 2 / 3).saturating_sub(CLOCK_TOLERANCE / 2);
    assert!(took >= earliest, "taken over while it was held: {took:?}");
    let accepted = unix_seconds(&end["created_at"]);
    let completed = unix_seconds(&end["completed_at"]);
    let off = completed.abs_diff(accepted);
    assert!(off >= 3300, "the worker's clock was right: {end}");
    stack.workers.remove(0);
    wait_until_idle(&stack).await;
    took
}

/// `created_at` comes from the API, `completed_at` from the worker. In seconds.
fn unix_seconds(text: &serde_json::Value) -> i64 {
    let text = text.as_str().expect("a time");
    privachat_core::schema::time::parse(text)
        .expect("a time with its zone")
        .timestamp()
}

/// Debian's multiarch folders are named after the machine.
fn faketime() -> String {
    let libraries = std::fs::read_dir("/usr/lib").expect("/usr/lib");
    libraries
        .flatten()
        .map(|folder| folder.path().join("faketime/libfaketime.so.1"))
        .find(|library| library.exists())
        .expect("libfaketime is not here: apt-get install faketime (or: make test)")
        .display()
        .to_string()
}
