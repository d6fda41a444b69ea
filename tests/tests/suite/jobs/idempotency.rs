//! One idempotency key means one search, however often and however concurrently it is sent.

use futures_util::{StreamExt, stream};
use privachat_core::{
    connection::Redis,
    jobs::{ClaimResult, EnqueueResult, Jobs, QueueEntry},
};
use privachat_tests::{
    HttpResponse, RedisServer, Stack, binaries,
    fixtures::{self, question},
};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use reqwest::Method;
use serde_json::{Value, json};
use std::{collections::HashSet, time::Duration};
use uuid::Uuid;

const PAIRS: usize = 1000;
/// Pairs in flight at once.
const AT_ONCE: usize = 50;

async fn post(stack: &Stack, key: &str, mut search: Value) -> HttpResponse {
    search["async_mode"] = json!(true);
    let request = stack
        .client()
        .request(Method::POST, "/api/v1/search")
        .header("idempotency-key", key)
        .json(&search);
    stack.client().send(request).await
}

#[tokio::test]
async fn each_of_a_thousand_racing_pairs_makes_one_search() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let pairs = stream::iter(0..PAIRS).map(|number| {
        let stack = &stack;
        async move {
            let key = format!("pair {number}");
            let (one, other) =
                tokio::join!(post(stack, &key, question()), post(stack, &key, question()));
            let ids = [&one, &other].map(|answer| answer.expect(200)["session_id"].clone());
            assert_eq!(ids[0], ids[1]);
            let replayed = [one, other]
                .iter()
                .filter(|answer| answer.header("idempotent-replayed") == Some("true"))
                .count();
            assert_eq!(replayed, 1, "one of them is the first");
            ids[0].as_str().unwrap().to_owned()
        }
    });
    let ids: HashSet<String> = pairs.buffer_unordered(AT_ONCE).collect().await;
    assert_eq!(ids.len(), PAIRS);
    let mut redis = stack.redis.connection().await;
    let entries: usize = redis.llen("{search}:queue:speed").await.unwrap();
    let records: Vec<String> = redis.keys("search_job:*").await.unwrap();
    assert_eq!((entries, records.len()), (PAIRS, PAIRS));

    let another = json!({"query": "What is wait?", "mode": "speed"});
    let refused = post(&stack, "pair 0", another).await;
    assert_eq!(refused.expect(409)["error"], "idempotency_conflict");
}

/// The job engine alone, on a Redis that lives as long as the returned server.
async fn engine() -> (RedisServer, Jobs, MultiplexedConnection) {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let redis = server.connection().await;
    (server, jobs, redis)
}

#[tokio::test]
async fn a_repeated_submit_does_not_queue_a_running_search_again() {
    let (_server, jobs, mut redis) = engine().await;
    let job = fixtures::job(Uuid::new_v4());
    jobs.enqueue(&job).await.unwrap();
    let popped: String = redis.rpop("{search}:queue:speed", None).await.unwrap();
    assert_eq!(popped, job.id.to_string());
    let entry = QueueEntry {
        id: job.id,
        mode: job.mode,
    };
    let lease = Duration::from_secs(15);
    let claimed = jobs.claim(entry, "worker", lease).await.unwrap();
    assert!(matches!(claimed, ClaimResult::Started { .. }));
    jobs.schedule_check(entry, lease).await.unwrap();
    let look: f64 = redis
        .zscore("{search}:live", job.id.to_string())
        .await
        .unwrap();

    // As a submitter does after it lost its first reply.
    assert_eq!(
        jobs.enqueue_idempotent(&job).await.unwrap(),
        EnqueueResult::Exists
    );
    let entries: usize = redis.llen("{search}:queue:speed").await.unwrap();
    let after: f64 = redis
        .zscore("{search}:live", job.id.to_string())
        .await
        .unwrap();
    assert_eq!((entries, after), (0, look));
}

#[tokio::test]
async fn a_repeated_submit_queues_a_waiting_search_that_is_not_queued() {
    let (_server, jobs, mut redis) = engine().await;
    let job = fixtures::job(Uuid::new_v4());
    jobs.enqueue(&job).await.unwrap();
    // As if the submitter had lost its connection before the push.
    let () = redis
        .del(&["{search}:queue:speed", "{search}:pending:speed"])
        .await
        .unwrap();
    for _ in 0..2 {
        assert_eq!(
            jobs.enqueue_idempotent(&job).await.unwrap(),
            EnqueueResult::Exists
        );
        let entries: usize = redis.llen("{search}:queue:speed").await.unwrap();
        assert_eq!(entries, 1);
    }
}

#[tokio::test]
async fn a_submit_between_the_steps_of_another_keeps_its_search_registered() {
    let (_server, jobs, mut redis) = engine().await;
    let job = fixtures::job(Uuid::new_v4());
    jobs.enqueue(&job).await.unwrap();
    // The other registration is still to come: this one seems to be the first.
    let () = redis
        .zrem("{search}:live", job.id.to_string())
        .await
        .unwrap();
    assert_eq!(
        jobs.enqueue_idempotent(&job).await.unwrap(),
        EnqueueResult::Exists
    );
    let entries: usize = redis.llen("{search}:queue:speed").await.unwrap();
    let listed: usize = redis.zcard("{search}:live").await.unwrap();
    assert_eq!((entries, listed), (1, 1));
}
