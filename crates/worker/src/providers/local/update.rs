//! Bringing the index up to date with the files: what changed is read again, what is gone is
//! taken out. One worker at a time writes; the lock of the writer decides which.

use super::{
    entries,
    files::{self, FileState, Scan},
    reading::FileReader,
    schema::Fields,
    store::{Commit, Store},
};
use crate::pipeline::processor_count;
use anyhow::Context;
use std::{
    collections::{HashMap, HashSet},
    fs::File,
    io,
    path::{Path, PathBuf},
    sync::{
        atomic::{AtomicUsize, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::{Duration, Instant},
};
use tantivy::{IndexWriter, TantivyDocument, TantivyError, Term};
use tokio_util::sync::CancellationToken;

/// What tantivy may collect before it writes a segment.
const WRITER_BYTES: usize = 64 * 1024 * 1024;
/// How often a long build makes what it has findable.
const COMMIT_INTERVAL: Duration = Duration::from_secs(5);
/// How often a long build says how far it is.
const LOG_INTERVAL: Duration = Duration::from_secs(3);
/// Threads that read, parse and take words apart. More would only fill memory with parsed pages.
const MAX_READERS: usize = 4;

/// How an update went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Updated {
    /// The index is as the files are.
    Fresh,
    /// Another worker is writing.
    Busy,
    /// It was told to stop.
    Stopped,
}

/// What is told while it runs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Progress {
    pub(super) files: usize,
    pub(super) indexed: usize,
    pub(super) read: usize,
    pub(super) unreadable: usize,
    pub(super) building: bool,
}

/// What a worker remembers from one update to the next.
#[derive(Debug, Default)]
pub(super) struct Memory {
    /// Files that could not be read: not tried again before they can be opened.
    failed: HashSet<String>,
    /// What was wrong with the folders, so that it is said once.
    complaints: (usize, usize),
    /// The commit that `known` was read from.
    opstamp: Option<u64>,
    /// The state of each file in the index.
    known: HashMap<String, FileState>,
}

impl Memory {
    fn learn(&mut self, store: &Store) -> anyhow::Result<()> {
        let opstamp = Some(store.index.load_metas()?.opstamp);
        if self.opstamp != opstamp {
            self.known = store.known_files()?;
            self.opstamp = opstamp;
        }
        Ok(())
    }

    fn complain(&mut self, scan: &Scan) {
        let complaints = (scan.missing, scan.unreadable.len());
        if self.complaints == complaints {
            return;
        }
        self.complaints = complaints;
        if scan.missing > 0 {
            tracing::warn!(
                folders = scan.missing,
                "folders that CORPUS_PATHS names are not there"
            );
        }
        if !scan.unreadable.is_empty() {
            tracing::warn!(
                entries = scan.unreadable.len(),
                "parts of the folders in CORPUS_PATHS cannot be looked at: check their permissions"
            );
        }
    }
}

struct Job {
    address: String,
    path: PathBuf,
    state: FileState,
}

impl Job {
    /// What the index shall hold of the file.
    fn entries(&self, fields: Fields, reader: &FileReader) -> io::Result<Vec<TantivyDocument>> {
        let content = reader.read(&self.path)?;
        Ok(entries::of_file(
            fields,
            &self.address,
            self.state,
            &content,
        )?)
    }
}

struct Changes {
    jobs: Vec<Job>,
    gone: Vec<String>,
}

/// Compares, and reads and writes what differs.
///
/// # Errors
/// When the index cannot be read or written.
pub(super) fn update(
    store: &Store,
    roots: &[PathBuf],
    reader: &FileReader,
    memory: &mut Memory,
    stop: &CancellationToken,
    report: &dyn Fn(Progress),
) -> anyhow::Result<Updated> {
    let scan = files::scan(roots);
    memory.complain(&scan);
    memory
        .failed
        .retain(|address| scan.files.contains_key(address));
    memory.learn(store)?;
    let mut progress = Progress {
        files: scan.files.len(),
        unreadable: memory.failed.len(),
        ..Progress::default()
    };
    let before = store.last_commit()?;
    let changes = compare(&scan, memory);
    if before.complete && changes.jobs.is_empty() && changes.gone.is_empty() {
        progress.indexed = progress.files;
        report(progress);
        return Ok(Updated::Fresh);
    }
    let writer = match store.index.writer_with_num_threads(1, WRITER_BYTES) {
        Ok(writer) => writer,
        Err(TantivyError::LockFailure(..)) => return Ok(Updated::Busy),
        Err(error) => return Err(error).context("cannot write to the index of the local corpus"),
    };
    // Another worker may have written between the comparison and the lock.
    memory.learn(store)?;
    let changes = compare(&scan, memory);
    progress.indexed = progress.files - changes.jobs.len();
    progress.building = true;
    report(progress);
    let first = !store.last_commit()?.complete;
    Writing {
        store,
        reader,
        writer,
        progress,
        failed: &mut memory.failed,
        report,
        first,
    }
    .run(changes, stop)
}

