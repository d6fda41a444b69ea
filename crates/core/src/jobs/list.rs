//! The index: which jobs to check, archive and report next, and when.

use super::{Hint, Jobs, JobsError, damage::Scope, ids::Bytes, ledger::Note, millis};
use crate::mode::Mode;
use std::time::Duration;
use uuid::Uuid;

impl Jobs {
    /// The entry was dequeued; its job needs no check before `until` from now.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat and to ignore.
    pub async fn track(&self, hint: Hint, until: Duration) -> Result<(), JobsError> {
        self.track_id(hint.id, hint.mode, until).await
    }

    pub(super) async fn track_id(
        &self,
        id: Uuid,
        mode: Mode,
        until: Duration,
    ) -> Result<(), JobsError> {
        self.note(id, mode, Note::Track(until)).await
    }

    /// The due ids of a sorted set of the index, the longest due first. They are postponed by
    /// `pause`, so that only one worker takes each.
    pub(super) async fn take_due(
        &self,
        list: &str,
        limit: usize,
        pause: Duration,
    ) -> Result<Vec<Uuid>, JobsError> {
        let mut invocation = self.scripts.due.prepare_invoke();
        invocation.key(list).arg(limit).arg(millis(pause));
        let entries: Vec<Bytes> = self.call_in(Scope::Queues, &invocation).await?;
        self.ids_of(list, &entries).await
    }

    /// Makes an id of the index due after `pause`.
    pub(super) async fn put_off(
        &self,
        list: &str,
        id: Uuid,
        pause: Duration,
    ) -> Result<(), JobsError> {
        let mut invocation = self.scripts.postpone.prepare_invoke();
        invocation.key(list).arg(id.to_string()).arg(millis(pause));
        self.call_in::<String>(Scope::Queues, &invocation).await?;
        Ok(())
    }

    /// After the end of a job: it needs no more checks, and is to be archived and reported.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn forget(&self, id: Uuid, mode: Mode) -> Result<(), JobsError> {
        self.note(id, mode, Note::Save).await
    }

    /// Removes an id without a job: the API died before it wrote the record, or the record is gone.
    pub(super) async fn forget_unknown(&self, id: Uuid) -> Result<(), JobsError> {
        for mode in Mode::ALL {
            self.note(id, mode, Note::Drop).await?;
        }
        Ok(())
    }
}
