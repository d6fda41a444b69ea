//! A Redis that dies, loses its data, closes connections, or is full.

use super::{AT_ONCE, Row, SWEEP, Scenario, found_after, patient_question, row};
use crate::fixtures::{question, searxng_hanging_first, wait_for_workers, wait_until_idle};
use crate::redis::Options;
use crate::{RedisServer, Upstream, eventually};
use serde_json::json;
use std::time::{Duration, Instant};

pub const ROWS: [Row; 4] = [RESTARTED, CLIENTS_KILLED, SCRIPTS_FLUSHED, FULL];

pub const RESTARTED: Row = row!(
    "Redis killed and restarted, a worker dead with it",
    |lease| lease + SWEEP,
    restarted
);
pub const CLIENTS_KILLED: Row = row!(
    "every connection killed by Redis",
    |_| AT_ONCE,
    clients_killed
);
pub const SCRIPTS_FLUSHED: Row = row!("scripts flushed", |_| AT_ONCE, scripts_flushed);
pub const FULL: Row = row!(
    "Redis full: result stored once there is memory",
    // The longest pause between two tries, and the try.
    |_| Duration::from_secs(3),
    full
);

/// Measured from the moment at which the restarted Redis answers.
async fn restarted(scenario: Scenario) -> Duration {
    let (searxng, _) = searxng_hanging_first(1);
    let redis = RedisServer::with_aof().await;
    let mut stack = scenario.builder(&searxng).on_redis(redis).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker();
    wait_for_workers(&stack, 2).await;
    stack.redis.kill();
    stack.workers[0].process().kill();
    stack.redis.restart().await;
    let restarted = Instant::now();
    eventually("the API is ready", scenario.timeout(), async || {
        (stack.client().status_of("/readyz").await == Some(200)).then_some(())
    })
    .await;
    let (took, end) = scenario.completed(&stack, &id, restarted).await;
    assert_eq!(end["attempt"], 2);
    stack.workers.remove(0);
    wait_until_idle(&stack).await;
    took
}

async fn clients_killed(scenario: Scenario) -> Duration {
    after_command(
        scenario,
        &["CLIENT KILL TYPE normal", "CLIENT KILL TYPE pubsub"],
    )
    .await
}

async fn scripts_flushed(scenario: Scenario) -> Duration {
    after_command(scenario, &["SCRIPT FLUSH SYNC"]).await
}

/// Running searches continue, and later ones are done at once.
async fn after_command(scenario: Scenario, commands: &[&str]) -> Duration {
    let searxng = found_after(Duration::ZERO);
    let slow =
        crate::upstream::searxng::body("What is gather?", &crate::fixtures::gather_results());
    searxng.next(crate::upstream::Reply::json(200, slow.to_string()).late(Duration::from_secs(3)));
    let stack = scenario.builder(&searxng).start().await;
    let running = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    let mut redis = stack.redis.connection().await;
    for line in commands {
        let mut words = line.split(' ');
        let mut command = ::redis::cmd(words.next().unwrap_or_default());
        words.for_each(|word| {
            command.arg(word);
        });
        let _: ::redis::Value = command.query_async(&mut redis).await.expect("done");
    }
    let since = Instant::now();
    let id = stack.client().enqueue(question()).await;
    let (took, end) = scenario.completed(&stack, &id, since).await;
    assert_eq!(end["attempt"], 1);
    let (_, end) = scenario.completed(&stack, &running, since).await;
    assert_eq!(end["attempt"], 1, "it went on");
    assert_eq!(searxng.calls(), 2, "nothing ran twice");
    wait_until_idle(&stack).await;
    took
}

async fn full(scenario: Scenario) -> Duration {
    let web: Upstream = found_after(Duration::from_secs(1));
    let stack = scenario
        .builder(&web)
        .redis(Options::default())
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    web.wait_for_calls(1).await;
    stack.redis.fill(true).await;
    let mut request = question();
    request["async_mode"] = json!(true);
    let refused = stack.client().post_search(request).await;
    refused.expect(503);
    assert!(refused.header("retry-after").is_some());
    let log = stack.folder().join("worker-0.log");
    let what = "the worker keeps its result";
    eventually(what, scenario.timeout(), async || {
        let output = std::fs::read_to_string(&log).ok()?;
        output.contains("cannot store an outcome").then_some(())
    })
    .await;
    stack.redis.fill(false).await;
    let (took, end) = scenario.completed(&stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 1);
    assert_eq!(web.calls(), 1);
    took
}
