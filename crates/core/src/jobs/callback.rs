//! The delivery state of callbacks. The job stores the address; the index `callbacks` holds the job
//! until the delivery is settled, so that another worker resumes it after a crash.

use super::{Jobs, JobsError, damage::KeyGroup, millis, scripts::job_invocation};
use crate::keys;
use redis::{FromRedisValue, Value};
use std::time::Duration;
use uuid::Uuid;

/// When a re-indexed callback is due, unless the job ends before.
const REINDEXED_CALLBACK_DELAY: Duration = Duration::from_secs(10 * 60);

/// Whether the outcome of a job is to be reported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallbackStatus {
    /// No: it was delivered or given up, there is no address, or the record is gone.
    Settled,
    /// The job has not ended.
    JobNotEnded,
    /// Yes.
    Pending {
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
    pub async fn due_callbacks(
        &self,
        limit: usize,
        lease: Duration,
    ) -> Result<Vec<Uuid>, JobsError> {
        self.take_due(keys::CALLBACKS, limit, lease).await
    }

    /// The number of jobs whose callback is not settled.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn unsettled_callback_count(&self) -> Result<u64, JobsError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(keys::CALLBACKS);
        self.query_in(KeyGroup::Queues, &command).await
    }

    /// The delivery state of a job.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn callback_status(&self, id: Uuid) -> Result<CallbackStatus, JobsError> {
        let invocation = job_invocation(&self.scripts.callback_status, id);
        let reply: Vec<Value> = self.call_in(KeyGroup::Job(id), &invocation).await?;
        let mut words = reply.into_iter().map(String::from_redis_value);
        let mut next = || words.next().and_then(Result::ok).unwrap_or_default();
        match next().as_str() {
            "NOBODY" => Ok(CallbackStatus::Settled),
            "WAIT" => Ok(CallbackStatus::JobNotEnded),
            "TELL" => Ok(CallbackStatus::Pending {
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
    pub async fn settle_callback(&self, id: Uuid) -> Result<(), JobsError> {
        // In this order: a worker later removes an indexed job that has no callback.
        let mut clear = redis::cmd("HDEL");
        clear
            .arg(keys::control(id))
            .arg(&["callback", "failed_calls"]);
        self.query_in::<u64>(KeyGroup::Job(id), &clear).await?;
        let mut strike = redis::cmd("ZREM");
        strike.arg(keys::CALLBACKS).arg(id.to_string());
        self.query_in::<u64>(KeyGroup::Queues, &strike).await?;
        Ok(())
    }

    /// Counts a failed delivery. Returns the number so far, or zero when the callback is settled.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; a repeat counts twice.
    pub async fn record_failed_delivery(&self, id: Uuid) -> Result<u32, JobsError> {
        let invocation = job_invocation(&self.scripts.delivery_failed, id);
        self.call_in(KeyGroup::Job(id), &invocation).await
    }

    /// Makes a callback due after `pause`.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn postpone_callback(&self, id: Uuid, pause: Duration) -> Result<(), JobsError> {
        self.postpone(keys::CALLBACKS, id, pause).await
    }

    /// Re-adds a job with a callback to the index `callbacks`, if it is missing there.
    pub(super) async fn reindex_callback(&self, id: Uuid) -> Result<(), JobsError> {
        if self.callback_status(id).await? == CallbackStatus::Settled {
            return Ok(());
        }
        let mut invocation = self.scripts.register.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::CALLBACKS)
            .arg(id.to_string())
            .arg(0)
            .arg(millis(REINDEXED_CALLBACK_DELAY));
        self.call_in::<u64>(KeyGroup::Queues, &invocation).await?;
        Ok(())
    }
}
