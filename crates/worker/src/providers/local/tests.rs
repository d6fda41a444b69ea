mod finding;
mod keeping;

use super::*;
use crate::pipeline::{BlockKind, Hit};
use std::{fs, path::Path};
use tempfile::TempDir;

struct Corpus {
    folder: TempDir,
    index: TempDir,
}

impl Corpus {
    fn new(files: &[(&str, &str)]) -> Self {
        let corpus = Self {
            folder: tempfile::tempdir().unwrap(),
            index: tempfile::tempdir().unwrap(),
        };
        for (name, text) in files {
            corpus.write(name, text);
        }
        corpus
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write(&self, name: &str, text: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn settings(&self) -> CorpusSettings {
        CorpusSettings {
            paths: vec![self.folder.path().to_owned()],
            index_dir: self.index.path().to_owned(),
            base_url: None,
        }
    }

    fn open(&self) -> Arc<LocalCorpus> {
        LocalCorpus::open(self.settings(), ParserPool::default()).unwrap()
    }

    fn built(&self) -> Arc<LocalCorpus> {
        let corpus = self.open();
        assert!(refresh(&corpus));
        corpus
    }
}

fn refresh(corpus: &LocalCorpus) -> bool {
    corpus.refresh(&CancellationToken::new()).unwrap()
}

async fn found(corpus: &LocalCorpus, text: &str) -> ProviderResponse {
    within(corpus, text, Duration::from_secs(20)).await
}

async fn within(corpus: &LocalCorpus, text: &str, budget: Duration) -> ProviderResponse {
    let query = ProviderQuery {
        text: text.to_owned(),
        language: None,
        time_range: None,
        year: None,
        limit: 10,
    };
    corpus
        .search(&query, Deadline::after(budget))
        .await
        .unwrap()
}

async fn hits(corpus: &LocalCorpus, text: &str) -> Vec<Hit> {
    found(corpus, text).await.hits
}

async fn first(corpus: &LocalCorpus, text: &str) -> Hit {
    hits(corpus, text).await.into_iter().next().expect("a hit")
}

fn ends_with(hit: &Hit, end: &str) -> bool {
    assert!(
        hit.url.ends_with(end),
        "{} does not end with {end}",
        hit.url
    );
    true
}
