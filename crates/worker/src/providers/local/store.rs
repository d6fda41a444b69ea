//! The index on disk: opening it, what it says about itself, and what it knows of each file.
//!
//! Layout: `<index folder>/v<schema version>-<id of the corpus paths>/`, so that workers of two
//! releases or two corpora never write into each other's index. `open.lock` is held while an
//! index is opened, made or thrown away.

use super::{
    files::FileState,
    schema::{FILE, Fields, VERSION, register_words},
};
use anyhow::Context;
use serde::{Deserialize, Serialize};
use std::{
    collections::HashMap,
    fs::{self, File},
    path::{Path, PathBuf},
    thread,
    time::Duration,
};
use tantivy::{
    DocAddress, Index, IndexReader, ReloadPolicy, TantivyDocument, Term,
    collector::{Count, DocSetCollector},
    directory::{Directory, INDEX_WRITER_LOCK, MmapDirectory, error::LockError},
    query::TermQuery,
    schema::{IndexRecordOption, Value},
};
use uuid::Uuid;

/// How long to look at an index that another worker writes to before giving up.
const OPEN_ATTEMPTS: usize = 10;
const OPEN_PAUSE: Duration = Duration::from_millis(100);

/// How far the index was at its last commit; travels in the commit itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Commit {
    /// Whether every file has been taken in since the index was made.
    pub(super) complete: bool,
    /// Files of the corpus.
    pub(super) files: usize,
    /// Of those, taken in.
    pub(super) indexed: usize,
}

/// An open index.
pub(super) struct Store {
    pub(super) index: Index,
    pub(super) reader: IndexReader,
    pub(super) fields: Fields,
}

impl Store {
    /// Opens the index in `dir`, or makes one. One that cannot be used is thrown away first.
    ///
    /// # Errors
    /// When the folder cannot be written to.
    pub(super) fn open(dir: &Path) -> anyhow::Result<Self> {
        let remedy = || {
            format!(
                "the index of the local corpus needs a writable folder, and {} is none: check \
                 its owner and free space, or set DATA_DIR to another folder",
                dir.display()
            )
        };
        fs::create_dir_all(dir).with_context(remedy)?;
        let lock = File::create(dir.join("open.lock")).with_context(remedy)?;
        lock.lock().with_context(remedy)?;
        for _ in 0..OPEN_ATTEMPTS {
            // A worker that writes can take files away while they are looked at: only an index
            // that nobody writes to can be called broken.
            let Ok(found) = Self::open_existing(dir) else {
                if let Some(store) = Self::repair(dir).with_context(remedy)? {
                    return Ok(store);
                }
                thread::sleep(OPEN_PAUSE);
                continue;
            };
            return found.map_or_else(|| Self::create(dir).with_context(remedy), Ok);
        }
        anyhow::bail!(
            "the index of the local corpus cannot be opened while another worker writes to it: start this one again"
        )
    }

    /// Opens the index, or throws it away and makes a new one; `None` while another worker writes.
    fn repair(dir: &Path) -> anyhow::Result<Option<Self>> {
        let _writing = match MmapDirectory::open(dir)?.acquire_lock(&INDEX_WRITER_LOCK) {
            Ok(lock) => lock,
            Err(LockError::LockBusy) => return Ok(None),
            Err(error) => return Err(error.into()),
        };
        match Self::open_existing(dir) {
            Ok(Some(store)) => return Ok(Some(store)),
            Ok(None) => {}
            Err(error) => {
                tracing::warn!(error = %error, "the index of the local corpus is broken and is built anew");
                clear(dir)?;
            }
        }
        Self::create(dir).map(Some)
    }

    fn open_existing(dir: &Path) -> anyhow::Result<Option<Self>> {
        let directory = MmapDirectory::open(dir)?;
        if !Index::exists(&directory)? {
            return Ok(None);
        }
        let index = Index::open(directory)?;
        let (schema, fields) = Fields::schema();
        anyhow::ensure!(
            index.schema() == schema,
            "its fields are of another version"
        );
        let damaged = index.validate_checksum()?;
        anyhow::ensure!(
            damaged.is_empty(),
            "{} of its files are damaged",
            damaged.len()
        );
        Self::with(index, fields).map(Some)
    }

    fn create(dir: &Path) -> anyhow::Result<Self> {
        let (schema, fields) = Fields::schema();
        let index = Index::open_or_create(MmapDirectory::open(dir)?, schema)?;
        Self::with(index, fields)
    }

