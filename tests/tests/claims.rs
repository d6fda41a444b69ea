//! What a claim refuses, told by the engine itself on a real Redis.

use bytes::Bytes;
use privachat_core::connection::Redis;
use privachat_core::jobs::{Claim, Failed, Failure, Hint, Jobs, NewJob, Submitted};
use privachat_core::mode::Mode;
use privachat_tests::RedisServer;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_secs(300);

#[tokio::test]
async fn a_search_that_waits_for_its_next_attempt_cannot_be_claimed_before() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
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
    let Claim::Started { lease, .. } = jobs.claim(hint, "worker", LEASE).await.unwrap() else {
        panic!("nobody else can hold it");
    };
    let failure = Failure::new("upstream_unavailable", "for now");
    let failed = jobs.fail(&lease, &failure, 3, PAUSE).await.unwrap();
    assert_eq!(failed, Failed::Retry);
    match jobs.claim(hint, "worker", LEASE).await.unwrap() {
        Claim::Early(wait) => assert!(wait <= PAUSE, "{wait:?}"),
        other => panic!("{other:?} before it is due"),
    }
}
