//! The local corpus: an embedded full-text index over folders of HTML, Markdown and plain text.
//!
//! [`LocalCorpus::open`] makes it searchable at once with what an earlier run has indexed;
//! [`LocalCorpus::keep_fresh`] is the background task that reads new and changed files. Files are
//! cut into sections (`sections`); the index proposes sections (`query`), `rank` scores them
//! as a whole, and `hits` makes one hit per page, which carries its matching sections so that
//! nothing has to be fetched. Several workers share one index: one writes, all read.

mod entries;
mod files;
mod hits;
mod pointers;
mod probe;
mod query;
mod rank;
mod reading;
mod schema;
mod sections;
mod snippet;
mod store;
#[cfg(test)]
mod tests;
mod tokens;
mod update;

use crate::{
    parser::ParserPool,
    pipeline::{Deadline, ProviderError, ProviderQuery, ProviderResponse, SearchProvider},
};
use anyhow::Context;
use async_trait::async_trait;
use hits::Links;
use reading::FileReader;
use std::{
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};
use store::Store;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use update::{Memory, Updated};
use url::Url;

const NAME: &str = "local";
/// How often the folders are looked at for changes.
const RESCAN_INTERVAL: Duration = Duration::from_secs(30);
/// How often to look whether the worker that builds the index is done.
const FOLLOW_INTERVAL: Duration = Duration::from_secs(1);
/// How long a search waits for the first build, and what it keeps of its time for searching.
const BUILD_PATIENCE: Duration = Duration::from_secs(5);
const SEARCH_RESERVE: Duration = Duration::from_millis(500);

/// What is indexed, and where the index is kept.
#[derive(Debug, Clone)]
pub struct CorpusSettings {
    /// Folders (or single files) of the corpus.
    pub paths: Vec<PathBuf>,
    /// Folder of the index; made when it is not there.
    pub index_dir: PathBuf,
    /// Where the corpus is served, for links; `file://` links when there is none.
    pub base_url: Option<Url>,
}

/// How far the index is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct CorpusStatus {
    /// Files of the corpus at the last look.
    pub files: usize,
    /// Of those, in the index.
    pub indexed: usize,
    /// Sections that can be found.
    pub sections: usize,
    /// Files read by this process since it started.
    pub read: usize,
    /// Files that could not be read at the last update.
    pub unreadable: usize,
    /// Whether files are being read now, here or in another worker.
    pub building: bool,
    /// Whether the whole corpus has been taken in once.
    pub ready: bool,
}

/// The provider "local".
pub struct LocalCorpus {
    roots: Vec<PathBuf>,
    folder: PathBuf,
    parsers: ParserPool,
    links: Links,
    store: RwLock<Arc<Store>>,
    memory: Mutex<Memory>,
    status: watch::Sender<CorpusStatus>,
}

impl LocalCorpus {
    /// Opens the index of this corpus, or makes an empty one. Reads no documents; `parsers` will.
    ///
    /// # Errors
    /// When the folder of the index cannot be written to; the message says what to do.
    pub fn open(settings: CorpusSettings, parsers: ParserPool) -> anyhow::Result<Arc<Self>> {
        let mut roots = Vec::new();
        for path in &settings.paths {
            if !path.exists() {
                tracing::warn!(path = %path.display(), "CORPUS_PATHS names a folder that is not there");
            }
            roots.push(std::path::absolute(path).context("CORPUS_PATHS holds an empty path")?);
        }
        let folder = store::folder(&settings.index_dir, &roots);
        let store = Store::open(&folder)?;
        let commit = store.last_commit()?;
        let status = CorpusStatus {
            files: commit.files,
            indexed: commit.indexed,
            sections: store.sections(),
            ready: commit.complete,
            ..CorpusStatus::default()
        };
        Ok(Arc::new(Self {
            links: Links::new(settings.base_url.as_ref(), &roots),
            parsers,
            roots,
            folder,
            store: RwLock::new(Arc::new(store)),
            memory: Mutex::default(),
            status: watch::Sender::new(status),
        }))
    }

