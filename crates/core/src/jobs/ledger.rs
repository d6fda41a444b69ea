//! The lists of the queues, kept for many jobs in one call: what is to be written while a call is on
//! its way goes with the next. One job alone waits for nobody.

use super::{Jobs, JobsError, millis};
use crate::{connection::not_connected, keys, mode::Mode};
use std::{
    mem,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::oneshot;
use uuid::Uuid;

/// Entries of one call: others wait for Redis while it runs.
const MOST: usize = 128;

/// What is to be noted of a job; the script has the meanings.
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

struct Entry {
    id: Uuid,
    mode: Mode,
    note: Note,
    written: oneshot::Sender<Result<(), JobsError>>,
}

/// What is to be written.
#[derive(Default)]
pub(super) struct Ledger(Mutex<Waiting>);

#[derive(Default)]
struct Waiting {
    entries: Vec<Entry>,
    /// Somebody is writing, and will write what is added.
    has_writer: bool,
}

impl Ledger {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry; tells whether somebody has to begin writing.
    fn add(&self, entry: Entry) -> bool {
        let mut waiting = self.lock();
        waiting.entries.push(entry);
        !mem::replace(&mut waiting.has_writer, true)
    }

    /// The next entries to write. When there are none, nobody writes any more.
    fn next(&self) -> Option<Vec<Entry>> {
        let mut waiting = self.lock();
        if waiting.entries.is_empty() {
            waiting.has_writer = false;
            return None;
        }
        let most = waiting.entries.len().min(MOST);
        Some(waiting.entries.drain(..most).collect())
    }
}

/// The one who writes. If it is dropped before its work is done (its runtime was shut down), those
/// who wait hear of it, and the next who comes writes.
struct Writer {
    ledger: Arc<Ledger>,
    is_done: bool,
}

impl Writer {
    fn next(&mut self) -> Option<Vec<Entry>> {
        let entries = self.ledger.next();
        // From then on there may be another writer.
        self.is_done = entries.is_none();
        entries
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        if !self.is_done {
            *self.ledger.lock() = Waiting::default();
        }
    }
}

impl Jobs {
    /// Writes a note, together with those of others. Safe to repeat.
    pub(super) async fn note(&self, id: Uuid, mode: Mode, note: Note) -> Result<(), JobsError> {
        let (written, answer) = oneshot::channel();
        let entry = Entry {
            id,
            mode,
            note,
            written,
        };
        if self.ledger.add(entry) {
            tokio::spawn(self.clone().write_all());
        }
        answer
            .await
            .unwrap_or_else(|_gone| Err(not_connected().into()))
    }

    async fn write_all(self) {
        let mut writer = Writer {
            ledger: Arc::clone(&self.ledger),
            is_done: false,
        };
        while let Some(entries) = writer.next() {
            let outcome = self.write(&entries).await;
            for entry in entries {
                // Who does not wait any more needs no answer.
                let _nobody_waits = entry.written.send(outcome.clone());
            }
        }
    }

    async fn write(&self, entries: &[Entry]) -> Result<(), JobsError> {
        let mut invocation = self.scripts.book.prepare_invoke();
        invocation
            .key(keys::LIVE)
            .key(keys::UNSAVED)
            .key(keys::CALLBACKS);
        for mode in Mode::ALL {
            invocation.key(keys::pending(mode)).key(keys::queue(mode));
        }
        for entry in entries {
            let (verb, millis) = entry.note.words();
            let mode = Mode::ALL.iter().position(|mode| *mode == entry.mode);
            invocation
                .arg(verb)
                .arg(mode.map_or(1, |place| place + 1))
                .arg(entry.id.to_string())
                .arg(millis);
        }
        self.call::<String>(&invocation).await?;
        Ok(())
    }
}
