//! A client wants a job to stop.

use super::{Failure, Jobs, JobsError, damage::Scope, scripts::on_job};
use crate::{keys, mode::Mode};
use uuid::Uuid;

/// What became of a cancel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cancelled {
    /// It had not started: it has ended now.
    AtOnce,
    /// It runs: its worker stops within a moment.
    Flagged,
    /// It has ended before.
    Ended,
    /// There is no such job.
    Absent,
}

impl Jobs {
    /// Cancels a job. After `AtOnce` and `Flagged` it never completes.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn cancel(&self, id: Uuid) -> Result<Cancelled, JobsError> {
        let failure = Failure::cancelled();
        let mut invocation = on_job(&self.scripts.cancel, id);
        invocation
            .arg(failure.error_json())
            .arg(failure.members_json())
            .arg(keys::CHANGED)
            .arg(keys::CANCELLED)
            .arg(id.to_string())
            .arg(Uuid::new_v4().to_string());
        let reply: Vec<String> = self.call_in(Scope::Job(id), &invocation).await?;
        let mut words = reply.iter().map(String::as_str);
        match words.next().unwrap_or_default() {
            "CANCELLED" => {
                if let Some(mode) = words.next().and_then(Mode::parse)
                    && let Err(error) = self.forget(id, mode).await
                {
                    // It has ended all the same, and a sweeper will see that.
                    tracing::warn!(session_id = %id, error = %error, "could not strike off a cancelled search");
                }
                Ok(Cancelled::AtOnce)
            }
            "FLAGGED" => Ok(Cancelled::Flagged),
            "ENDED" => Ok(Cancelled::Ended),
            "ABSENT" => Ok(Cancelled::Absent),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }
}
