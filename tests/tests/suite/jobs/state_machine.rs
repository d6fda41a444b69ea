//! The job engine against a model: random interleavings of several workers, clients and sweepers on
//! a real Redis. A failure prints the shortest sequence of steps that leads to it.

use bytes::Bytes;
use privachat_core::{
    connection::Redis,
    jobs::{
        CancelResult, ClaimResult, EnqueueResult, FailResult, FinishResult, JobFailure, Jobs,
        Lease, LeaseStatus, NewJob, QueueEntry, ReleaseResult, SweepRules, Sweeper,
    },
    mode::Mode,
};
use privachat_tests::{RedisServer, fixtures};
use proptest::{collection::vec, prelude::*, test_runner::TestCaseError};
use redis::{AsyncCommands, aio::MultiplexedConnection};
use std::time::Duration;
use uuid::Uuid;

const ACTORS: usize = 3;
const MAX_ATTEMPTS: u32 = 4;
const MAX_CRASHES: u32 = 2;
const LEASE: Duration = Duration::from_secs(600);

#[derive(Debug, Clone)]
enum Step {
    Submit {
        other_request: bool,
    },
    ClaimResult(usize),
    Heartbeat(usize),
    Report(usize),
    Complete(usize),
    Fail(usize),
    ReleaseResult(usize),
    Cancel,
    /// The current lease expires and a sweeper runs.
    Expire,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let actor = 0..ACTORS;
    let step = prop_oneof![
        2 => any::<bool>().prop_map(|other_request| Step::Submit { other_request }),
        6 => actor.clone().prop_map(Step::ClaimResult),
        2 => actor.clone().prop_map(Step::Heartbeat),
        2 => actor.clone().prop_map(Step::Report),
        2 => actor.clone().prop_map(Step::Complete),
        3 => actor.clone().prop_map(Step::Fail),
        2 => actor.prop_map(Step::ReleaseResult),
        1 => Just(Step::Cancel),
        4 => Just(Step::Expire),
    ];
    vec(step, 1..40)
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Absent,
    Pending,
    /// Leased by that actor.
    Processing(usize),
    Completed,
    FailResult,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Back {
    FailResult,
    Released,
}

/// The expected state.
struct Model {
    state: State,
    /// The actor with the current or last lease.
    newest: Option<usize>,
    /// The actor whose last call returned the job to the queue, and how: the same call again gets
    /// the same answer.
    given_back: Option<(usize, Back)>,
    attempts: u32,
    crashes: u32,
    flagged: bool,
    other_request: bool,
}

/// The actual state.
struct Engine {
    jobs: Jobs,
    redis: MultiplexedConnection,
    id: Uuid,
    leases: [Option<Lease>; ACTORS],
    ended_as: Option<String>,
}

fn job(id: Uuid, other_request: bool) -> NewJob {
    NewJob {
        request_hash: format!("request {other_request}"),
        ..fixtures::job(id)
    }
}

impl Engine {
    fn entry(&self) -> QueueEntry {
        QueueEntry {
            id: self.id,
            mode: Mode::Speed,
        }
    }

    async fn expire_and_sweep(&mut self) {
        let control = format!("{{search_job:{}}}:ctl", self.id);
        if self.redis.hexists(&control, "lease").await.unwrap() {
            let () = self.redis.hset(&control, "lease", 1).await.unwrap();
        }
        let () = self
            .redis
            .zadd("{search}:live", self.id.to_string(), 0)
            .await
            .unwrap();
        let failure = |text: &str| JobFailure::new("worker_lost", text);
        let rules = SweepRules {
            max_crashes: MAX_CRASHES,
            // Redis is younger than any real lease: a longer one would fall under the outage grace.
            lease: Duration::ZERO,
            worker_lost: failure("lost"),
            queue_expired: failure("late"),
        };
        Sweeper::new(self.jobs.clone(), rules)
            .sweep()
            .await
            .unwrap();
    }

