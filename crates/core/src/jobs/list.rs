//! The list of jobs that somebody has to look at.

use super::{Hint, Jobs, JobsError, damage::Scope, ids::Bytes, ledger::Note, millis};
use crate::mode::Mode;
use std::time::Duration;
use uuid::Uuid;

impl Jobs {
    /// A hint was taken and needs no other look before `until` from now.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat, and safe to leave out.
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

    /// Ids of a list whose time has come, the longest due first. They are put off by `pause`, so that
    /// one worker takes each.
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

    /// Puts an id off that is listed.
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

    /// After the end of a job: nobody has to look at it again, except for the history
    /// and those who are to be told.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn forget(&self, id: Uuid, mode: Mode) -> Result<(), JobsError> {
        self.note(id, mode, Note::Save).await
    }

    /// An id without a job: its submitter died before the record was there, or the record is gone.
    pub(super) async fn forget_unknown(&self, id: Uuid) -> Result<(), JobsError> {
        for mode in Mode::ALL {
            self.note(id, mode, Note::Drop).await?;
        }
        Ok(())
    }
}
