//! Enqueueing a job: add it to the index, write its record, push its queue entry.
//!
//! One script (`enqueue.lua`) does all three. In a Cluster, where record and queue are on different
//! servers, and for an id that may have been used before, there is one script for each step.

use super::{
    CallbackStatus, ENQUEUE_GRACE, Jobs, JobsError, damage::KeyGroup, error::parse_reply, millis,
    push::Position, record::JobState, scripts::job_invocation,
};
use crate::{keys, mode::Mode};
use bytes::Bytes;
use redis::{Pipeline, RedisError, ScriptInvocation, ServerErrorKind, Value};
use std::time::Duration;
use uuid::Uuid;

/// A job to enqueue.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The same id is the same job.
    pub id: Uuid,
    /// Its queue.
    pub mode: Mode,
    /// Opaque; the claim hands it to the worker.
    pub request: Bytes,
    /// Distinguishes requests with the same id; may be empty for an id that is used once.
    pub request_hash: String,
    /// JSON members (`"name":value,…`) that are part of every record of the job.
    pub public_fields: String,
    /// How long the record lives after the job has ended.
    pub ttl: Duration,
    /// How long an attempt may run; attempts that fail share this time.
    pub run_timeout: Duration,
    /// How long the job may wait for a worker.
    pub queue_timeout: Duration,
    /// The name of the API key that owns it. `None`: every caller may see it.
    pub owner: Option<String>,
    /// Where to report the outcome; opaque.
    pub callback: Option<String>,
}

impl NewJob {
    /// Upper bound of the job's lifetime: the sweeper has ended it by then.
    pub(super) fn max_lifetime(&self) -> Duration {
        self.queue_timeout + 4 * self.run_timeout + Duration::from_secs(60)
    }
}

/// The outcome of enqueueing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EnqueueResult {
    /// The job is stored.
    Created,
    /// It was stored before: same id, same request.
    Exists,
    /// The id belongs to a different request.
    Conflict,
}

impl Jobs {
    /// Stores a job under a fresh id and adds its queue entry. Once this returns `Created` (or
    /// `Exists`, after a lost reply) the job is safe.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer: the job may be stored or not; repeat the call.
    pub async fn enqueue(&self, job: &NewJob) -> Result<EnqueueResult, JobsError> {
        let outcome = match self.redis.is_cluster() {
            true => self.enqueue_in_steps(job).await,
            false => self.enqueue_batched(job.clone()).await,
        };
        match outcome {
            // The job may be stored and may run by now: its state decides whether it needs a queue
            // entry. After `Damaged`, the damaged key may belong to another job of the batch.
            Err(JobsError::Unavailable(_) | JobsError::Damaged(_)) => {
                self.enqueue_idempotent(job).await
            }
            outcome => outcome,
        }
    }

    async fn enqueue_in_steps(&self, job: &NewJob) -> Result<EnqueueResult, JobsError> {
        let register = self.register(job);
        let create = self.create(job);
        let push = self.push_invocation(job.id, job.mode, Position::Tail, job.queue_timeout);
        // In this order a crash in between leaves an id that is checked in vain, never a job that
        // the index does not list.
        let steps = [&register, &create, &push];
        let (_, created, (depth, _)): (u64, String, (u64, bool)) =
            self.pipeline(job.id, &steps).await?;
        self.remember_depth(depth);
        parse_enqueue_result(&created)
    }

    /// Enqueues a job whose id may have been used before (an idempotency key, a lost reply). An
    /// existing job gets a queue entry only if it is pending and has none.
    ///
    /// # Errors
    /// As [`Self::enqueue`].
    pub async fn enqueue_idempotent(&self, job: &NewJob) -> Result<EnqueueResult, JobsError> {
        let register = self.register(job);
        let create = self.create(job);
        let steps = [&register, &create];
        let (listed, created): (u64, String) = match self.pipeline(job.id, &steps).await {
            Err(JobsError::Unavailable(error)) if error.is_connection_dropped() => {
                self.pipeline(job.id, &steps).await?
            }
            outcome => outcome?,
        };
        let outcome = parse_enqueue_result(&created)?;
        if outcome == EnqueueResult::Created {
            self.push_entry(job, Position::Tail).await?;
            return Ok(outcome);
        }
        match self.state(job.id).await? {
            JobState::Pending if outcome == EnqueueResult::Exists => {
                self.push_entry(job, Position::TailIfAbsent).await?;
            }
            // It needs no check, and this call has indexed it.
            JobState::Ended if listed == 1 => {
                self.remove_orphan(job.id).await?;
                if job.callback.is_some()
                    && self.callback_status(job.id).await? == CallbackStatus::Settled
                {
                    self.settle_callback(job.id).await?;
                }
            }
            JobState::Pending | JobState::Processing | JobState::Ended => {}
        }
        Ok(outcome)
    }

