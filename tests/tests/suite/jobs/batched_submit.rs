//! Searches submitted at the same time: one call to Redis takes many of them, and each has the same
//! outcome as alone.

use std::collections::BTreeSet;
use std::pin::pin;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::join_all;
use privachat_core::connection::Redis;
use privachat_core::jobs::{EnqueueResult, Jobs, JobsError, NewJob};
use privachat_core::keys;
use privachat_core::mode::Mode;
use privachat_tests::proxy::Proxy;
use privachat_tests::{RedisServer, fixtures, redis_info};
use redis::AsyncCommands;
use tokio::time::Instant;
use uuid::Uuid;

/// More than one call takes.
const MANY: usize = 150;

fn mixed() -> Vec<NewJob> {
    let mode = |place: usize| Mode::ALL[place % Mode::ALL.len()];
    (0..MANY)
        .map(|place| NewJob {
            mode: mode(place),
            callback: (place % 5 == 0).then(|| "https://example.org/".to_owned()),
            ..fixtures::job(Uuid::new_v4())
        })
        .collect()
}

/// Submits one job first: the connection is open and the script loaded.
async fn behind_a_proxy() -> (RedisServer, Proxy, Jobs) {
    let server = RedisServer::tcp().await;
    let proxy = Proxy::start(server.address());
    let url = format!("redis://{}", proxy.address());
    let jobs = Jobs::new(Redis::open(&url).unwrap());
    jobs.enqueue(&fixtures::job(Uuid::new_v4())).await.unwrap();
    (server, proxy, jobs)
}

async fn submit_all(jobs: &Jobs, all: &[NewJob]) -> Vec<Result<EnqueueResult, JobsError>> {
    join_all(all.iter().map(|job| jobs.enqueue(job))).await
}

/// Each job is queued in the order of submission, and has its index entries and its record.
async fn assert_all_wait(server: &RedisServer, jobs: &Jobs, all: &[NewJob]) {
    let mut redis = server.connection().await;
    for mode in Mode::ALL {
        let ids = all.iter().filter(|job| job.mode == mode);
        let ids: Vec<String> = ids.map(|job| job.id.to_string()).collect();
        let mut queue: Vec<String> = redis.lrange(keys::queue(mode), 0, -1).await.unwrap();
        queue.reverse();
        let pending: Vec<String> = redis.zrange(keys::pending(mode), 0, -1).await.unwrap();
        assert_eq!((&queue, &pending), (&ids, &ids));
    }
    let named = async |key: &str| -> BTreeSet<String> {
        let mut redis = server.connection().await;
        redis.zrange(key, 0, -1).await.unwrap()
    };
    let ids = |some: &mut dyn Iterator<Item = &NewJob>| -> BTreeSet<String> {
        some.map(|job| job.id.to_string()).collect()
    };
    assert_eq!(named(keys::LIVE).await, ids(&mut all.iter()));
    let mut called = all.iter().filter(|job| job.callback.is_some());
    assert_eq!(named(keys::CALLBACKS).await, ids(&mut called));
    for job in all {
        let record = jobs.record(job.id).await.unwrap().expect("a record");
        let record = String::from_utf8(record.bytes().to_vec()).unwrap();
        assert!(record.contains(&job.public_fields), "{record}");
        for key in [keys::record(job.id), keys::control(job.id)] {
            let left: i64 = redis.ttl(key).await.unwrap();
            assert!(left > 0, "it must not stay for ever");
        }
    }
}

#[tokio::test]
async fn searches_submitted_together_share_calls_and_are_queued_in_order() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    // Connects and loads the script.
    let first = fixtures::job(Uuid::new_v4());
    jobs.enqueue(&first).await.unwrap();
    let mut redis = server.connection().await;
    let () = redis::cmd("CONFIG")
        .arg("RESETSTAT")
        .query_async(&mut redis)
        .await
        .unwrap();
    let all = mixed();
    for outcome in submit_all(&jobs, &all).await {
        assert_eq!(outcome.unwrap(), EnqueueResult::Created);
    }
    let calls = redis_info::calls(&mut redis, "evalsha").await;
    assert!(
        (1..=6).contains(&calls),
        "{calls} calls for {MANY} searches"
    );
    let all: Vec<NewJob> = [vec![first], all].concat();
    assert_all_wait(&server, &jobs, &all).await;
}

