//! Ended jobs that are not in the history yet. They stay in the index `unsaved` until they are
//! archived, so an outage of the database loses none.

use super::{Jobs, JobsError, damage::KeyGroup, index_update::IndexChange};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

impl Jobs {
    /// Ended jobs that are due to be archived, the longest due first. This postpones them by
    /// `retry`, so that no other worker archives them at the same time.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn due_for_archive(
        &self,
        limit: usize,
        retry: Duration,
    ) -> Result<Vec<Uuid>, JobsError> {
        self.take_due(keys::UNSAVED, limit, retry).await
    }

    /// The number of ended jobs that are not archived yet.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn unarchived_count(&self) -> Result<u64, JobsError> {
        let mut command = redis::cmd("ZCARD");
        command.arg(keys::UNSAVED);
        self.query_in(KeyGroup::Queues, &command).await
    }

    /// Removes a job that is archived, or cannot be because its record is gone.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn mark_archived(&self, id: Uuid) -> Result<(), JobsError> {
        self.update_index(id, Mode::Speed, IndexChange::MarkArchived)
            .await
    }
}
