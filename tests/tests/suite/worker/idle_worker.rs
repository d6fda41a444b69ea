//! A worker with nothing to do: quiet while it waits, and not to be fooled by a wait that never ends.

use privachat_tests::proxy::Direction;
use privachat_tests::scene::{found, is_quiet, question, reaches};
use privachat_tests::upstream::searxng;
use privachat_tests::{Proxy, RedisServer, Stack, Upstream, binaries, eventually, info};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

/// A worker behind the proxy, and one search done, so that every connection is there.
async fn stack(web: &Upstream) -> (Stack, Proxy) {
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let stack = Stack::builder(binaries!())
        .on(redis)
        .searching(web)
        .worker_env("REDIS_URL", format!("redis://{}/0", proxy.address()))
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    reaches(&stack, &id, "completed", SOON).await;
    is_quiet(&stack).await;
    (stack, proxy)
}

/// How many pops Redis has ended.
async fn pops(stack: &Stack) -> u64 {
    let mut redis = stack.redis.connection().await;
    info::calls(&mut redis, "brpop").await
}

#[tokio::test]
async fn an_idle_worker_waits_without_a_warning_and_without_new_connections() {
    let web = searxng::finding(found());
    let (mut stack, proxy) = stack(&web).await;
    let (connections, before) = (proxy.accepted(), pops(&stack).await);
    eventually("it has waited three times", SOON, async || {
        (pops(&stack).await >= before + 3).then_some(())
    })
    .await;
    assert_eq!(proxy.accepted(), connections, "new connections");
    let output = stack.workers[0].process().output();
    assert!(!output.contains("cannot take searches"), "{output}");
}

#[tokio::test]
async fn a_wait_that_is_never_answered_is_given_up() {
    let web = searxng::finding(found());
    let (mut stack, proxy) = stack(&web).await;
    proxy.black_hole_towards(Direction::Down, true);
    let worker = stack.workers[0].process();
    // Two seconds of waiting and five of patience.
    eventually("the worker gives its wait up", SOON, async || {
        let output = worker.output();
        output.contains("cannot take searches").then_some(())
    })
    .await;
    proxy.black_hole_towards(Direction::Down, false);
    let id = stack.client().enqueue(question()).await;
    reaches(&stack, &id, "completed", SOON).await;
    is_quiet(&stack).await;
}