fn compare(scan: &Scan, memory: &Memory) -> Changes {
    let Memory { known, failed, .. } = memory;
    let is_stuck =
        |address: &str, path: &Path| failed.contains(address) && File::open(path).is_err();
    let mut jobs: Vec<Job> = scan
        .files
        .iter()
        .filter(|(address, (path, state))| {
            known.get(*address) != Some(state) && !is_stuck(address, path)
        })
        .map(|(address, (path, state))| Job {
            address: address.clone(),
            path: path.clone(),
            state: *state,
        })
        .collect();
    jobs.sort_unstable_by(|a, b| a.address.cmp(&b.address));
    let gone = known
        .keys()
        .filter(|address| !scan.files.contains_key(*address))
        .cloned()
        .collect();
    Changes { jobs, gone }
}

struct Writing<'a> {
    store: &'a Store,
    reader: &'a FileReader,
    writer: IndexWriter,
    progress: Progress,
    failed: &'a mut HashSet<String>,
    report: &'a dyn Fn(Progress),
    first: bool,
}

impl Writing<'_> {
    fn run(mut self, changes: Changes, stop: &CancellationToken) -> anyhow::Result<Updated> {
        let started = Instant::now();
        let Changes { jobs, gone } = changes;
        tracing::info!(
            files = self.progress.files,
            to_read = jobs.len(),
            removed = gone.len(),
            "indexing the local corpus"
        );
        for address in &gone {
            self.remove(address);
        }
        let next = AtomicUsize::new(0);
        let readers = processor_count().min(MAX_READERS);
        thread::scope(|scope| -> anyhow::Result<()> {
            let (send, receive) = mpsc::sync_channel(readers * 2);
            let fields = self.store.fields;
            for _ in 0..readers.min(jobs.len()) {
                let (send, next, jobs, reader) = (send.clone(), &next, &jobs, self.reader);
                thread::Builder::new()
                    .name("corpus-reader".to_owned())
                    .spawn_scoped(scope, move || {
                        while !stop.is_cancelled() {
                            let Some(job) = jobs.get(next.fetch_add(1, Ordering::Relaxed)) else {
                                return;
                            };
                            if send.send((job, job.entries(fields, reader))).is_err() {
                                return;
                            }
                        }
                    })?;
            }
            drop(send);
            self.take_in(&receive, started)
        })?;
        let stopped = stop.is_cancelled();
        self.commit(!stopped)?;
        self.progress.building = false;
        (self.report)(self.progress);
        let sections = self.store.sections();
        self.writer.wait_merging_threads()?;
        if stopped {
            return Ok(Updated::Stopped);
        }
        tracing::info!(
            files = self.progress.files,
            documents = sections,
            read = self.progress.read,
            unreadable = self.progress.unreadable,
            seconds = started.elapsed().as_secs_f64(),
            "the local corpus is indexed"
        );
        Ok(Updated::Fresh)
    }

    fn take_in(
        &mut self,
        read: &Receiver<(&Job, io::Result<Vec<TantivyDocument>>)>,
        started: Instant,
    ) -> anyhow::Result<()> {
        let (mut committed, mut logged) = (Instant::now(), Instant::now());
        let mut unreadable = 0;
        for (job, entries) in read {
            self.progress.read += 1;
            match entries {
                Ok(entries) => {
                    self.write(job, entries)?;
                    self.failed.remove(&job.address);
                }
                Err(_) => {
                    unreadable += 1;
                    self.failed.insert(job.address.clone());
                }
            }
            self.progress.indexed += 1;
            self.progress.unreadable = self.failed.len();
            (self.report)(self.progress);
            if self.first && committed.elapsed() > COMMIT_INTERVAL {
                self.commit(false)?;
                committed = Instant::now();
            }
            if logged.elapsed() > LOG_INTERVAL {
                logged = Instant::now();
                tracing::info!(
                    done = self.progress.indexed,
                    total = self.progress.files,
                    seconds = started.elapsed().as_secs(),
                    "indexing the local corpus"
                );
            }
        }
        if unreadable > 0 {
            tracing::warn!(
                files = unreadable,
                "files of the local corpus cannot be read: check their permissions"
            );
        }
        Ok(())
    }

    fn remove(&self, address: &str) {
        self.writer
            .delete_term(Term::from_field_text(self.store.fields.file, address));
    }

    fn write(&self, job: &Job, entries: Vec<TantivyDocument>) -> tantivy::Result<()> {
        self.remove(&job.address);
        for entry in entries {
            self.writer.add_document(entry)?;
        }
        Ok(())
    }

    fn commit(&mut self, complete: bool) -> anyhow::Result<()> {
        let said = Commit {
            complete: complete || !self.first,
            files: self.progress.files,
            indexed: self.progress.indexed,
        };
        let mut commit = self.writer.prepare_commit()?;
        commit.set_payload(&serde_json::to_string(&said)?);
        commit.commit()?;
        self.store.reader.reload()?;
        Ok(())
    }
}
