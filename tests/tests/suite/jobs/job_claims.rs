//! What claiming and finishing a job reject and announce, tested on the engine with a real Redis.
//! The state machine test finds most rejections by chance; these tests find them each time.

use futures_util::{StreamExt, future::ready};
use privachat_core::connection::Redis;
use privachat_core::jobs::{
    CancelResult, ClaimResult, EnqueueResult, EventId, FailResult, FinishResult, JobFailure, Jobs,
    Lease, LeaseStatus, QueueEntry, ReleaseResult,
};
use privachat_core::keys;
use privachat_core::mode::Mode;
use privachat_tests::{RedisServer, fixtures};
use redis::AsyncCommands;
use serde_json::Value;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(300);

/// A running search: its queue entry and its lease.
async fn running(jobs: &Jobs) -> (QueueEntry, Lease) {
    let id = Uuid::new_v4();
    let job = fixtures::job(id);
    assert_eq!(jobs.enqueue(&job).await.unwrap(), EnqueueResult::Created);
    let entry = QueueEntry {
        id,
        mode: Mode::Speed,
    };
    match jobs.claim(entry, "worker", LEASE).await.unwrap() {
        ClaimResult::Started { lease, .. } => (entry, lease),
        other => panic!("the claim failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_search_that_was_cancelled_cannot_be_completed() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (entry, lease) = running(&jobs).await;
    assert_eq!(
        jobs.cancel(entry.id).await.unwrap(),
        CancelResult::Requested
    );
    let ended = jobs.finish(&lease, Ok(b"{}")).await.unwrap();
    assert_eq!(ended, FinishResult::Failed);
}

#[tokio::test]
async fn a_search_cannot_be_claimed_before_its_next_attempt_is_due() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (entry, lease) = running(&jobs).await;
    let failure = JobFailure::new("upstream_unavailable", "for now");
    let failed = jobs.fail(&lease, &failure, 3, PAUSE).await.unwrap();
    assert_eq!(failed, FailResult::Retry);
    match jobs.claim(entry, "worker", LEASE).await.unwrap() {
        ClaimResult::NotDue(wait) => assert!(wait <= PAUSE, "{wait:?}"),
        other => panic!("{other:?} before it is due"),
    }
}

#[tokio::test]
async fn repeated_requests_are_answered_alike_and_done_once() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (entry, lease) = running(&jobs).await;
    for _ in 0..2 {
        assert_eq!(jobs.release(&lease).await.unwrap(), ReleaseResult::Released);
    }
    let ClaimResult::Started { lease, attempt, .. } =
        jobs.claim(entry, "worker", LEASE).await.unwrap()
    else {
        panic!("it was released");
    };
    assert_eq!(attempt, 1, "a release does not count");
    let failure = JobFailure::new("upstream_unavailable", "for now");
    for _ in 0..2 {
        let failed = jobs.fail(&lease, &failure, 3, Duration::ZERO).await;
        assert_eq!(failed.unwrap(), FailResult::Retry);
    }
    match jobs.claim(entry, "worker", LEASE).await.unwrap() {
        ClaimResult::Started { attempt, .. } => assert_eq!(attempt, 2),
        other => panic!("{other:?} of a search that is due"),
    }
}

#[tokio::test]
async fn events_that_are_reported_twice_are_stored_once() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (entry, lease) = running(&jobs).await;
    let report = async |lease: &Lease, first: u64, count: u64| {
        let text = |number| format!(r#"{{"type":"text","delta":"{number}"}}"#);
        let events: Vec<_> = (first..first + count)
            .map(|number| ("text", text(number)))
            .collect();
        let heartbeat = jobs.report(lease, first, &events, None).await;
        assert_eq!(heartbeat.unwrap(), LeaseStatus::Held);
    };
    for (first, count) in [(1, 1), (1, 1), (2, 3), (2, 3)] {
        report(&lease, first, count).await;
    }
    assert_eq!(jobs.release(&lease).await.unwrap(), ReleaseResult::Released);
    let ClaimResult::Started { lease, .. } = jobs.claim(entry, "worker", LEASE).await.unwrap()
    else {
        panic!("it was released");
    };
    report(&lease, 1, 2).await;
    let events = jobs.events_after(entry.id, EventId::START, 100).await;
    let stored: Vec<String> = events
        .unwrap()
        .into_iter()
        .map(|event| match event.kind.as_str() {
            "text" => serde_json::from_slice::<Value>(&event.data).unwrap()["delta"]
                .as_str()
                .unwrap()
                .to_owned(),
            other => other.to_owned(),
        })
        .collect();
    let first = ["queued", "started", "1", "2", "3", "4", "released"];
    assert_eq!(stored[..7], first, "an attempt counts its own events");
    assert_eq!(stored[7..], ["started", "1", "2"]);
}

/// Each change wakes the requests that wait for the search. No request can wait for a search that
/// was just accepted, so accepting wakes none: every API would be woken for the searches of all
/// others.
#[tokio::test]
async fn each_change_of_a_search_is_announced_except_its_acceptance() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let client = redis::Client::open(server.url()).unwrap();
    let mut listener = client.get_async_pubsub().await.unwrap();
    listener.subscribe(keys::CHANGED_CHANNEL).await.unwrap();
    let other = fixtures::job(Uuid::new_v4());
    assert_eq!(
        jobs.enqueue_idempotent(&other).await.unwrap(),
        EnqueueResult::Created
    );
    let (entry, lease) = running(&jobs).await;
    let failure = JobFailure::new("upstream_unavailable", "for now");
    let failed = jobs
        .fail(&lease, &failure, 3, Duration::ZERO)
        .await
        .unwrap();
    assert_eq!(failed, FailResult::Retry);
    let ClaimResult::Started { lease, .. } = jobs.claim(entry, "worker", LEASE).await.unwrap()
    else {
        panic!("it is due");
    };
    jobs.finish(&lease, Ok(b"{}")).await.unwrap();
    let mut redis = server.connection().await;
    let () = redis.publish(keys::CHANGED_CHANNEL, "all").await.unwrap();
    let announced = listener.on_message().map(|it| it.get_payload().unwrap());
    let announced: Vec<String> = announced
        .take_while(|it| ready(it != "all"))
        .collect()
        .await;
    let expected = ["processing", "pending", "processing", "completed"];
    assert_eq!(
        announced,
        expected.map(|status| format!("{} {status}", entry.id))
    );
}