    async fn record(&mut self) -> Option<String> {
        self.redis
            .get(format!("search_job:{}", self.id))
            .await
            .unwrap()
    }
}

impl Model {
    /// The status with which an attempt of `actor` ends, or why it cannot end.
    fn end(&mut self, actor: usize, wanted: State) -> FinishResult {
        if self.newest != Some(actor) {
            return FinishResult::Fenced;
        }
        match self.state {
            State::Processing(_) => {
                self.state = if self.flagged {
                    State::FailResult
                } else {
                    wanted
                };
                if self.state == State::Completed {
                    FinishResult::Completed
                } else {
                    FinishResult::Failed
                }
            }
            State::Completed | State::FailResult => FinishResult::AlreadyEnded,
            State::Absent | State::Pending => FinishResult::Fenced,
        }
    }

    /// The reply to a heartbeat of this actor.
    fn heartbeat(&self, actor: usize) -> LeaseStatus {
        match self.state {
            State::Processing(holder) if holder == actor && self.flagged => {
                LeaseStatus::CancelRequested
            }
            State::Processing(holder) if holder == actor => LeaseStatus::Held,
            _ => LeaseStatus::Fenced,
        }
    }

    fn lose_holder(&mut self, given_back: Option<(usize, Back)>) {
        self.state = State::Pending;
        self.newest = None;
        self.given_back = given_back;
    }
}

async fn play(step: &Step, model: &mut Model, engine: &mut Engine) -> Result<(), TestCaseError> {
    let result = Bytes::from_static(b"{\"answer\":1}");
    match *step {
        Step::Submit { other_request } => {
            let submitted = engine
                .jobs
                .enqueue(&job(engine.id, other_request))
                .await
                .unwrap();
            let expected = match model.state {
                State::Absent => {
                    model.state = State::Pending;
                    model.other_request = other_request;
                    EnqueueResult::Created
                }
                _ if model.other_request == other_request => EnqueueResult::Exists,
                _ => EnqueueResult::Conflict,
            };
            prop_assert_eq!(submitted, expected);
        }
        Step::ClaimResult(actor) => {
            let claim = engine
                .jobs
                .claim(engine.entry(), "worker", LEASE)
                .await
                .unwrap();
            match (claim, model.state) {
                (ClaimResult::Started { lease, attempt, .. }, State::Pending) => {
                    model.attempts += 1;
                    prop_assert_eq!(attempt, model.attempts);
                    model.state = State::Processing(actor);
                    model.newest = Some(actor);
                    model.given_back = None;
                    engine.leases[actor] = Some(lease);
                }
                (ClaimResult::Busy(_), State::Processing(_)) => {}
                (ClaimResult::Ended, State::Completed | State::FailResult) => {}
                (ClaimResult::Absent, State::Absent) => {}
                (claim, state) => prop_assert!(false, "{claim:?} in {state:?}"),
            }
        }
        Step::Heartbeat(actor) => {
            let Some(lease) = engine.leases[actor].clone() else {
                return Ok(());
            };
            let heartbeat = engine.jobs.heartbeat(&lease, LEASE).await.unwrap();
            prop_assert_eq!(heartbeat, model.heartbeat(actor));
        }
        Step::Report(actor) => {
            let Some(lease) = engine.leases[actor].clone() else {
                return Ok(());
            };
            let progress = Some(r#"{"stage":"search"}"#);
            let heartbeat = engine
                .jobs
                .report(&lease, 1, &[("stage", "{}".to_owned())], progress)
                .await;
            prop_assert_eq!(heartbeat.unwrap(), model.heartbeat(actor));
        }
        Step::Complete(actor) => {
            let Some(lease) = engine.leases[actor].clone() else {
                return Ok(());
            };
            let ended = engine.jobs.finish(&lease, Ok(&result)).await.unwrap();
            prop_assert_eq!(ended, model.end(actor, State::Completed));
        }
        Step::Fail(actor) => {
            let Some(lease) = engine.leases[actor].clone() else {
                return Ok(());
            };
            let failure = JobFailure::new("upstream_unavailable", "for now");
            let failed = engine
                .jobs
                .fail(&lease, &failure, MAX_ATTEMPTS, Duration::ZERO)
                .await
                .unwrap();
            let retries = model.state == State::Processing(actor)
                && !model.flagged
                && model.attempts < MAX_ATTEMPTS;
            let repeated = model.state == State::Pending
                && model.given_back == Some((actor, Back::FailResult));
            if repeated {
                prop_assert_eq!(failed, FailResult::Retry);
            } else if retries {
                model.lose_holder(Some((actor, Back::FailResult)));
                prop_assert_eq!(failed, FailResult::Retry);
            } else {
                prop_assert_eq!(
                    failed,
                    FailResult::Ended(model.end(actor, State::FailResult))
                );
            }
        }
        Step::ReleaseResult(actor) => {
            let Some(lease) = engine.leases[actor].clone() else {
                return Ok(());
            };
            let released = engine.jobs.release(&lease).await.unwrap();
            let expected = match model.state {
                State::Processing(holder) if holder == actor && model.flagged => {
                    ReleaseResult::CancelRequested
                }
                State::Processing(holder) if holder == actor => {
                    model.attempts -= 1;
                    model.lose_holder(Some((actor, Back::Released)));
                    ReleaseResult::Released
                }
                State::Pending if model.given_back == Some((actor, Back::Released)) => {
                    ReleaseResult::Released
                }
                _ => ReleaseResult::Fenced,
            };
            prop_assert_eq!(released, expected);
        }
        Step::Cancel => {
            let cancelled = engine.jobs.cancel(engine.id).await.unwrap();
            let expected = match model.state {
                State::Absent => CancelResult::Absent,
                State::Pending => {
                    model.flagged = true;
                    model.state = State::FailResult;
                    CancelResult::Cancelled
                }
                State::Processing(_) => {
                    model.flagged = true;
                    CancelResult::Requested
                }
                State::Completed | State::FailResult => CancelResult::AlreadyEnded,
            };
            prop_assert_eq!(cancelled, expected);
        }
        Step::Expire => {
            engine.expire_and_sweep().await;
            if let State::Processing(_) = model.state {
                model.crashes += 1;
                model.lose_holder(None);
                if model.flagged || model.crashes > MAX_CRASHES {
                    model.state = State::FailResult;
                }
            }
        }
    }
    assert_record_matches(model, engine).await
}

/// The record matches the model, and its bytes never change after the end.
async fn assert_record_matches(model: &Model, engine: &mut Engine) -> Result<(), TestCaseError> {
    let record = engine.record().await;
    let status = match model.state {
        State::Absent => {
            prop_assert_eq!(record, None);
            return Ok(());
        }
        State::Pending => "pending",
        State::Processing(_) => "processing",
        State::Completed => "completed",
        State::FailResult => "failed",
    };
    let record = record.unwrap_or_default();
    let expected = format!(r#"{{"status":"{status}","#);
    prop_assert!(
        record.starts_with(&expected),
        "{} instead of {}",
        record,
        status
    );
    let ttl: i64 = engine
        .redis
        .ttl(format!("search_job:{}", engine.id))
        .await
        .unwrap();
    prop_assert!(ttl > 0, "a record that never expires");
    if let Some(before) = &engine.ended_as {
        prop_assert_eq!(&record, before);
    } else if matches!(model.state, State::Completed | State::FailResult) {
        engine.ended_as = Some(record);
    }
    Ok(())
}

async fn run(server: &RedisServer, steps: &[Step]) -> Result<(), TestCaseError> {
    let jobs = Jobs::new(Redis::open(&server.url()).unwrap());
    let mut engine = Engine {
        jobs,
        redis: server.connection().await,
        id: Uuid::new_v4(),
        leases: [const { None }; ACTORS],
        ended_as: None,
    };
    let mut model = Model {
        state: State::Absent,
        newest: None,
        given_back: None,
        attempts: 0,
        crashes: 0,
        flagged: false,
        other_request: false,
    };
    for step in steps {
        play(step, &mut model, &mut engine).await?;
    }
    Ok(())
}

#[test]
fn every_interleaving_keeps_to_the_state_machine() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let server = runtime.block_on(RedisServer::start());
    let config = ProptestConfig {
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(steps in steps())| {
        runtime.block_on(run(&server, &steps))?;
    });
}
