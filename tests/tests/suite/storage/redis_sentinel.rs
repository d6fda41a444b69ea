//! A real Sentinel failover under running and waiting searches, with the same two processes all the
//! time.
//!
//! What one failover may lose is what the master acknowledged and the replica had not received yet.
//! These tests wait until the replica has everything before they kill, and so hold the service to
//! everything. A master that is replaced while it lives may go on accepting until its clients hear of
//! it, a second or two; in a deployment `min-replicas-to-write 1` bounds the loss to `min-replicas-max-lag`.

use std::time::{Duration, Instant};

use privachat_tests::scene::{LEASE, completions, found, is_quiet, question, reaches};
use privachat_tests::stack::Servers;
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{RedisSentinel, Stack, Upstream, binaries, eventually};

/// An election that nobody wins is repeated after twice the failover timeout of 3 s.
const FAILED_OVER_WITHIN: Duration = Duration::from_secs(60);

async fn stack(web: &Upstream) -> Stack<RedisSentinel> {
    Stack::builder(binaries!())
        .searching(web)
        .env("JOB_LEASE_SECONDS", LEASE)
        .env("WORKER_SLOTS", 2)
        .start_on(RedisSentinel::start().await)
        .await
}

fn slow() -> Upstream {
    Upstream::start(|request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &found()).to_string()).late(Duration::from_secs(1))
    })
}

async fn several(stack: &Stack<RedisSentinel>) -> Vec<String> {
    let mut accepted = Vec::new();
    for _ in 0..6 {
        accepted.push(stack.client().enqueue(question()).await);
    }
    accepted
}

/// Each has ended well and says so once in its events.
async fn all_completed_once(stack: &Stack<RedisSentinel>, accepted: &[String]) {
    for id in accepted {
        reaches(stack, id, "completed", FAILED_OVER_WITHIN).await;
        let mut redis = stack.redis.connections().await.remove(0);
        assert_eq!(completions(&mut redis, id).await, 1, "{id}");
    }
}

/// Waits until a search is accepted again; its id.
async fn accepts_again(stack: &Stack<RedisSentinel>) -> String {
    let mut request = question();
    request["async_mode"] = true.into();
    eventually("searches are accepted", FAILED_OVER_WITHIN, async || {
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
async fn all_that_was_accepted_ends_once_when_the_master_dies_and_a_replica_takes_over() {
    let web = slow();
    let mut stack = stack(&web).await;
    let mut accepted = several(&stack).await;
    web.asked(1).await;
    let master = stack.redis.replicated().await;
    stack.redis.servers[master].kill();
    let killed = Instant::now();
    let refused = stack.client().post_search(question()).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    accepted.push(accepts_again(&stack).await);
    println!(
        "master killed: accepting again after {:?}",
        killed.elapsed()
    );
    all_completed_once(&stack, &accepted).await;
    is_quiet(&stack).await;

    // The old one comes back as a replica and takes nobody in.
    stack.redis.servers[master].restart().await;
    stack.redis.settled(1).await;
    assert_ne!(stack.redis.master().await, Some(master));
    let later = several(&stack).await;
    all_completed_once(&stack, &later).await;
    is_quiet(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn a_master_that_is_demoted_alive_is_left_for_the_new_one() {
    let web = slow();
    let mut stack = stack(&web).await;
    let accepted = several(&stack).await;
    web.asked(1).await;
    let old = stack.redis.replicated().await;
    stack.redis.ask_for_failover().await;
    eventually("another is the master", FAILED_OVER_WITHIN, async || {
        let now = stack.redis.master().await?;
        (now != old).then_some(())
    })
    .await;
    // What ended on the old one after the promotion ends again on the new one: the end that counts
    // is the one that is there when the old one follows.
    stack.redis.settled(1).await;
    all_completed_once(&stack, &accepted).await;
    let later = vec![accepts_again(&stack).await];
    all_completed_once(&stack, &later).await;
    is_quiet(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}
