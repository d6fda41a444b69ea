//! Telling somebody the outcome of a job. Whom, the job itself knows; `callbacks` lists who is to be
//! told, and stays until they were: a process that dies while it tells is followed by another.

use super::{Jobs, JobsError, damage::Scope, millis, scripts::on_job};
use crate::keys;
use redis::{FromRedisValue, Value};
use std::time::Duration;
use uuid::Uuid;

/// When a callback is looked at whose listing was lost, if nothing happens before.
const LOOK_AFTER_LOSS: Duration = Duration::from_secs(10 * 60);

/// Whom to tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Callback {
    /// Nobody: it was told, or the record is gone.
    Nobody,
    /// The job has not ended.
    NotYet,
    /// This one.
    Tell {
        /// What the submitter gave.
        address: String,
        /// Calls that have failed.
        failed_calls: u32,
        /// How long the record will live.
        left: Duration,
    },
}

impl Jobs {
    /// Ids of jobs whose outcome is due to be told, the longest due first. Asking puts them off by
    /// `lease`, so that another worker does not call at the same time.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn callbacks(&self, limit: usize, lease: Duration) -> Result<Vec<Uuid>, JobsError> {
        self.take_due(keys::CALLBACKS, limit, lease).await
    }

    /// How many jobs have somebody who is to be told.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn callbacks_count(&self) -> Result<u64, JobsError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(keys::CALLBACKS);
        self.query_in(Scope::Queues, &command).await
    }

    /// Whom to tell the outcome of this job.
    ///
    /// # Errors
    /// When Redis gave no answer.
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

    /// Notes that the outcome was told, or never will be.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn told(&self, id: Uuid) -> Result<(), JobsError> {
        // In this order: what is listed and has nobody to tell is struck off later.
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

    /// Notes that a call failed; tells how many have, or zero when there is nobody to be told any
    /// more.
    ///
    /// # Errors
    /// When Redis gave no answer; a repeat counts twice.
    pub async fn missed(&self, id: Uuid) -> Result<u32, JobsError> {
        let invocation = on_job(&self.scripts.missed, id);
        self.call_in(Scope::Job(id), &invocation).await
    }

    /// Puts a call off.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn postpone_callback(&self, id: Uuid, pause: Duration) -> Result<(), JobsError> {
        self.put_off(keys::CALLBACKS, id, pause).await
    }

    /// Lists a job that has somebody to be told and whose listing may have been lost.
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
