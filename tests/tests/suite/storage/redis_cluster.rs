//! A real Redis Cluster with three nodes, selected by the form of REDIS_URL alone. It would reject
//! every script with keys of two slots (CROSSSLOT) and every command to the wrong node.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use privachat_core::connection::Redis;
use privachat_core::jobs::Jobs;
use privachat_tests::fixtures::{
    LEASE, count_completions, gather_results, question, searxng_hanging_first, wait_for_status,
    wait_until_idle,
};
use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::{Reply, Request, searxng};
use privachat_tests::{RedisCluster, Stack, Upstream, binaries, eventually};

/// Two cores and three more Redis servers than elsewhere: a bound, not an expectation.
const TIMEOUT: Duration = Duration::from_secs(60);

fn builder(searxng: &Upstream) -> StackBuilder {
    Stack::builder(binaries!())
        .with_searxng(searxng)
        .env("JOB_LEASE_SECONDS", LEASE)
}

/// A SearXNG that hangs until it is released.
fn searxng_held() -> (Upstream, Arc<AtomicBool>) {
    let free = Arc::new(AtomicBool::new(false));
    let gate = Arc::clone(&free);
    let double = Upstream::start(move |request: &Request| {
        while !gate.load(Ordering::SeqCst) {
            std::thread::sleep(Duration::from_millis(5));
        }
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(200, searxng::body(query, &gather_results()).to_string())
    });
    (double, free)
}

/// Posts searches until each node has one; returns their ids and nodes.
async fn on_every_node(stack: &Stack<RedisCluster>) -> Vec<(String, usize)> {
    let mut accepted = Vec::new();
    let mut nodes = BTreeSet::new();
    while nodes.len() < stack.redis.nodes.len() {
        assert!(
            accepted.len() < 60,
            "ids fall on one node only: {accepted:?}"
        );
        let id = stack.client().enqueue(question()).await;
        let node = stack.redis.node_of(&format!("search_job:{id}")).await;
        nodes.insert(node);
        accepted.push((id, node));
    }
    accepted
}

/// Each search has completed, with exactly one such event.
async fn assert_all_completed_once(stack: &Stack<RedisCluster>, accepted: &[(String, usize)]) {
    for (id, node) in accepted {
        wait_for_status(stack, id, "completed", TIMEOUT).await;
        let mut redis = stack.redis.nodes[*node].connection().await;
        assert_eq!(count_completions(&mut redis, id).await, 1, "{id}");
    }
}

#[tokio::test]
async fn everything_works_on_a_cluster_and_the_searches_are_spread_over_it() {
    let web = searxng::finding(gather_results());
    let mut stack = builder(&web).start_on(RedisCluster::start().await).await;
    let answer = stack.client().post_search(question()).await.expect(200);
    assert_eq!(answer["status"], "completed", "{answer}");
    let accepted = on_every_node(&stack).await;
    assert_all_completed_once(&stack, &accepted).await;
    for (id, node) in &accepted {
        let record = format!("search_job:{id}");
        let keys = stack.redis.keys(&format!("*{id}*")).await;
        assert!(keys.contains(&(*node, record)), "{keys:?}");
        assert!(keys.iter().all(|(of, _)| of == node), "{keys:?}");
    }
    let queue = stack.client().get("/api/v1/queue").await.expect(200);
    assert_eq!(
        queue["workers"].as_array().map(Vec::len),
        Some(1),
        "{queue}"
    );
    wait_until_idle(&stack).await;

    // The stop reaches the blocked pop on the node that it waits on.
    let begun = Instant::now();
    assert_eq!(stack.workers[0].process().stop(TIMEOUT).await, 0);
    println!("the idle worker stopped after {:?}", begun.elapsed());
    let waiting = stack.client().enqueue(question()).await;
    let queue = stack.client().get("/api/v1/queue").await.expect(200);
    assert!(
        queue["modes"][0]["oldest_age_seconds"].is_number(),
        "{queue}"
    );
    let cancel = format!("/api/v1/search/{waiting}");
    stack.client().delete(&cancel).await;
    let end = wait_for_status(&stack, &waiting, "failed", TIMEOUT).await;
    assert_eq!(end["error_code"], "cancelled", "{end}");
}