    fn with(index: Index, fields: Fields) -> anyhow::Result<Self> {
        register_words(&index);
        let reader = index
            .reader_builder()
            .reload_policy(ReloadPolicy::Manual)
            .doc_store_cache_num_blocks(16)
            .try_into()?;
        Ok(Self {
            index,
            reader,
            fields,
        })
    }

    /// What the last commit says, by any worker.
    pub(super) fn last_commit(&self) -> anyhow::Result<Commit> {
        let payload = self.index.load_metas()?.payload;
        Ok(payload
            .and_then(|text| serde_json::from_str(&text).ok())
            .unwrap_or_default())
    }

    /// The state of each file when it was taken in, by address.
    pub(super) fn known_files(&self) -> anyhow::Result<HashMap<String, FileState>> {
        let mut known = HashMap::new();
        for entry in self.file_entries()? {
            let file = entry
                .get_first(self.fields.file)
                .and_then(|value| value.as_str());
            let size = entry
                .get_first(self.fields.size)
                .and_then(|value| value.as_u64());
            let modified = entry
                .get_first(self.fields.modified)
                .and_then(|value| value.as_i64());
            if let (Some(file), Some(size), Some(modified)) = (file, size, modified) {
                known.insert(file.to_owned(), FileState { size, modified });
            }
        }
        Ok(known)
    }

    /// The entries that say what was read of each file.
    fn file_entries(&self) -> anyhow::Result<Vec<TantivyDocument>> {
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        let mut addresses: Vec<DocAddress> = searcher
            .search(&self.all_files(), &DocSetCollector)?
            .into_iter()
            .collect();
        addresses.sort_unstable();
        let entries = addresses.into_iter().map(|address| searcher.doc(address));
        Ok(entries.collect::<tantivy::Result<_>>()?)
    }

    fn all_files(&self) -> TermQuery {
        TermQuery::new(
            Term::from_field_u64(self.fields.kind, FILE),
            IndexRecordOption::Basic,
        )
    }

    /// The files that could not be parsed, by address, with the reasons.
    pub(super) fn faults(&self) -> anyhow::Result<Vec<(String, String)>> {
        let entries = self.file_entries()?;
        let mut faults: Vec<_> = entries
            .iter()
            .filter_map(|entry| {
                let text = |field| entry.get_first(field).and_then(|value| value.as_str());
                let file = text(self.fields.file)?.to_owned();
                Some((file, text(self.fields.fault)?.to_owned()))
            })
            .collect();
        faults.sort();
        Ok(faults)
    }

    /// The languages that sections are in, the most usual one first.
    pub(super) fn languages(&self) -> anyhow::Result<Vec<String>> {
        let mut counts: HashMap<String, u32> = HashMap::new();
        for segment in self.reader.searcher().segment_readers() {
            let index = segment.inverted_index(self.fields.language)?;
            let mut terms = index.terms().stream()?;
            while terms.advance() {
                let language = String::from_utf8_lossy(terms.key()).into_owned();
                *counts.entry(language).or_default() += terms.value().doc_freq;
            }
        }
        let mut languages: Vec<(String, u32)> = counts.into_iter().collect();
        languages.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
        Ok(languages
            .into_iter()
            .map(|(language, _)| language)
            .collect())
    }

    /// Number of sections that can be found.
    pub(super) fn sections(&self) -> usize {
        let searcher = self.reader.searcher();
        let entries = usize::try_from(searcher.num_docs()).unwrap_or(usize::MAX);
        // Not the number of files that were looked at: one that could not be read has no entry.
        let files = searcher.search(&self.all_files(), &Count).unwrap_or(0);
        entries.saturating_sub(files)
    }
}

/// Where the index of these corpus paths lies.
pub(super) fn folder(index_dir: &Path, roots: &[PathBuf]) -> PathBuf {
    let mut paths: Vec<&[u8]> = roots
        .iter()
        .map(|root| root.as_os_str().as_encoded_bytes())
        .collect();
    paths.sort_unstable();
    let id = Uuid::new_v5(&Uuid::NAMESPACE_URL, &paths.join(&0));
    index_dir.join(format!("v{VERSION}-{}", id.simple()))
}

fn clear(dir: &Path) -> std::io::Result<()> {
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        // The writer's lock may be held by another worker, ours is.
        let is_lock = entry
            .path()
            .extension()
            .is_some_and(|extension| extension == "lock");
        if !is_lock && entry.file_type()?.is_file() {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
