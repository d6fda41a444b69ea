//! A client wants nothing of an ended job to be left.

use super::{Jobs, JobsError, damage::Scope, scripts::on_job};
use crate::keys;
use std::time::Duration;
use uuid::Uuid;

/// How long it is known that a job was erased: longer than anybody needs to store what he has read.
const NOTED_FOR: Duration = Duration::from_secs(86_400);
/// The same of an id that has no job: one that has just expired may still be on its way elsewhere.
const ABSENCE_NOTED_FOR: Duration = Duration::from_secs(60);

/// What became of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Erased {
    /// Nothing of it is left.
    Done,
    /// There was nothing.
    Absent,
    /// It has not ended, and was left alone.
    Running,
}

impl Jobs {
    /// Erases an ended job. From now on [`Self::was_erased`] says so, until a new job gets its id:
    /// whoever has read its record and stores it looks there afterwards.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn erase(&self, id: Uuid) -> Result<Erased, JobsError> {
        let mut invocation = on_job(&self.scripts.erase, id);
        invocation
            .key(keys::erased(id))
            .arg(NOTED_FOR.as_secs())
            .arg(ABSENCE_NOTED_FOR.as_secs());
        let reply: String = self.call_in(Scope::Job(id), &invocation).await?;
        match reply.as_str() {
            "ERASED" => Ok(Erased::Done),
            "ABSENT" => Ok(Erased::Absent),
            "RUNNING" => Ok(Erased::Running),
            _ => Err(JobsError::Unexpected(reply)),
        }
    }

    /// Whether the job of that id was erased.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn was_erased(&self, id: Uuid) -> Result<bool, JobsError> {
        let mut command = redis::cmd("EXISTS");
        command.arg(keys::erased(id));
        Ok(self.redis.query(&command).await?)
    }
}
