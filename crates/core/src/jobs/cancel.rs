//! Cancelling a job.

use super::{JobFailure, Jobs, JobsError, damage::KeyGroup, scripts::job_invocation};
use crate::{keys, mode::Mode};
use uuid::Uuid;

/// The outcome of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelResult {
    /// The job was pending and has ended.
    Cancelled,
    /// The job runs; its worker stops it within a moment.
    Requested,
    /// The job had ended before.
    AlreadyEnded,
    /// The job does not exist.
    Absent,
}

impl Jobs {
    /// Cancels a job. After [`CancelResult::Cancelled`] and [`CancelResult::Requested`] it never completes.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn cancel(&self, id: Uuid) -> Result<CancelResult, JobsError> {
        let failure = JobFailure::cancelled();
        let mut invocation = job_invocation(&self.scripts.cancel, id);
        invocation
            .arg(failure.error_json())
            .arg(failure.members_json())
            .arg(keys::CHANGED_CHANNEL)
            .arg(keys::CANCELLED_CHANNEL)
            .arg(id.to_string())
            .arg(Uuid::new_v4().to_string());
        let reply: Vec<String> = self.call_in(KeyGroup::Job(id), &invocation).await?;
        let mut words = reply.iter().map(String::as_str);
        match words.next().unwrap_or_default() {
            "CANCELLED" => {
                if let Some(mode) = words.next().and_then(Mode::parse)
                    && let Err(error) = self.mark_done(id, mode).await
                {
                    // The job has ended all the same; a sweeper will update the index.
                    tracing::warn!(session_id = %id, error = %error, "cannot remove a cancelled search from the index");
                }
                Ok(CancelResult::Cancelled)
            }
            "FLAGGED" => Ok(CancelResult::Requested),
            "ENDED" => Ok(CancelResult::AlreadyEnded),
            "ABSENT" => Ok(CancelResult::Absent),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }
}
