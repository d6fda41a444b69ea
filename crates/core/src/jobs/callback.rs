//! The delivery state of callbacks. The job stores the address; the index `callbacks` holds the job
//! until the delivery is settled, so that another worker resumes it after a crash.

use super::{Jobs, JobsError, damage::Scope, millis, scripts::on_job};
use crate::keys;
use redis::{FromRedisValue, Value};
use std::time::Duration;
use uuid::Uuid;

/// When a re-indexed callback is due, unless the job ends before.
const LOOK_AFTER_LOSS: Duration = Duration::from_secs(10 * 60);

/// Whether the outcome of a job is to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// No: it was delivered or given up, there is no address, or the record is gone.
    Nobody,
    /// The job has not ended.
    NotYet,
    /// Yes.
    Tell {
        /// The value of [`NewJob::callback`](super::NewJob::callback).
        address: String,
        /// Deliveries that have failed.
        failed_calls: u32,
        /// How long the record still lives.
        left: Duration,
    },
}

impl Jobs {
    /// Jobs whose callback is due, the longest due first. This postpones them by `lease`, so that
    /// no other worker delivers at the same time.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn callbacks(&self, limit: usize, lease: Duration) -> Result<Vec<Uuid>, JobsError> {
        self.take_due(keys::CALLBACKS, limit, lease).await
    }

    /// The number of jobs whose callback is not settled.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn callbacks_count(&self) -> Result<u64, JobsError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(keys::CALLBACKS);
        self.query_in(Scope::Queues, &command).await
    }

    /// The delivery state of a job.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn callback(&self, id: Uuid) -> Result<Callback, JobsError> {
        let invocation = on_job(&self.scripts.callback, id);
        let reply: Vec<Value> = self.call_in(Scope::Job(id), &invocation).await?;
        let mut words = reply.into_iter().map(String::from_redis_value);
        let mut next = || words.next().and_then(Result::ok).unwrap_or_default();
        match next().as_str() {
            "NOBODY" => Ok(Callback::Nobody),
            "WAIT" => Ok(Callback::NotYet),
            "TELL" => Ok(Callback::Tell {
                address: next(),
                failed_calls: next().parse().unwrap_or(0),
                left: Duration::from_millis(next().parse().unwrap_or(0)),
            }),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Removes the callback of a job: it was delivered, or is given up.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn told(&self, id: Uuid) -> Result<(), JobsError> {
        // In this order: a worker later removes an indexed job that has no callback.
        let mut clear = redis::cmd("HDEL");
        clear
            .arg(keys::control(id))
            .arg(&["callback", "failed_calls"]);
        self.query_in::<u64>(Scope::Job(id), &clear).await?;
        let mut strike = redis::cmd("ZREM");
        strike.arg(keys::CALLBACKS).arg(id.to_string());
        self.query_in::<u64>(Scope::Queues, &strike).await?;
        Ok(())
    }

    /// Counts a failed delivery. Returns the number so far, or zero when the callback is settled.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; a repeat counts twice.
    pub async fn missed(&self, id: Uuid) -> Result<u32, JobsError> {
        let invocation = on_job(&self.scripts.missed, id);
        self.call_in(Scope::Job(id), &invocation).await
    }

    /// Makes a callback due after `pause`.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn postpone_callback(&self, id: Uuid, pause: Duration) -> Result<(), JobsError> {
        self.put_off(keys::CALLBACKS, id, pause).await
    }

    /// Re-adds a job with a callback to the index `callbacks`, if it is missing there.
    pub(super) async fn list_callback(&self, id: Uuid) -> Result<(), JobsError> {
        if self.callback(id).await? == Callback::Nobody {
            return Ok(());
        }
        let mut invocation = self.scripts.register.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::CALLBACKS)
            .arg(id.to_string())
            .arg(0)
            .arg(millis(LOOK_AFTER_LOSS));
        self.call_in::<u64>(Scope::Queues, &invocation).await?;
        Ok(())
    }
}
