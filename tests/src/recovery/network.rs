//! A network that loses replies, swallows one direction, or is slow.

use super::workers::old_worker_changes_nothing;
use super::{AT_ONCE, Row, SWEEP, Scene, found_after, patient_question, row, through};
use crate::proxy::Direction;
use crate::scene::{found, hanging_first, is_quiet, question};
use crate::upstream::{Reply, searxng};
use crate::{Proxy, RedisServer, Stack, Upstream, eventually};
use std::time::{Duration, Instant};

pub const ROWS: [Row; 8] = [
    POP_LOST_AND_KILLED,
    POP_LOST,
    PUSH_REPLY_LOST,
    CLAIM_REPLY_LOST,
    FINISH_REPLY_LOST,
    CUT_OFF_UP,
    CUT_OFF_DOWN,
    SLOW,
];

pub const POP_LOST_AND_KILLED: Row = row!(
    "worker killed between pop and claim",
    |_| Duration::from_secs(5),
    pop_lost_and_killed
);
pub const POP_LOST: Row = row!(
    "reply of the pop lost",
    |_| Duration::from_secs(5),
    pop_lost
);
pub const PUSH_REPLY_LOST: Row = row!("reply of the push lost", |_| AT_ONCE, push_reply_lost);
pub const CLAIM_REPLY_LOST: Row = row!("reply of the claim lost", |_| AT_ONCE, claim_reply_lost);
pub const FINISH_REPLY_LOST: Row = row!("reply of the finish lost", |_| AT_ONCE, finish_reply_lost);
pub const CUT_OFF_UP: Row = row!(
    "worker cut off, nothing of it arrives",
    |lease| lease + SWEEP,
    cut_off_up
);
pub const CUT_OFF_DOWN: Row = row!(
    "worker cut off, nothing reaches it",
    // Its next beat still arrives, and extends the lease once more.
    |lease| lease + lease / 3 + SWEEP,
    cut_off_down
);
pub const SLOW: Row = row!(
    "0.6 s of latency each way: time added to a search",
    |_| Duration::from_secs(6),
    slow
);

/// Enough of a reply to know it by, as Redis writes it.
const POPPED: &str = "{search}:queue:speed\r\n";
const CREATED: &str = "$7\r\nCREATED\r\n";
const CLAIMED: &str = "*5\r\n$2\r\nOK\r\n";
const FINISHED: &str = "$9\r\ncompleted\r\n";

/// A worker behind a proxy; the others reach Redis directly.
struct Bench {
    stack: Stack,
    proxy: Proxy,
}

impl Bench {
    async fn start(scene: Scene, searxng: &Upstream) -> Self {
        let redis = RedisServer::tcp().await;
        let proxy = Proxy::start(redis.address());
        let builder = scene.builder(searxng).on(redis).workers(0);
        let mut stack = builder.start().await;
        stack.add_worker_with(&[("REDIS_URL", &through(&proxy))]);
        Self { stack, proxy }
    }

    async fn swallowed(&self, scene: Scene) -> Instant {
        eventually("the reply is lost", scene.patience(), async || {
            (self.proxy.swallowed() == 1).then(Instant::now)
        })
        .await
    }
}

async fn pop_lost_and_killed(scene: Scene) -> Duration {
    let web = found_after(Duration::ZERO);
    let mut bench = Bench::start(scene, &web).await;
    bench.proxy.swallow_reply_with(POPPED);
    let id = bench.stack.client().enqueue(question()).await;
    bench.swallowed(scene).await;
    bench.stack.workers[0].process().kill();
    let since = Instant::now();
    bench.stack.add_worker();
    let (took, end) = scene.completed(&bench.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    is_quiet(&bench.stack).await;
    took
}

async fn pop_lost(scene: Scene) -> Duration {
    lost(scene, POPPED).await
}

async fn claim_reply_lost(scene: Scene) -> Duration {
    lost(scene, CLAIMED).await
}

async fn lost(scene: Scene, reply: &str) -> Duration {
    let web = found_after(Duration::ZERO);
    let bench = Bench::start(scene, &web).await;
    bench.proxy.swallow_reply_with(reply);
    let id = bench.stack.client().enqueue(question()).await;
    let since = bench.swallowed(scene).await;
    let (took, end) = scene.completed(&bench.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    is_quiet(&bench.stack).await;
    took
}

/// Its record is there; from then until the worker knows it and has tidied up.
async fn finish_reply_lost(scene: Scene) -> Duration {
    let web = found_after(Duration::ZERO);
    let bench = Bench::start(scene, &web).await;
    bench.proxy.swallow_reply_with(FINISHED);
    let id = bench.stack.client().enqueue(question()).await;
    let since = bench.swallowed(scene).await;
    is_quiet(&bench.stack).await;
    let took = since.elapsed();
    let end = bench.stack.client().wait_completed(&id).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    took
}

async fn push_reply_lost(scene: Scene) -> Duration {
    let web = found_after(Duration::ZERO);
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let stack = scene
        .builder(&web)
        .on(redis)
        .api_env("REDIS_URL", through(&proxy))
        .start()
        .await;
    proxy.swallow_reply_with(CREATED);
    let since = Instant::now();
    let id = stack.client().enqueue(question()).await;
    let (took, end) = scene.completed(&stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    assert_eq!(proxy.swallowed(), 1);
    is_quiet(&stack).await;
    took
}

async fn cut_off_up(scene: Scene) -> Duration {
    cut_off(scene, Direction::Up).await
}

async fn cut_off_down(scene: Scene) -> Duration {
    cut_off(scene, Direction::Down).await
}

async fn cut_off(scene: Scene, direction: Direction) -> Duration {
    let (searxng, _) = hanging_first(1);
    let mut bench = Bench::start(scene, &searxng).await;
    let id = bench.stack.client().enqueue(patient_question()).await;
    searxng.asked(1).await;
    bench.stack.add_worker();
    bench.proxy.black_hole_towards(direction, true);
    let (took, end) = scene.completed(&bench.stack, &id, Instant::now()).await;
    assert_eq!(end["attempt"], 2);
    let Bench { stack, proxy, .. } = &mut bench;
    let heal = |_: &mut Stack| proxy.black_hole_towards(direction, false);
    old_worker_changes_nothing(scene, stack, &id, heal).await;
    is_quiet(&bench.stack).await;
    took
}

/// A search that is longer than a lease, with another worker that would take it over.
async fn slow(scene: Scene) -> Duration {
    let running = scene.lease + Duration::from_secs(3);
    let web = found_after(running);
    let mut bench = Bench::start(scene, &web).await;
    // With a beat, so that Redis knows every script, as it does in a deployment.
    let body = searxng::body("What is gather?", &found());
    web.next(Reply::json(200, body.to_string()).late(scene.lease / 3 + AT_ONCE));
    let first = bench.stack.client().enqueue(patient_question()).await;
    scene.completed(&bench.stack, &first, Instant::now()).await;
    bench.proxy.latency(Duration::from_millis(600));
    let since = Instant::now();
    let id = bench.stack.client().enqueue(patient_question()).await;
    web.asked(2).await;
    bench.stack.add_worker();
    let (took, end) = scene.completed(&bench.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 2), "{end}");
    is_quiet(&bench.stack).await;
    took.saturating_sub(running)
}
