//! Erasing an ended job.

use super::{Jobs, JobsError, damage::KeyGroup, scripts::job_invocation};
use crate::keys;
use std::time::Duration;
use uuid::Uuid;

/// How long the mark of an erased job lives: longer than archiving a job can take.
const ERASED_MARK_TTL: Duration = Duration::from_secs(86_400);
/// The same for an id without a job: a record that has just expired may still be being archived.
const ABSENT_MARK_TTL: Duration = Duration::from_secs(60);

/// The outcome of an erasure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EraseResult {
    /// All keys of the job are deleted.
    Erased,
    /// The job had no keys.
    Absent,
    /// The job has not ended; nothing was deleted.
    NotEnded,
}

impl Jobs {
    /// Erases an ended job and marks it as erased until a new job gets its id. After archiving a
    /// job, check [`Self::was_erased`]: the erasure may have come in between.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn erase(&self, id: Uuid) -> Result<EraseResult, JobsError> {
        let mut invocation = job_invocation(&self.scripts.erase, id);
        invocation
            .key(keys::erased(id))
            .arg(ERASED_MARK_TTL.as_secs())
            .arg(ABSENT_MARK_TTL.as_secs());
        let reply: String = self.call_in(KeyGroup::Job(id), &invocation).await?;
        match reply.as_str() {
            "ERASED" => Ok(EraseResult::Erased),
            "ABSENT" => Ok(EraseResult::Absent),
            "RUNNING" => Ok(EraseResult::NotEnded),
            _ => Err(JobsError::Unexpected(reply)),
        }
    }

    /// Whether the job with this id is marked as erased.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn was_erased(&self, id: Uuid) -> Result<bool, JobsError> {
        let mut command = redis::cmd("EXISTS");
        command.arg(keys::erased(id));
        Ok(self.redis.query(&command).await?)
    }
}
