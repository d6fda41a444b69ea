//! An idle worker: it waits quietly, and gives up a wait that never ends.

use privachat_tests::fixtures::{gather_results, question, wait_for_status, wait_until_idle};
use privachat_tests::proxy::Direction;
use privachat_tests::upstream::searxng;
use privachat_tests::{Proxy, RedisServer, Stack, Upstream, binaries, eventually, redis_info};
use std::time::Duration;

const TIMEOUT: Duration = Duration::from_secs(20);

/// A worker behind the proxy that has done one search, so that every connection is open.
async fn stack(web: &Upstream) -> (Stack, Proxy) {
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let stack = Stack::builder(binaries!())
        .on_redis(redis)
        .with_searxng(web)
        .worker_env("REDIS_URL", format!("redis://{}/0", proxy.address()))
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
    (stack, proxy)
}

/// How many pops Redis has completed.
async fn pops(stack: &Stack) -> u64 {
    let mut redis = stack.redis.connection().await;
    redis_info::calls(&mut redis, "brpop").await
}

#[tokio::test]
async fn an_idle_worker_waits_without_a_warning_and_without_new_connections() {
    let web = searxng::finding(gather_results());
    let (mut stack, proxy) = stack(&web).await;
    let (connections, before) = (proxy.accepted(), pops(&stack).await);
    eventually("it has waited three times", TIMEOUT, async || {
        (pops(&stack).await >= before + 3).then_some(())
    })
    .await;
    assert_eq!(proxy.accepted(), connections, "new connections");
    let output = stack.workers[0].process().output();
    assert!(!output.contains("cannot take searches"), "{output}");
}

#[tokio::test]
async fn an_unanswered_wait_is_given_up() {
    let web = searxng::finding(gather_results());
    let (mut stack, proxy) = stack(&web).await;
    proxy.black_hole_towards(Direction::Down, true);
    let worker = stack.workers[0].process();
    // Two seconds of waiting and a timeout of five.
    eventually("the worker gives its wait up", TIMEOUT, async || {
        let output = worker.output();
        output.contains("cannot take searches").then_some(())
    })
    .await;
    proxy.black_hole_towards(Direction::Down, false);
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
}