#[tokio::test]
async fn the_first_of_equal_ids_in_one_call_counts() {
    let server = RedisServer::start().await;
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    // All are submitted before the first call is made: one call takes them.
    let (first, one) = (fixtures::job(Uuid::new_v4()), fixtures::job(Uuid::new_v4()));
    let other = NewJob {
        request_hash: "another".to_owned(),
        ..one.clone()
    };
    let all = [first.clone(), one.clone(), one.clone(), other];
    let outcomes = submit_all(&jobs, &all).await;
    let outcomes: Vec<EnqueueResult> = outcomes.into_iter().map(Result::unwrap).collect();
    assert_eq!(
        outcomes,
        [
            EnqueueResult::Created,
            EnqueueResult::Created,
            EnqueueResult::Exists,
            EnqueueResult::Conflict
        ]
    );
    assert_all_wait(&server, &jobs, &[first, one]).await;
}

#[tokio::test]
async fn a_lost_reply_to_many_submissions_loses_none_of_them() {
    let (server, proxy, jobs) = behind_a_proxy().await;
    let all = mixed();
    proxy.swallow_reply_with("CREATED");
    for outcome in submit_all(&jobs, &all).await {
        // A repeated submit may find its own job.
        let outcome = outcome.unwrap();
        assert!(matches!(
            outcome,
            EnqueueResult::Created | EnqueueResult::Exists
        ));
    }
    assert_eq!(proxy.swallowed(), 1);
    let mut redis = server.connection().await;
    for job in &all {
        let entry: Option<f64> = redis
            .zscore(keys::pending(job.mode), job.id.to_string())
            .await
            .unwrap();
        assert!(entry.is_some(), "it is queued");
    }
    let mut entries = 0;
    for mode in Mode::ALL {
        entries += redis.llen::<_, usize>(keys::queue(mode)).await.unwrap();
    }
    assert_eq!(entries, MANY + 1, "one queue entry each");
}

/// A lost reply, and a second try on a new connection.
const SILENT: Duration = Duration::from_secs(12);

#[tokio::test]
async fn when_redis_is_silent_the_last_of_many_fails_as_soon_as_a_single_one() {
    let (_server, proxy, jobs) = behind_a_proxy().await;
    proxy.black_hole(true);
    // The clock of the calls advances when all of them wait, however busy the machine is.
    tokio::time::pause();
    let began = Instant::now();
    for outcome in submit_all(&jobs, &mixed()).await {
        let error = outcome.unwrap_err();
        assert!(matches!(error, JobsError::Unavailable(_)), "{error:?}");
    }
    let took = began.elapsed();
    assert!(took < SILENT, "{took:?}");
}

#[tokio::test]
async fn a_submission_dropped_before_its_call_is_not_submitted() {
    let (_server, proxy, jobs) = behind_a_proxy().await;
    proxy.black_hole(true);
    let [on_its_way, given_up, next] = [(); 3].map(|()| fixtures::job(Uuid::new_v4()));
    let mut first = pin!(jobs.enqueue(&on_its_way));
    assert!(first.as_mut().now_or_never().is_none());
    // The call is made without this job.
    tokio::task::yield_now().await;
    assert!(jobs.enqueue(&given_up).now_or_never().is_none());
    proxy.black_hole(false);
    assert_eq!(first.await.unwrap(), EnqueueResult::Created);
    assert_eq!(jobs.enqueue(&next).await.unwrap(), EnqueueResult::Created);
    assert!(jobs.record(given_up.id).await.unwrap().is_none());
}