#[tokio::test]
async fn a_running_search_is_cancelled_and_that_of_a_killed_worker_taken_over() {
    let (web, _) = searxng_hanging_first(2);
    let mut stack = builder(&web).start_on(RedisCluster::start().await).await;
    let cancelled = stack.client().enqueue(question()).await;
    web.wait_for_calls(1).await;
    let cancel = format!("/api/v1/search/{cancelled}");
    stack.client().delete(&cancel).await;
    let end = wait_for_status(&stack, &cancelled, "failed", TIMEOUT).await;
    assert_eq!(end["error_code"], "cancelled", "{end}");

    let orphan = stack.client().enqueue(question()).await;
    web.wait_for_calls(2).await;
    stack.add_worker();
    stack.workers[0].process().kill();
    let end = wait_for_status(&stack, &orphan, "completed", TIMEOUT).await;
    assert_eq!(end["attempt"], 2, "{end}");
    stack.workers.remove(0);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_killed_and_restarted_node_loses_nothing_and_does_not_stop_the_others() {
    let (web, free) = searxng_held();
    let mut stack = builder(&web)
        .env("WORKER_SLOTS", 2)
        .start_on(RedisCluster::start().await)
        .await;
    let accepted = on_every_node(&stack).await;
    web.wait_for_calls(1).await;
    // Not the node with the queues: without it no worker can run. Nor the node of both running
    // searches: a worker keeps a result that it cannot store for a minute, and its slot with it.
    let queues = stack.redis.node_of("{search}:live").await;
    let running = &accepted[..2];
    let dead = (0..stack.redis.nodes.len())
        .filter(|node| *node != queues)
        .find(|node| running.iter().any(|(_, home)| home != node))
        .unwrap();
    stack.redis.nodes[dead].kill();
    free.store(true, Ordering::SeqCst);
    // The two that hang in SearXNG are taken over or retried; all others just run.
    for (id, node) in &accepted {
        if *node != dead {
            wait_for_status(&stack, id, "completed", TIMEOUT).await;
        }
    }
    stack.redis.restart(dead).await;
    assert_all_completed_once(&stack, &accepted).await;
    wait_until_idle(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn the_node_with_the_queues_is_killed_and_restarted_during_searches() {
    let (web, free) = searxng_held();
    let mut stack = builder(&web)
        .env("WORKER_SLOTS", 2)
        .start_on(RedisCluster::start().await)
        .await;
    let accepted = on_every_node(&stack).await;
    web.wait_for_calls(1).await;
    let queues = stack.redis.node_of("{search}:live").await;
    stack.redis.nodes[queues].kill();
    let refused = stack.client().post_search(question()).await;
    assert_eq!(refused.status, 503, "{}", refused.text);
    assert!(refused.header("retry-after").is_some());
    free.store(true, Ordering::SeqCst);
    stack.redis.restart(queues).await;
    assert_all_completed_once(&stack, &accepted).await;
    eventually("new searches are accepted", TIMEOUT, async || {
        let answer = stack.client().post_search(question()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    wait_until_idle(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn the_queues_move_to_another_node_while_searches_run() {
    let (web, free) = searxng_held();
    let mut stack = builder(&web)
        .env("WORKER_SLOTS", 2)
        .start_on(RedisCluster::start().await)
        .await;
    let accepted = on_every_node(&stack).await;
    web.wait_for_calls(1).await;
    let from = stack.redis.node_of("{search}:live").await;
    let to = (from + 1) % stack.redis.nodes.len();
    stack.redis.move_slot("{search}:live", from, to).await;
    free.store(true, Ordering::SeqCst);
    assert_all_completed_once(&stack, &accepted).await;
    let answer = stack.client().post_search(question()).await.expect(200);
    assert_eq!(answer["status"], "completed", "{answer}");
    let queues = stack.redis.keys("{search}:*").await;
    assert!(queues.iter().all(|(node, _)| *node == to), "{queues:?}");
    wait_until_idle(&stack).await;
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn a_replica_takes_over_the_queues_when_their_node_dies() {
    let (web, free) = searxng_held();
    let mut cluster = RedisCluster::start().await;
    let queues = cluster.node_of("{search}:live").await;
    cluster.add_replica_of(queues).await;
    let mut stack = builder(&web).env("WORKER_SLOTS", 2).start_on(cluster).await;
    let accepted = on_every_node(&stack).await;
    web.wait_for_calls(1).await;
    stack.redis.wait_until_replicated(queues).await;
    stack.redis.nodes[queues].kill();
    let killed = Instant::now();
    let mut request = question();
    request["async_mode"] = true.into();
    eventually("searches are accepted again", TIMEOUT, async || {
        let answer = stack.client().post_search(request.clone()).await;
        (answer.status == 200).then_some(())
    })
    .await;
    println!(
        "a master of the Cluster killed: accepting again after {:?}",
        killed.elapsed()
    );
    free.store(true, Ordering::SeqCst);
    for (id, _) in &accepted {
        wait_for_status(&stack, id, "completed", TIMEOUT).await;
    }
    wait_until_idle(&stack).await;
    stack.api.process().assert_alive();
    stack.workers[0].process().assert_alive();
}

#[tokio::test]
async fn a_cluster_node_set_as_a_single_redis_is_reported_at_the_start() {
    let cluster = RedisCluster::start().await;
    let one = Redis::open(&cluster.nodes[0].url()).unwrap();
    let misdirected = eventually("a command is redirected", TIMEOUT, async || {
        let key = format!("test:{:?}", Instant::now());
        let mut command = redis::cmd("GET");
        command.arg(key);
        one.query::<Option<String>>(&command).await.err()
    })
    .await
    .to_string();
    assert!(misdirected.contains("REDIS_URL"), "{misdirected}");
    assert!(!misdirected.contains("127.0.0.1"), "{misdirected}");
    let faults = Jobs::new(one).check_redis().await.unwrap().issues;
    assert!(
        faults
            .iter()
            .any(|fault| fault.is_serious && fault.problem.contains("Cluster")),
        "{faults:?}"
    );
    let seed = cluster.nodes[0].address();
    let all = Redis::open(&format!("redis+cluster://{seed}")).unwrap();
    let faults = Jobs::new(all.clone()).check_redis().await.unwrap().issues;
    assert!(faults.is_empty(), "{faults:?}");
    assert_eq!(
        all.master_connections().await.unwrap().len(),
        cluster.nodes.len()
    );
}
