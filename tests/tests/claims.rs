//! What a claim and a finish refuse, told by the engine itself on a real Redis. The model test finds
//! most of this by chance; these find it each time.

use bytes::Bytes;
use privachat_core::connection::Redis;
use privachat_core::jobs::{
    Cancelled, Claim, Ended, Failed, Failure, Hint, Jobs, Lease, NewJob, Submitted,
};
use privachat_core::mode::Mode;
use privachat_tests::RedisServer;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(300);

/// A search that is running: its hint, and the hold on it.
async fn running(jobs: &Jobs) -> (Hint, Lease) {
    let id = Uuid::new_v4();
    let job = NewJob {
        id,
        mode: Mode::Speed,
        request: Bytes::from_static(b"{}"),
        digest: "digest".to_owned(),
        echo: format!(r#""session_id":"{id}""#),
        ttl: LEASE,
        running_time: LEASE,
        longest_wait: LEASE,
    };
    assert_eq!(jobs.submit(&job).await.unwrap(), Submitted::Created);
    let hint = Hint {
        id,
        mode: Mode::Speed,
    };
    match jobs.claim(hint, "worker", LEASE).await.unwrap() {
        Claim::Started { lease, .. } => (hint, lease),
        other => panic!("nobody else can hold it: {other:?}"),
    }
}

#[tokio::test]
async fn a_search_that_was_cancelled_cannot_be_completed() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (hint, lease) = running(&jobs).await;
    assert_eq!(jobs.cancel(hint.id).await.unwrap(), Cancelled::Flagged);
    let ended = jobs.finish(&lease, Ok(b"{}")).await.unwrap();
    assert_eq!(ended, Ended::Failed);
}

#[tokio::test]
async fn a_search_that_waits_for_its_next_attempt_cannot_be_claimed_before() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let (hint, lease) = running(&jobs).await;
    let failure = Failure::new("upstream_unavailable", "for now");
    let failed = jobs.fail(&lease, &failure, 3, PAUSE).await.unwrap();
    assert_eq!(failed, Failed::Retry);
    match jobs.claim(hint, "worker", LEASE).await.unwrap() {
        Claim::Early(wait) => assert!(wait <= PAUSE, "{wait:?}"),
        other => panic!("{other:?} before it is due"),
    }
}
