//! A real Sentinel failover with running and waiting searches; API and worker keep running.
//!
//! A failover may lose what the master acknowledged before the replica received it. These tests
//! wait for the replica before they kill the master, so nothing may be lost. A master that is
//! replaced while it lives may accept writes for a second or two until its clients notice; in a
//! deployment `min-replicas-to-write 1` bounds the loss to `min-replicas-max-lag`.

use std::time::{Duration, Instant};

use privachat_tests::fixtures::{
    LEASE, count_completions, gather_results, question, wait_for_status, wait_until_idle,
};
use privachat_tests::stack::RedisBackend;
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{RedisSentinel, Stack, Upstream, binaries, eventually};

/// An election without a winner is repeated after twice the failover timeout of 3 s.
const FAILOVER_TIMEOUT: Duration = Duration::from_secs(60);

async fn stack(web: &Upstream) -> Stack<RedisSentinel> {
    Stack::builder(binaries!())
        .with_searxng(web)
        .env("JOB_LEASE_SECONDS", LEASE)
        .env("WORKER_SLOTS", 2)
        .start_on(RedisSentinel::start().await)
        .await
}

fn slow() -> Upstream {
    Upstream::start(|request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &gather_results()).to_string())
            .late(Duration::from_secs(1))
    })
}

async fn enqueue_several(stack: &Stack<RedisSentinel>) -> Vec<String> {
    let mut accepted = Vec::new();
    for _ in 0..6 {
        accepted.push(stack.client().enqueue(question()).await);
    }
    accepted
}

/// Each search has completed, with exactly one such event.
async fn assert_all_completed_once(stack: &Stack<RedisSentinel>, accepted: &[String]) {
    for id in accepted {
        wait_for_status(stack, id, "completed", FAILOVER_TIMEOUT).await;
        let mut redis = stack.redis.connections().await.remove(0);
        assert_eq!(count_completions(&mut redis, id).await, 1, "{id}");
    }
}

/// Waits until a search is accepted again; returns its id.
async fn wait_until_accepted(stack: &Stack<RedisSentinel>) -> String {
    let mut request = question();
    request["async_mode"] = true.into();
    eventually("searches are accepted", FAILOVER_TIMEOUT, async || {
        let answer = stack.client().post_search(request.clone()).await;
        if answer.status == 200 {
            return answer.json()["session_id"].as_str().map(str::to_owned);
        }
        assert_eq!(answer.status, 503, "{}", answer.text);
        assert!(answer.header("retry-after").is_some());
        None
    })
    .await
}

#[tokio::test]
async fn every_accepted_search_ends_once_when_a_replica_replaces_a_dead_master() {
    let web = slow();
    let mut stack = stack(&web).await;
    let mut accepted = enqueue_several(&stack).await;
    web.wait_for_calls(1).await;
    let master = stack.redis.wait_until_replicated().await;
    stack.redis.servers[master].kill();
    let killed = Instant::now();
    let refused = stack.client().post_search(question()).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    accepted.push(wait_until_accepted(&stack).await);
    println!(
        "master killed: accepting again after {:?}",
        killed.elapsed()
    );
    assert_all_completed_once(&stack, &accepted).await;
    wait_until_idle(&stack).await;

    // The old master returns as a replica and accepts no clients.
    stack.redis.servers[master].restart().await;
    stack.redis.wait_until_settled(1).await;
    assert_ne!(stack.redis.master().await, Some(master));
    let later = enqueue_several(&stack).await;
    assert_all_completed_once(&stack, &later).await;
    wait_until_idle(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn clients_leave_a_demoted_master_for_the_new_one() {
    let web = slow();
    let mut stack = stack(&web).await;
    let accepted = enqueue_several(&stack).await;
    web.wait_for_calls(1).await;
    let old = stack.redis.wait_until_replicated().await;
    stack.redis.start_failover().await;
    eventually("another is the master", FAILOVER_TIMEOUT, async || {
        let now = stack.redis.master().await?;
        (now != old).then_some(())
    })
    .await;
    // A search that ended on the old master after the promotion ends again on the new one: the end
    // that counts is the one present when the old master has become a replica.
    stack.redis.wait_until_settled(1).await;
    assert_all_completed_once(&stack, &accepted).await;
    let later = vec![wait_until_accepted(&stack).await];
    assert_all_completed_once(&stack, &later).await;
    wait_until_idle(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}
