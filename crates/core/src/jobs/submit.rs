//! Enqueueing a job: add it to the index, write its record, push its queue entry.
//!
//! One script (`enqueue.lua`) does all three. In a Cluster, where record and queue are on different
//! servers, and for an id that may have been used before, there is one script for each step.

use super::{
    Callback, Jobs, JobsError, SUBMIT_GRACE, damage::Scope, error::read, millis, push::Place,
    record::Stage, scripts::on_job,
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
    pub digest: String,
    /// JSON members (`"name":value,…`) that are part of every record of the job.
    pub echo: String,
    /// How long the record lives after the job has ended.
    pub ttl: Duration,
    /// How long an attempt may run; attempts that fail share this time.
    pub running_time: Duration,
    /// How long the job may wait for a worker.
    pub longest_wait: Duration,
    /// The name of the API key that owns it. `None`: every caller may see it.
    pub owner: Option<String>,
    /// Where to report the outcome; opaque.
    pub callback: Option<String>,
}

impl NewJob {
    /// Upper bound of the job's lifetime: the sweeper has ended it by then.
    pub(super) fn longest_life(&self) -> Duration {
        self.longest_wait + 4 * self.running_time + Duration::from_secs(60)
    }
}

/// The outcome of enqueueing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Submitted {
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
    pub async fn submit(&self, job: &NewJob) -> Result<Submitted, JobsError> {
        let outcome = match self.redis.is_cluster() {
            true => self.submit_in_steps(job).await,
            false => self.accept(job.clone()).await,
        };
        match outcome {
            // The job may be stored and may run by now: its state decides whether it needs a queue
            // entry. After `Damaged`, the damaged key may belong to another job of the batch.
            Err(JobsError::Unavailable(_) | JobsError::Damaged(_)) => self.submit_once(job).await,
            outcome => outcome,
        }
    }

    async fn submit_in_steps(&self, job: &NewJob) -> Result<Submitted, JobsError> {
        let register = self.register(job);
        let create = self.create(job);
        let push = self.push_invocation(job.id, job.mode, Place::Back, job.longest_wait);
        // In this order a crash in between leaves an id that is checked in vain, never a job that
        // the index does not list.
        let steps = [&register, &create, &push];
        let (_, created, (depth, _)): (u64, String, (u64, bool)) =
            self.pipeline(job.id, &steps).await?;
        self.note_depth(depth);
        submitted(&created)
    }

    /// Enqueues a job whose id may have been used before (an idempotency key, a lost reply). An
    /// existing job gets a queue entry only if it is pending and has none.
    ///
    /// # Errors
    /// As [`Self::submit`].
    pub async fn submit_once(&self, job: &NewJob) -> Result<Submitted, JobsError> {
        let register = self.register(job);
        let create = self.create(job);
        let steps = [&register, &create];
        let (listed, created): (u64, String) = match self.pipeline(job.id, &steps).await {
            Err(JobsError::Unavailable(error)) if error.is_connection_dropped() => {
                self.pipeline(job.id, &steps).await?
            }
            outcome => outcome?,
        };
        let outcome = submitted(&created)?;
        if outcome == Submitted::Created {
            self.push_new(job, Place::Back).await?;
            return Ok(outcome);
        }
        match self.stage(job.id).await? {
            Stage::Pending if outcome == Submitted::Exists => {
                self.push_new(job, Place::BackIfNone).await?;
            }
            // It needs no check, and this call has indexed it.
            Stage::Ended if listed == 1 => {
                self.forget_unknown(job.id).await?;
                if job.callback.is_some() && self.callback(job.id).await? == Callback::Nobody {
                    self.told(job.id).await?;
                }
            }
            Stage::Pending | Stage::Processing | Stage::Ended => {}
        }
        Ok(outcome)
    }

    async fn push_new(&self, job: &NewJob, place: Place) -> Result<(), JobsError> {
        self.push(job.id, job.mode, place, job.longest_wait).await?;
        Ok(())
    }

    fn register(&self, job: &NewJob) -> ScriptInvocation<'_> {
        let mut invocation = self.scripts.register.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .arg(job.id.to_string())
            .arg(millis(SUBMIT_GRACE));
        if job.callback.is_some() {
            invocation
                .key(keys::CALLBACKS)
                .arg(millis(job.longest_life()));
        }
        invocation
    }

    fn create(&self, job: &NewJob) -> ScriptInvocation<'_> {
        let mut invocation = on_job(&self.scripts.create, job.id);
        invocation.key(keys::erased(job.id));
        begin(&mut invocation, job);
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
            Err(error) if is_script_missing(&error) => self.one_by_one(id, steps).await,
            Err(error) => match JobsError::from(error) {
                JobsError::Damaged(_) => self.one_by_one(id, steps).await,
                error => Err(error),
            },
            Ok(reply) => read(reply),
        }
    }

    async fn send(&self, pipeline: &Pipeline) -> Result<Value, RedisError> {
        self.redis
            .run_once(|mut connection| async move { pipeline.query_async(&mut connection).await })
            .await
    }

    async fn one_by_one<T: redis::FromRedisValue>(
        &self,
        id: Uuid,
        steps: &[&ScriptInvocation<'_>],
    ) -> Result<T, JobsError> {
        let mut replies = Vec::with_capacity(steps.len());
        for step in steps {
            let on_job = self.mending(Scope::Job(id), || {
                self.call_in::<Value>(Scope::Queues, step)
            });
            replies.push(on_job.await?);
        }
        read(Value::Array(replies))
    }
}

/// Appends the arguments that `new_job.lua` reads.
pub(super) fn begin(invocation: &mut ScriptInvocation<'_>, job: &NewJob) {
    // An unfinished job must not expire, however short the requested TTL.
    let until_end = job.ttl.max(job.longest_life());
    invocation
        .arg(job.mode.as_str())
        .arg(job.request.as_ref())
        .arg(&job.digest)
        .arg(&job.echo)
        .arg(job.ttl.as_secs())
        .arg(until_end.as_secs())
        .arg(millis(job.running_time))
        .arg(millis(job.longest_wait))
        .arg(job.callback.as_deref().unwrap_or_default())
        .arg(job.owner.as_deref().unwrap_or_default());
}

fn is_script_missing(error: &RedisError) -> bool {
    error.kind() == redis::ErrorKind::Server(ServerErrorKind::NoScript)
}

pub(super) fn submitted(reply: &str) -> Result<Submitted, JobsError> {
    match reply {
        "CREATED" => Ok(Submitted::Created),
        "EXISTS" => Ok(Submitted::Exists),
        "CONFLICT" => Ok(Submitted::Conflict),
        other => Err(JobsError::Unexpected(other.to_owned())),
    }
}
