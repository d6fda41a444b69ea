//! The local corpus: how fast it is indexed, and how fast it answers.

use crate::figures::{Figure, Goal, Row, percentile};
use crate::programs;
use crate::scale::Scale;
use privachat_bench::documents::{self, Words};
use privachat_worker::parser::ParserPool;
use privachat_worker::pipeline::{Deadline, ProviderQuery, SearchProvider};
use privachat_worker::providers::local::{CorpusSettings, CorpusStatus, LocalCorpus};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;
use tokio_util::sync::CancellationToken;

const QUERIES: u64 = 1000;
/// No further round starts after this time.
const MAX_DURATION: Duration = Duration::from_secs(150);
const TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn corpus(scale: Scale) -> Row {
    let folder = TempDir::with_prefix("privachat-corpus-").expect("a folder");
    let path = folder.path().to_owned();
    let written = tokio::task::spawn_blocking(move || documents::write(&path, scale.documents));
    let bytes = written.await.expect("documents");
    let mut reading = Figure::new("index rate", "MB of HTML/s");
    let mut late = Figure::new("query p99", "ms");
    let mut middle = Figure::new("query p50", "ms");
    let mut status = CorpusStatus::default();
    let started = Instant::now();
    for turn in 0..scale.rounds {
        if turn > 0 && started.elapsed() > MAX_DURATION {
            break;
        }
        let index = TempDir::with_prefix("privachat-index-").expect("a folder");
        let began = Instant::now();
        let corpus = read(folder.path(), index.path()).await;
        let took = began.elapsed().as_secs_f64();
        status = corpus.status();
        assert!(status.ready, "{status:?}");
        // A few documents may be rejected, as in any corpus; more would make it a different corpus.
        let turned_away = scale.documents - status.indexed;
        assert!(turned_away <= 1 + scale.documents / 100, "{status:?}");
        reading.samples.push(bytes as f64 / 1e6 / took);
        let took = ask(&corpus).await;
        middle.samples.push(percentile(&took, 50));
        late.samples.push(percentile(&took, 99));
    }
    let megabytes = bytes as f64 / 1e6;
    Row {
        goals: vec![Goal::at_least(20.0, &reading), Goal::at_most(20.0, &late)],
        figures: vec![reading, middle, late],
        notes: vec![format!(
            "{} made-up HTML pages, {megabytes:.0} MB, the same in every run: words by Zipf's law, headings, \
             lists, links, navigation. Read from the file system's cache until they can be found; then \
             {QUERIES} questions of two to four words, one after the other, common and rare words mixed. \
             In the index: {} pages in {} sections; {} could not be read.",
            scale.documents, status.indexed, status.sections, status.unreadable
        )],
        ..Row::default()
    }
}

/// Indexes the folder from scratch.
async fn read(folder: &Path, index: &Path) -> Arc<LocalCorpus> {
    let settings = CorpusSettings {
        paths: vec![folder.to_owned()],
        index_dir: index.to_owned(),
        base_url: None,
    };
    let parsers = ParserPool::with_program(programs::binaries().worker.into());
    let corpus = LocalCorpus::open(settings, parsers);
    let corpus = corpus.expect("an empty index");
    let reader = Arc::clone(&corpus);
    let refresh = move || reader.refresh(&CancellationToken::new());
    let read = tokio::task::spawn_blocking(refresh).await;
    let is_fresh = read.expect("the reader ends").expect("an index");
    assert!(is_fresh, "nobody else indexes this folder");
    corpus
}

/// Milliseconds of each query.
async fn ask(corpus: &LocalCorpus) -> Vec<f64> {
    let mut took = Vec::new();
    for number in 0..QUERIES {
        let query = ProviderQuery {
            text: Words::new(number).question(),
            language: Some("en".to_owned()),
            time_range: None,
            year: None,
            limit: 10,
        };
        let began = Instant::now();
        let found = corpus.search(&query, Deadline::after(TIMEOUT)).await;
        took.push(began.elapsed().as_secs_f64() * 1000.0);
        let found = found.expect("an answer of the index");
        assert!(found.notices.is_empty(), "{:?}", found.notices);
    }
    took
}
