//! The event log of a run: observations of the load, the faults and Redis, as JSON lines. The
//! checks use only this log, so a run can be checked again without being repeated.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// One observation. Times are milliseconds since the epoch, on the clock that Redis uses too.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Entry {
    /// The settings of the run.
    Run {
        seed: u64,
        jobs: usize,
        lease_ms: u64,
        max_attempts: u64,
    },
    /// One POST and its result; no status when no answer came.
    Posted {
        at: u64,
        answered: u64,
        /// Part of the query, so that a search can be matched to its client.
        token: String,
        key: Option<String>,
        /// Which of several bodies was sent under one key.
        body: String,
        status: Option<u16>,
        id: Option<String>,
    },
    /// One DELETE and its result.
    Cancelled {
        at: u64,
        answered: u64,
        id: String,
        status: Option<u16>,
    },
    /// A search engine was called.
    EngineCalled { at: u64, token: String },
    /// A record was seen in its final state for the first time.
    Ended { id: String, digest: u64 },
    /// A fault and its end.
    Fault {
        name: String,
        target: String,
        from: u64,
        until: u64,
    },
    /// A process ended without being killed.
    ProcessEnded { at: u64, name: String },
    /// What a worker logged.
    Line { worker: String, line: Value },
    /// All searches have been posted.
    Posts { end: u64 },
    /// Everything that Redis holds of one search at the end of the run.
    Job {
        id: String,
        record: Value,
        digest: u64,
        /// Of the record, the control hash and the stream, in seconds; negative: none.
        ttls: [i64; 3],
        control: BTreeMap<String, String>,
        events: Vec<Event>,
    },
    /// The event ids of a search's stream read in two parts, split after the event `after`.
    Parts {
        id: String,
        after: String,
        first: Vec<String>,
        second: Vec<String>,
    },
    /// What was left in the queues and indexes after all searches ended.
    Leftovers { keys: Vec<String> },
    /// Resources of the idle stack, before the load and after it.
    Resources {
        before: bool,
        clients: u64,
        files: BTreeMap<String, u64>,
    },
}

/// One event of a search's stream.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Event {
    pub id: String,
    pub kind: String,
    pub data: Value,
}

impl Event {
    /// When Redis stored it.
    pub fn time_ms(&self) -> u64 {
        let time = self.id.split('-').next().unwrap_or_default();
        time.parse().unwrap_or_default()
    }
}

/// Collects entries. Clones share them.
#[derive(Debug, Clone, Default)]
pub struct Log(Arc<Mutex<Vec<Entry>>>);

impl Log {
    pub fn note(&self, entry: Entry) {
        self.lock().push(entry);
    }

    pub fn entries(&self) -> Vec<Entry> {
        self.lock().clone()
    }

    /// Writes the log to `<folder>/<seed>.jsonl`.
    pub fn write(&self, folder: &Path, seed: u64) -> PathBuf {
        fs::create_dir_all(folder).expect("a folder for the event log");
        let path = folder.join(format!("{seed}.jsonl"));
        let line = |entry: &Entry| serde_json::to_string(entry).expect("an entry as JSON") + "\n";
        let lines: String = self.lock().iter().map(line).collect();
        fs::write(&path, lines).expect("the event log");
        path
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Entry>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Reads a log that was written before.
pub fn read(path: &Path) -> Vec<Entry> {
    let text = fs::read_to_string(path).unwrap_or_else(|error| panic!("{path:?}: {error}"));
    let entry = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
    text.lines().map(entry).collect()
}

/// Milliseconds since the epoch.
pub fn now_ms() -> u64 {
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// A hash that differs for different records.
pub fn digest(bytes: &[u8]) -> u64 {
    let mut hasher = DefaultHasher::new();
    bytes.hash(&mut hasher);
    hasher.finish()
}
