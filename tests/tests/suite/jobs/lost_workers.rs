//! What is charged to a job whose worker was lost, tested on the engine with a real Redis.

use privachat_core::connection::Redis;
use privachat_core::jobs::{
    ClaimResult, EnqueueResult, FailResult, FinishResult, JobFailure, Jobs, Lease, QueueEntry,
    SweepRules, SweepStats, Sweeper,
};
use privachat_core::keys;
use privachat_core::mode::Mode;
use privachat_tests::{RedisServer, fixtures};
use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;
use std::time::Duration;
use uuid::Uuid;

const LEASE: Duration = Duration::from_secs(600);
const MAX_CRASHES: u32 = 2;

struct Engine {
    server: RedisServer,
    redis: MultiplexedConnection,
}

impl Engine {
    async fn start() -> Self {
        let server = RedisServer::start().await;
        let redis = server.connection().await;
        Self { server, redis }
    }

    /// A worker process: each handle counts as one.
    fn process(&self) -> Jobs {
        Jobs::new(Redis::open(&self.server.url()).unwrap())
    }

    async fn enqueue(&self) -> QueueEntry {
        let id = Uuid::new_v4();
        let submitted = self.process().enqueue(&fixtures::job(id)).await.unwrap();
        assert_eq!(submitted, EnqueueResult::Created);
        QueueEntry {
            id,
            mode: Mode::Speed,
        }
    }

    /// Lets each lease expire and runs a sweeper.
    async fn expire_and_sweep(&mut self, lost: &[QueueEntry]) -> SweepStats {
        for entry in lost {
            let () = self
                .redis
                .hset(keys::control(entry.id), "lease", 1)
                .await
                .unwrap();
            let () = self
                .redis
                .zadd(keys::LIVE, entry.id.to_string(), 0)
                .await
                .unwrap();
        }
        let rules = SweepRules {
            max_crashes: MAX_CRASHES,
            // Redis is younger than any real lease: a longer one would fall under the outage grace.
            lease: Duration::ZERO,
            worker_lost: JobFailure::new("worker_lost", "lost"),
            queue_expired: JobFailure::new("queue_expired", "late"),
        };
        let mut sweeper = Sweeper::new(self.process(), rules);
        sweeper.sweep().await.unwrap()
    }

    /// State, crashes and losses.
    async fn charges(&mut self, entry: QueueEntry) -> (String, u32, u32) {
        let key = keys::control(entry.id);
        let fields = ["state", "crashes", "losses"];
        let (state, crashes, losses): (String, u32, Option<u32>) =
            self.redis.hmget(key, &fields).await.unwrap();
        (state, crashes, losses.unwrap_or(0))
    }

    async fn assert_charged(&mut self, entry: QueueEntry, crashes: u32, losses: u32) {
        let charged = self.charges(entry).await;
        assert_eq!(charged, ("pending".to_owned(), crashes, losses));
    }
}

async fn claim(process: &Jobs, entry: QueueEntry) -> Lease {
    match process.claim(entry, "worker", LEASE).await.unwrap() {
        ClaimResult::Started { lease, .. } => {
            process.schedule_check(entry, LEASE).await.unwrap();
            lease
        }
        other => panic!("the claim failed: {other:?}"),
    }
}

#[tokio::test]
async fn a_search_that_is_lost_alone_is_charged_with_the_crash() {
    let mut engine = Engine::start().await;
    let entry = engine.enqueue().await;
    for crashes in 1..=MAX_CRASHES {
        claim(&engine.process(), entry).await;
        let swept = engine.expire_and_sweep(&[entry]).await;
        assert_eq!((swept.leases_expired, swept.abandoned), (1, 0));
        engine.assert_charged(entry, crashes, 0).await;
    }
    claim(&engine.process(), entry).await;
    assert_eq!(engine.expire_and_sweep(&[entry]).await.abandoned, 1);
    assert_eq!(engine.charges(entry).await, ("failed".to_owned(), 3, 0));
}

#[tokio::test]
async fn searches_that_are_lost_together_become_suspects_without_a_charge() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    for losses in 1..=4 {
        let process = engine.process();
        for entry in entries {
            claim(&process, entry).await;
        }
        assert_eq!(engine.expire_and_sweep(&entries).await.leases_expired, 2);
        for entry in entries {
            engine.assert_charged(entry, 0, losses).await;
        }
    }
}

#[tokio::test]
async fn a_suspect_lost_again_without_its_former_company_is_charged_with_both_crashes() {
    let mut engine = Engine::start().await;
    let [culprit, first, second] = [
        engine.enqueue().await,
        engine.enqueue().await,
        engine.enqueue().await,
    ];
    for (other, crashes, losses) in [(first, 0, 1), (second, 1, 1)] {
        let process = engine.process();
        claim(&process, culprit).await;
        claim(&process, other).await;
        engine.expire_and_sweep(&[culprit, other]).await;
        engine.assert_charged(culprit, crashes, losses).await;
        engine.assert_charged(other, 0, 1).await;
    }
}