    async fn push_entry(&self, job: &NewJob, place: Position) -> Result<(), JobsError> {
        self.push(job.id, job.mode, place, job.queue_timeout)
            .await?;
        Ok(())
    }

    fn register(&self, job: &NewJob) -> ScriptInvocation<'_> {
        let mut invocation = self.scripts.register.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .arg(job.id.to_string())
            .arg(millis(ENQUEUE_GRACE));
        if job.callback.is_some() {
            invocation
                .key(keys::CALLBACKS)
                .arg(millis(job.max_lifetime()));
        }
        invocation
    }

    fn create(&self, job: &NewJob) -> ScriptInvocation<'_> {
        let mut invocation = job_invocation(&self.scripts.create, job.id);
        invocation.key(keys::erased(job.id));
        add_new_job_args(&mut invocation, job);
        invocation
    }

    /// Sends scripts in one round trip. It does not repeat them: the caller handles a lost reply.
    async fn pipeline<T: redis::FromRedisValue>(
        &self,
        id: Uuid,
        steps: &[&ScriptInvocation<'_>],
    ) -> Result<T, JobsError> {
        let mut pipeline = Pipeline::with_capacity(steps.len());
        for step in steps {
            pipeline.invoke_script(step);
        }
        match self.send(&pipeline).await {
            // A pipeline does not load missing scripts; a single call does, on the right server.
            Err(error) if is_script_missing(&error) => self.call_each(id, steps).await,
            Err(error) => match JobsError::from(error) {
                JobsError::Damaged(_) => self.call_each(id, steps).await,
                error => Err(error),
            },
            Ok(reply) => parse_reply(reply),
        }
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Value, RedisError> {
        self.redis
            .run_once(|mut connection| async move { pipeline.query_async(&mut connection).await })
            .await
    }

    async fn call_each<T: redis::FromRedisValue>(
        &self,
        id: Uuid,
        steps: &[&ScriptInvocation<'_>],
    ) -> Result<T, JobsError> {
        let mut replies = Vec::with_capacity(steps.len());
        for step in steps {
            let on_job = self.with_repair(KeyGroup::Job(id), || {
                self.call_in::<Value>(KeyGroup::Queues, step)
            });
            replies.push(on_job.await?);
        }
        parse_reply(Value::Array(replies))
    }
}

/// Appends the arguments that `new_job.lua` reads.
pub(super) fn add_new_job_args(invocation: &mut ScriptInvocation<'_>, job: &NewJob) {
    // An unfinished job must not expire, however short the requested TTL.
    let until_end = job.ttl.max(job.max_lifetime());
    invocation
        .arg(job.mode.as_str())
        .arg(job.request.as_ref())
        .arg(&job.request_hash)
        .arg(&job.public_fields)
        .arg(job.ttl.as_secs())
        .arg(until_end.as_secs())
        .arg(millis(job.run_timeout))
        .arg(millis(job.queue_timeout))
        .arg(job.callback.as_deref().unwrap_or_default())
        .arg(job.owner.as_deref().unwrap_or_default());
}

fn is_script_missing(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript)
}

pub(super) fn parse_enqueue_result(reply: &str) -> Result<EnqueueResult, JobsError> {
    match reply {
        "CREATED" => Ok(EnqueueResult::Created),
        "EXISTS" => Ok(EnqueueResult::Exists),
        "CONFLICT" => Ok(EnqueueResult::Conflict),
        other => Err(JobsError::Unexpected(other.to_owned())),
    }
}
