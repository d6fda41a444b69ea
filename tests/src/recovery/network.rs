//! A network that loses replies, drops one direction, or is slow.

use super::workers::old_worker_changes_nothing;
use super::{AT_ONCE, Row, SWEEP, Scenario, found_after, patient_question, row, url_through};
use crate::fixtures::{gather_results, question, searxng_hanging_first, wait_until_idle};
use crate::proxy::Direction;
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
    // Its next heartbeat still arrives and extends the lease once more.
    |lease| lease + lease / 3 + SWEEP,
    cut_off_down
);
pub const SLOW: Row = row!(
    "0.6 s of latency each way: time added to a search",
    |_| Duration::from_secs(6),
    slow
);

/// The part of a reply that identifies it, as Redis writes it.
const POPPED: &str = "{search}:queue:speed\r\n";
const CREATED: &str = "$7\r\nCREATED\r\n";
const CLAIMED: &str = "*5\r\n$2\r\nOK\r\n";
const FINISHED: &str = "$9\r\ncompleted\r\n";

/// A worker behind a proxy; the others reach Redis directly.
struct ProxiedWorker {
    stack: Stack,
    proxy: Proxy,
}

impl ProxiedWorker {
    async fn start(scenario: Scenario, searxng: &Upstream) -> Self {
        let redis = RedisServer::tcp().await;
        let proxy = Proxy::start(redis.address());
        let builder = scenario.builder(searxng).on_redis(redis).workers(0);
        let mut stack = builder.start().await;
        stack.add_worker_with(&[("REDIS_URL", &url_through(&proxy))]);
        Self { stack, proxy }
    }

    async fn swallowed(&self, scenario: Scenario) -> Instant {
        eventually("the reply is lost", scenario.timeout(), async || {
            (self.proxy.swallowed() == 1).then(Instant::now)
        })
        .await
    }
}

async fn pop_lost_and_killed(scenario: Scenario) -> Duration {
    let web = found_after(Duration::ZERO);
    let mut proxied = ProxiedWorker::start(scenario, &web).await;
    proxied.proxy.swallow_reply_with(POPPED);
    let id = proxied.stack.client().enqueue(question()).await;
    proxied.swallowed(scenario).await;
    proxied.stack.workers[0].process().kill();
    let since = Instant::now();
    proxied.stack.add_worker();
    let (took, end) = scenario.completed(&proxied.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    wait_until_idle(&proxied.stack).await;
    took
}

async fn pop_lost(scenario: Scenario) -> Duration {
    reply_lost(scenario, POPPED).await
}

async fn claim_reply_lost(scenario: Scenario) -> Duration {
    reply_lost(scenario, CLAIMED).await
}

async fn reply_lost(scenario: Scenario, reply: &str) -> Duration {
    let web = found_after(Duration::ZERO);
    let proxied = ProxiedWorker::start(scenario, &web).await;
    proxied.proxy.swallow_reply_with(reply);
    let id = proxied.stack.client().enqueue(question()).await;
    let since = proxied.swallowed(scenario).await;
    let (took, end) = scenario.completed(&proxied.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    wait_until_idle(&proxied.stack).await;
    took
}

/// Its record is written; measured from then until the worker knows it and has cleaned up.
async fn finish_reply_lost(scenario: Scenario) -> Duration {
    let web = found_after(Duration::ZERO);
    let proxied = ProxiedWorker::start(scenario, &web).await;
    proxied.proxy.swallow_reply_with(FINISHED);
    let id = proxied.stack.client().enqueue(question()).await;
    let since = proxied.swallowed(scenario).await;
    wait_until_idle(&proxied.stack).await;
    let took = since.elapsed();
    let end = proxied.stack.client().wait_completed(&id).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    took
}

async fn push_reply_lost(scenario: Scenario) -> Duration {
    let web = found_after(Duration::ZERO);
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let stack = scenario
        .builder(&web)
        .on_redis(redis)
        .api_env("REDIS_URL", url_through(&proxy))
        .start()
        .await;
    proxy.swallow_reply_with(CREATED);
    let since = Instant::now();
    let id = stack.client().enqueue(question()).await;
    let (took, end) = scenario.completed(&stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 1));
    assert_eq!(proxy.swallowed(), 1);
    wait_until_idle(&stack).await;
    took
}

async fn cut_off_up(scenario: Scenario) -> Duration {
    cut_off(scenario, Direction::Up).await
}

async fn cut_off_down(scenario: Scenario) -> Duration {
    cut_off(scenario, Direction::Down).await
}

async fn cut_off(scenario: Scenario, direction: Direction) -> Duration {
    let (searxng, _) = searxng_hanging_first(1);
    let mut proxied = ProxiedWorker::start(scenario, &searxng).await;
    let id = proxied.stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    proxied.stack.add_worker();
    proxied.proxy.black_hole_towards(direction, true);
    let (took, end) = scenario
        .completed(&proxied.stack, &id, Instant::now())
        .await;
    assert_eq!(end["attempt"], 2);
    let ProxiedWorker { stack, proxy, .. } = &mut proxied;
    let heal = |_: &mut Stack| proxy.black_hole_towards(direction, false);
    old_worker_changes_nothing(scenario, stack, &id, heal).await;
    wait_until_idle(&proxied.stack).await;
    took
}

/// A search that is longer than a lease, with another worker that could take it over.
async fn slow(scenario: Scenario) -> Duration {
    let running = scenario.lease + Duration::from_secs(3);
    let web = found_after(running);
    let mut proxied = ProxiedWorker::start(scenario, &web).await;
    // After a heartbeat, so that Redis has loaded every script, as in a deployment.
    let body = searxng::body("What is gather?", &gather_results());
    web.next(Reply::json(200, body.to_string()).late(scenario.lease / 3 + AT_ONCE));
    let first = proxied.stack.client().enqueue(patient_question()).await;
    scenario
        .completed(&proxied.stack, &first, Instant::now())
        .await;
    proxied.proxy.latency(Duration::from_millis(600));
    let since = Instant::now();
    let id = proxied.stack.client().enqueue(patient_question()).await;
    web.wait_for_calls(2).await;
    proxied.stack.add_worker();
    let (took, end) = scenario.completed(&proxied.stack, &id, since).await;
    assert_eq!((&end["attempt"], web.calls()), (&1.into(), 2), "{end}");
    wait_until_idle(&proxied.stack).await;
    took.saturating_sub(running)
}
