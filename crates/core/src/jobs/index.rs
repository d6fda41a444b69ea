//! The index: which jobs to check, archive and report next, and when.

use super::{
    Jobs, JobsError, QueueEntry, damage::KeyGroup, ids::RawEntry, index_update::IndexChange, millis,
};
use crate::mode::Mode;
use std::time::Duration;
use uuid::Uuid;

impl Jobs {
    /// The entry was dequeued; its job needs no check before `until` from now.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat and to ignore.
    pub async fn schedule_check(
        &self,
        entry: QueueEntry,
        until: Duration,
    ) -> Result<(), JobsError> {
        self.schedule_check_by_id(entry.id, entry.mode, until).await
    }

    pub(super) async fn schedule_check_by_id(
        &self,
        id: Uuid,
        mode: Mode,
        until: Duration,
    ) -> Result<(), JobsError> {
        self.update_index(id, mode, IndexChange::ScheduleCheck(until))
            .await
    }

    /// The due ids of a sorted set of the index, the longest due first. They are postponed by
    /// `pause`, so that only one worker takes each.
    pub(super) async fn take_due(
        &self,
        list: &str,
        limit: usize,
        pause: Duration,
    ) -> Result<Vec<Uuid>, JobsError> {
        let mut invocation = self.scripts.take_due.prepare_invoke();
        invocation.key(list).arg(limit).arg(millis(pause));
        let entries: Vec<RawEntry> = self.call_in(KeyGroup::Queues, &invocation).await?;
        self.valid_ids(list, &entries).await
    }

    /// Makes an id of the index due after `pause`.
    pub(super) async fn postpone(
        &self,
        list: &str,
        id: Uuid,
        pause: Duration,
    ) -> Result<(), JobsError> {
        let mut invocation = self.scripts.postpone.prepare_invoke();
        invocation.key(list).arg(id.to_string()).arg(millis(pause));
        self.call_in::<String>(KeyGroup::Queues, &invocation)
            .await?;
        Ok(())
    }

    /// After the end of a job: it needs no more checks, and is to be archived and reported.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn mark_done(&self, id: Uuid, mode: Mode) -> Result<(), JobsError> {
        self.update_index(id, mode, IndexChange::MarkDone).await
    }

    /// Removes an id without a job: the API died before it wrote the record, or the record is gone.
    pub(super) async fn remove_orphan(&self, id: Uuid) -> Result<(), JobsError> {
        for mode in Mode::ALL {
            self.update_index(id, mode, IndexChange::RemoveOrphan)
                .await?;
        }
        Ok(())
    }
}
