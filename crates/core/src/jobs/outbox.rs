//! Ended jobs on their way into the history. They stay listed until somebody says that they are
//! stored: a database that is down costs time, never a job.

use super::{Jobs, JobsError, damage::Scope, ledger::Note};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

impl Jobs {
    /// Ids of ended jobs that are due to be stored, oldest first. Asking puts them off by `retry`,
    /// so that another worker does not do the same work at the same time.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn unsaved(&self, limit: usize, retry: Duration) -> Result<Vec<Uuid>, JobsError> {
        self.take_due(keys::UNSAVED, limit, retry).await
    }

    /// How many ended jobs are not stored yet.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn unsaved_count(&self) -> Result<u64, JobsError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(keys::UNSAVED);
        self.query_in(Scope::Queues, &command).await
    }

    /// Notes that a job is stored (or cannot be: its record is gone).
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn saved(&self, id: Uuid) -> Result<(), JobsError> {
        self.note(id, Mode::Speed, Note::Saved).await
    }
}
