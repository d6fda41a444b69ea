//! Updating queues and index for many jobs in one script call.

use super::{
    Jobs, JobsError,
    damage::KeyGroup,
    millis,
    scripts::{add_queue_keys, mode_number},
};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

/// Updates in one script call.
pub(super) const MAX_BATCH: usize = 128;

/// What has happened to a job; `update_index.lua` says what each does.
#[derive(Debug, Clone, Copy)]
pub(super) enum IndexChange {
    ScheduleCheck(Duration),
    MarkDone,
    RemoveOrphan,
    MarkArchived,
}

impl IndexChange {
    fn script_args(self) -> (&'static str, u64) {
        match self {
            Self::ScheduleCheck(until) => ("track", millis(until)),
            Self::MarkDone => ("save", 0),
            Self::RemoveOrphan => ("drop", 0),
            Self::MarkArchived => ("saved", 0),
        }
    }
}

pub(super) type IndexUpdate = (Uuid, Mode, IndexChange);

impl Jobs {
    /// Updates the index in the next batch. Safe to repeat.
    pub(super) async fn update_index(
        &self,
        id: Uuid,
        mode: Mode,
        note: IndexChange,
    ) -> Result<(), JobsError> {
        let jobs = self.clone();
        let write = move |entries| jobs.clone().write_index_updates(entries);
        self.index_batcher.submit((id, mode, note), write).await
    }

    async fn write_index_updates(self, entries: Vec<IndexUpdate>) -> Result<Vec<()>, JobsError> {
        let mut invocation = self.scripts.update_index.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::UNSAVED)
            .key(keys::CALLBACKS);
        add_queue_keys(&mut invocation);
        for (id, mode, note) in &entries {
            let (verb, millis) = note.script_args();
            invocation
                .arg(verb)
                .arg(mode_number(*mode))
                .arg(id.to_string())
                .arg(millis);
        }
        self.call_in::<String>(KeyGroup::Queues, &invocation)
            .await?;
        Ok(vec![(); entries.len()])
    }
}