    /// Takes in new, changed and deleted files, now and every half minute, until `stop`.
    pub async fn keep_fresh(self: Arc<Self>, stop: CancellationToken) {
        loop {
            let (corpus, token) = (Arc::clone(&self), stop.clone());
            let update = tokio::task::spawn_blocking(move || corpus.refresh(&token)).await;
            let outcome = update
                .map_err(anyhow::Error::from)
                .and_then(|outcome| outcome);
            if let Err(error) = &outcome {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the local corpus could not be brought up to date"
                );
            }
            let ready = self.status().ready;
            let pause = match outcome {
                Ok(false) if !ready => FOLLOW_INTERVAL,
                _ => RESCAN_INTERVAL,
            };
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Takes in new, changed and deleted files once. Blocks, on a thread of a runtime for that;
    /// `false` when another worker is doing it, or when it was stopped.
    ///
    /// # Errors
    /// When the index cannot be read or written. The next call opens it anew, and builds it anew
    /// if it is broken.
    pub fn refresh(&self, stop: &CancellationToken) -> anyhow::Result<bool> {
        let mut memory = self.memory.lock().unwrap_or_else(PoisonError::into_inner);
        let store = self.store();
        let reader = FileReader::new(self.parsers.clone());
        let read_before = self.status().read;
        let report = |progress: update::Progress| {
            self.status.send_modify(|status| {
                status.files = progress.files;
                status.indexed = progress.indexed;
                status.unreadable = progress.unreadable;
                status.building = progress.building;
                status.read = read_before + progress.read;
            });
        };
        let outcome = update::update(&store, &self.roots, &reader, &mut memory, stop, &report)
            .and_then(|updated| Ok((updated, store.last_commit()?)));
        let (updated, commit) = match outcome {
            Ok(outcome) => outcome,
            Err(error) => {
                *memory = Memory::default();
                self.reopen();
                return Err(error);
            }
        };
        store.reader.reload()?;
        self.status.send_modify(|status| {
            if updated == Updated::Busy {
                (status.files, status.indexed) = (commit.files, commit.indexed);
            }
            status.building = updated == Updated::Busy;
            status.sections = store.sections();
            status.ready = commit.complete;
        });
        Ok(updated == Updated::Fresh)
    }

    /// How far the index is now.
    #[must_use]
    pub fn status(&self) -> CorpusStatus {
        *self.status.borrow()
    }

    /// Waits until the whole corpus has been taken in once; `false` when the deadline came first.
    pub async fn ready(&self, deadline: Deadline) -> bool {
        let mut status = self.status.subscribe();
        let ready = status.wait_for(|status| status.ready);
        matches!(deadline.limit(ready).await, Some(Ok(_)))
    }

    fn store(&self) -> Arc<Store> {
        Arc::clone(&self.store.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn reopen(&self) {
        match Store::open(&self.folder) {
            Ok(store) => {
                *self.store.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(store);
            }
            Err(error) => tracing::warn!(
                error = format!("{error:#}"),
                "the index of the local corpus cannot be opened"
            ),
        }
    }
}

#[async_trait]
impl SearchProvider for LocalCorpus {
    fn name(&self) -> &'static str {
        NAME
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let mut found = ProviderResponse::default();
        if !self
            .ready(deadline.earlier_by(SEARCH_RESERVE).at_most(BUILD_PATIENCE))
            .await
        {
            let CorpusStatus { files, indexed, .. } = self.status();
            found.notices.push(format!(
                "the corpus is still being indexed: {indexed} of {files} files"
            ));
        }
        let (store, links) = (self.store(), self.links.clone());
        let (text, limit) = (query.text.clone(), query.limit);
        let search =
            tokio::task::spawn_blocking(move || hits::search(&store, &text, limit, &links));
        let Some(outcome) = deadline.limit(search).await else {
            return Err(ProviderError::TimedOut { provider: NAME });
        };
        found.hits = outcome
            .map_err(anyhow::Error::from)
            .and_then(|hits| hits)
            .map_err(|error| {
                tracing::warn!(
                    error = format!("{error:#}"),
                    "the index of the local corpus cannot be read"
                );
                ProviderError::Unavailable {
                    provider: NAME,
                    reason: "its index cannot be read".to_owned(),
                }
            })?;
        Ok(found)
    }
}
