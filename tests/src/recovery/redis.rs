//! Redis that dies, forgets, hangs up, or is full.

use super::{AT_ONCE, Row, SWEEP, Scene, found_after, patient_question, row};
use crate::redis::Options;
use crate::scene::{hanging_first, have_come, is_quiet, question};
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
    "Redis full: outcome handed in once there is memory",
    // The longest pause between two tries, and the try.
    |_| Duration::from_secs(3),
    full
);

/// From the moment at which the restarted Redis answers.
async fn restarted(scene: Scene) -> Duration {
    let (searxng, _) = hanging_first(1);
    let redis = RedisServer::with_aof().await;
    let mut stack = scene.builder(&searxng).on(redis).start().await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.asked(1).await;
    stack.add_worker();
    have_come(&stack, 2).await;
    stack.redis.kill();
    stack.workers[0].process().kill();
    stack.redis.restart().await;
    let restarted = Instant::now();
    eventually("the API is ready", scene.patience(), async || {
        (stack.client().status_of("/readyz").await == Some(200)).then_some(())
    })
    .await;
    let (took, end) = scene.completed(&stack, &id, restarted).await;
    assert_eq!(end["attempt"], 2);
    stack.workers.remove(0);
    is_quiet(&stack).await;
    took
}

async fn clients_killed(scene: Scene) -> Duration {
    after_command(
        scene,
        &["CLIENT KILL TYPE normal", "CLIENT KILL TYPE pubsub"],
    )
    .await
}

async fn scripts_flushed(scene: Scene) -> Duration {
    after_command(scene, &["SCRIPT FLUSH SYNC"]).await
}

/// What runs goes on, and what comes afterwards is done at once.
async fn after_command(scene: Scene, commands: &[&str]) -> Duration {
    let searxng = found_after(Duration::ZERO);
    let slow = crate::upstream::searxng::body("What is gather?", &crate::scene::found());
    searxng.next(crate::upstream::Reply::json(200, slow.to_string()).late(Duration::from_secs(3)));
    let stack = scene.builder(&searxng).start().await;
    let running = stack.client().enqueue(patient_question()).await;
    searxng.asked(1).await;
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
    let (took, end) = scene.completed(&stack, &id, since).await;
    assert_eq!(end["attempt"], 1);
    let (_, end) = scene.completed(&stack, &running, since).await;
    assert_eq!(end["attempt"], 1, "it went on");
    assert_eq!(searxng.calls(), 2, "nothing ran twice");
    is_quiet(&stack).await;
    took
}

async fn full(scene: Scene) -> Duration {
    let web: Upstream = found_after(Duration::from_secs(1));
    let stack = scene.builder(&web).redis(Options::default()).start().await;
    let id = stack.client().enqueue(question()).await;
    web.asked(1).await;
    stack.redis.fill(true).await;
    let mut request = question();
    request["async_mode"] = json!(true);
    let refused = stack.client().post_search(request).await;
    refused.expect(503);
    assert!(refused.header("retry-after").is_some());
    let log = stack.folder().join("worker-0.log");
    let what = "the worker keeps its outcome in hand";
    eventually(what, scene.patience(), async || {
        let output = std::fs::read_to_string(&log).ok()?;
        output.contains("cannot hand in").then_some(())
    })
    .await;
    stack.redis.fill(false).await;
    let (took, end) = scene.completed(&stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 1);
    assert_eq!(web.calls(), 1);
    took
}
