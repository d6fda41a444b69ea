//! Updating queues and index for many jobs in one script call.

use super::{
    Jobs, JobsError,
    damage::Scope,
    millis,
    scripts::{number, on_queues},
};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

/// Updates in one script call.
pub(super) const MOST: usize = 128;

/// What has happened to a job; `update_index.lua` says what each does.
#[derive(Debug, Clone, Copy)]
pub(super) enum Note {
    Track(Duration),
    Save,
    Drop,
    Saved,
}

impl Note {
    fn words(self) -> (&'static str, u64) {
        match self {
            Self::Track(until) => ("track", millis(until)),
            Self::Save => ("save", 0),
            Self::Drop => ("drop", 0),
            Self::Saved => ("saved", 0),
        }
    }
}

pub(super) type Entry = (Uuid, Mode, Note);

impl Jobs {
    /// Updates the index in the next batch. Safe to repeat.
    pub(super) async fn note(&self, id: Uuid, mode: Mode, note: Note) -> Result<(), JobsError> {
        let jobs = self.clone();
        let write = move |entries| jobs.clone().write(entries);
        self.ledger.hand_in((id, mode, note), write).await
    }

    async fn write(self, entries: Vec<Entry>) -> Result<Vec<()>, JobsError> {
        let mut invocation = self.scripts.book.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::UNSAVED)
            .key(keys::CALLBACKS);
        on_queues(&mut invocation);
        for (id, mode, note) in &entries {
            let (verb, millis) = note.words();
            invocation
                .arg(verb)
                .arg(number(*mode))
                .arg(id.to_string())
                .arg(millis);
        }
        self.call_in::<String>(Scope::Queues, &invocation).await?;
        Ok(vec![(); entries.len()])
    }
}
