//! Measures the quality of answers: runs the worker's commands over the documents, questions and
//! planted answers in `tests/quality/`.

mod answers;
mod claims;
pub mod dataset;
mod report;
mod scripted_model;
mod with_model;

pub use answers::{AnswerScores, ask};
pub use claims::{ClaimScores, check_claims};
pub use report::{Figures, write};
pub use scripted_model::ScriptedModel;
pub use with_model::{ModelScores, ask_model, ask_scripted};

use crate::process::isolated;
use serde_json::Value;
use std::{fmt, path::Path, thread};
use tempfile::TempDir;

/// A count out of a total.
#[derive(Debug, Clone, Copy, Default)]
pub struct Share {
    pub hits: usize,
    pub of: usize,
}

impl Share {
    fn add(&mut self, hit: bool) {
        self.hits += usize::from(hit);
        self.of += 1;
    }
}

impl fmt::Display for Share {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.hits, self.of)
    }
}

/// A worker's binary with the documents as its corpus.
#[derive(Debug)]
pub struct CorpusWorker {
    worker: String,
    folder: TempDir,
}

impl CorpusWorker {
    /// Indexes all documents. QUALITY_WORKER names another binary to measure.
    pub fn new(worker: &str) -> Self {
        let worker = std::env::var("QUALITY_WORKER").unwrap_or_else(|_| worker.to_owned());
        let folder = tempfile::tempdir().expect("a folder for the index");
        let worker = Self { worker, folder };
        worker.json(&["search", "anything", "--provider", "local", "--json"]);
        worker
    }

    fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The JSON that a command prints. A search without results prints JSON too, and fails.
    fn json(&self, arguments: &[&str]) -> Value {
        self.json_with(&[], arguments)
    }

    /// Like [`json`](Self::json), with extra settings.
    fn json_with(&self, settings: &[(&str, String)], arguments: &[&str]) -> Value {
        let output = isolated(&self.worker)
            .current_dir(self.folder.path())
            .env("WIKIPEDIA_BASE_URL", "off")
            .env("LOG_LEVEL", "error")
            .env("CORPUS_PATHS", dataset::folder().join("documents"))
            .env("DATA_DIR", self.folder.path())
            .envs(settings.iter().map(|(name, value)| (name, value)))
            .args(arguments)
            .output()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", self.worker));
        serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {output:?}"))
    }

    /// The result of `work` for each item, two at a time.
    fn side_by_side<T: Sync, R: Send>(&self, items: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
        let (first, second) = items.split_at(items.len() / 2);
        let work = &work;
        let run = |items: &[T]| items.iter().map(work).collect::<Vec<R>>();
        thread::scope(|scope| {
            let other = scope.spawn(move || second.iter().map(work).collect::<Vec<R>>());
            let mut results = run(first);
            results.extend(other.join().expect("the other half"));
            results
        })
    }
}