#[tokio::test]
async fn a_suspect_lost_again_with_former_company_is_still_a_suspect() {
    let mut engine = Engine::start().await;
    let mut entries = Vec::new();
    for _ in 0..4 {
        entries.push(engine.enqueue().await);
    }
    for lost in [&entries[..3], &entries[2..], &entries[2..]] {
        let process = engine.process();
        for entry in lost {
            claim(&process, *entry).await;
        }
        engine.expire_and_sweep(lost).await;
    }
    // The third was lost with the first two, then with the fourth; the fourth with the third twice.
    engine.assert_charged(entries[0], 0, 1).await;
    engine.assert_charged(entries[2], 1, 2).await;
    engine.assert_charged(entries[3], 0, 2).await;
}

#[tokio::test]
async fn searches_with_later_leases_count_as_company() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    let process = engine.process();
    for entry in entries {
        claim(&process, entry).await;
    }
    engine.expire_and_sweep(&entries[..1]).await;
    // Taken over, and ended before the other is found.
    let other = engine.process();
    let lease = claim(&other, entries[0]).await;
    assert_eq!(
        other.finish(&lease, Ok(b"{}")).await.unwrap(),
        FinishResult::Completed
    );
    other.mark_done(entries[0].id, Mode::Speed).await.unwrap();
    engine.expire_and_sweep(&entries[1..]).await;
    engine.assert_charged(entries[1], 0, 1).await;
}

#[tokio::test]
async fn a_search_in_another_process_does_not_count_as_company() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    let (one, other) = (engine.process(), engine.process());
    claim(&one, entries[0]).await;
    claim(&other, entries[1]).await;
    engine.expire_and_sweep(&entries[..1]).await;
    engine.assert_charged(entries[0], 1, 0).await;
}

/// An unreadable lease must neither keep a search from being recovered nor charge it.
#[tokio::test]
async fn a_search_with_unknown_company_is_a_suspect() {
    let mut engine = Engine::start().await;
    let entry = engine.enqueue().await;
    claim(&engine.process(), entry).await;
    let holder: String = engine
        .redis
        .hget(keys::control(entry.id), "holder")
        .await
        .unwrap();
    let process = holder.split(' ').next_back().unwrap().parse().unwrap();
    let () = engine
        .redis
        .set(keys::lost_jobs(process), "text")
        .await
        .unwrap();
    assert_eq!(engine.expire_and_sweep(&[entry]).await.leases_expired, 1);
    engine.assert_charged(entry, 0, 1).await;
}

/// The previous version claims under its worker's name only, and does not change the process of an
/// earlier attempt.
#[tokio::test]
async fn searches_claimed_by_the_previous_version_are_lost_with_their_worker() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    for (number, entry) in entries.into_iter().enumerate() {
        let process = engine.process();
        claim(&process, entry).await;
        let key = keys::control(entry.id);
        match number {
            0 => {
                let () = engine.redis.hdel(&key, "holder").await.unwrap();
            }
            _ => {
                let stale = format!("{} {}", Uuid::new_v4(), Uuid::new_v4());
                let () = engine.redis.hset(&key, "holder", stale).await.unwrap();
            }
        }
        let () = engine.redis.hdel(&key, "losses").await.unwrap();
    }
    assert_eq!(engine.expire_and_sweep(&entries).await.leases_expired, 2);
    for entry in entries {
        engine.assert_charged(entry, 0, 1).await;
    }
}

#[tokio::test]
async fn a_search_that_is_repeatedly_lost_in_company_fails_in_the_end() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    for _ in 0..10 {
        let process = engine.process();
        for entry in entries {
            claim(&process, entry).await;
        }
        assert_eq!(engine.expire_and_sweep(&entries).await.leases_expired, 2);
    }
    let process = engine.process();
    for entry in entries {
        claim(&process, entry).await;
    }
    assert_eq!(engine.expire_and_sweep(&entries).await.abandoned, 2);
}

#[tokio::test]
async fn a_suspect_is_claimed_only_by_a_worker_that_has_made_room() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    for losses in 1..=2 {
        let process = engine.process();
        for entry in entries {
            claim(&process, entry).await;
        }
        engine.expire_and_sweep(&entries).await;
        let process = engine.process();
        let refused = process.claim_unless_suspect(entries[0], "worker", LEASE, losses - 1);
        match refused.await.unwrap() {
            ClaimResult::Suspect(known) => assert_eq!(known, losses),
            other => panic!("{other:?} of a suspect"),
        }
    }
    let claimed = engine
        .process()
        .claim_unless_suspect(entries[0], "worker", LEASE, 2)
        .await;
    assert!(matches!(claimed.unwrap(), ClaimResult::Started { .. }));
}

/// A loss caused by another search is not a failed attempt.
#[tokio::test]
async fn a_suspect_keeps_all_its_attempts_for_transient_failures() {
    let mut engine = Engine::start().await;
    let entries = [engine.enqueue().await, engine.enqueue().await];
    for _ in 0..2 {
        let process = engine.process();
        for entry in entries {
            claim(&process, entry).await;
        }
        engine.expire_and_sweep(&entries).await;
    }
    let process = engine.process();
    let failure = JobFailure::new("upstream_unavailable", "for now");
    for expected in [
        FailResult::Retry,
        FailResult::Retry,
        FailResult::Ended(FinishResult::Failed),
    ] {
        let lease = claim(&process, entries[0]).await;
        let failed = process.fail(&lease, &failure, 3, Duration::ZERO).await;
        assert_eq!(failed.unwrap(), expected);
    }
}
