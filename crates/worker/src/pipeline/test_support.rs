//! Scripted providers, pages and sinks for the tests of the stages.

use super::{
    deadline::Deadline,
    document::{Block, BlockKind, Document},
    fetcher::{FetchError, Page, PageFetcher},
    progress::ProgressSink,
    provider::{Hit, ProviderError, ProviderQuery, ProviderResponse, SearchProvider},
};
use async_trait::async_trait;
use privachat_core::schema::{Event, SourceType};
use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};
use url::Url;

/// A hit at position 1 with a title and an excerpt.
pub(crate) fn hit(provider: &'static str, url: &str) -> Hit {
    Hit {
        title: format!("Title of {url}"),
        url: url.to_owned(),
        snippet: "Rust is a programming language.".to_owned(),
        provider,
        position: 1,
        published: None,
        source_type: SourceType::Web,
        document: None,
    }
}

/// A document of one paragraph.
pub(crate) fn document(text: &str) -> Document {
    Document {
        title: "A page".to_owned(),
        blocks: vec![Block {
            kind: BlockKind::Paragraph,
            text: text.to_owned(),
            anchor: None,
        }],
        ..Document::default()
    }
}

/// A provider that returns one result after a delay.
pub(crate) struct ScriptedProvider {
    name: &'static str,
    delay: Duration,
    result: Result<ProviderResponse, ProviderError>,
    pub(crate) queries: Mutex<Vec<ProviderQuery>>,
    /// Calls that were dropped before they ended.
    pub(crate) dropped: AtomicUsize,
}

impl ScriptedProvider {
    /// Finds these URLs at once.
    pub(crate) fn finds(name: &'static str, urls: &[&str]) -> Arc<Self> {
        let hits = urls
            .iter()
            .zip(1..)
            .map(|(url, position)| Hit {
                position,
                ..hit(name, url)
            })
            .collect();
        Self::after(
            name,
            Duration::ZERO,
            Ok(ProviderResponse {
                hits,
                ..ProviderResponse::default()
            }),
        )
    }

    /// Fails with HTTP 502.
    pub(crate) fn fails(name: &'static str) -> Arc<Self> {
        let error = ProviderError::Unavailable {
            provider: name,
            reason: "HTTP 502".to_owned(),
        };
        Self::after(name, Duration::ZERO, Err(error))
    }

    pub(crate) fn after(
        name: &'static str,
        delay: Duration,
        result: Result<ProviderResponse, ProviderError>,
    ) -> Arc<Self> {
        Arc::new(Self {
            name,
            delay,
            result,
            queries: Mutex::default(),
            dropped: AtomicUsize::new(0),
        })
    }

    pub(crate) fn calls(&self) -> usize {
        self.queries.lock().unwrap().len()
    }
}

/// Counts a drop while the flag is false.
struct DropCounter<'a>(&'a AtomicUsize, bool);

impl Drop for DropCounter<'_> {
    fn drop(&mut self) {
        if !self.1 {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
}

#[async_trait]
impl SearchProvider for ScriptedProvider {
    fn name(&self) -> &'static str {
        self.name
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        _: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        self.queries.lock().unwrap().push(query.clone());
        let mut guard = DropCounter(&self.dropped, false);
        tokio::time::sleep(self.delay).await;
        guard.1 = true;
        self.result.clone()
    }
}

/// Pages by URL; unknown ones return 404.
#[derive(Default)]
pub(crate) struct ScriptedPages {
    pages: HashMap<String, (Duration, Result<String, FetchError>)>,
    pub(crate) asked: Mutex<Vec<String>>,
    /// The language of each request.
    pub(crate) languages: Mutex<Vec<Option<String>>>,
}

impl ScriptedPages {
    pub(crate) fn with(
        mut self,
        url: &str,
        delay: Duration,
        page: Result<&str, FetchError>,
    ) -> Self {
        self.pages
            .insert(url.to_owned(), (delay, page.map(str::to_owned)));
        self
    }
}

#[async_trait]
impl PageFetcher for ScriptedPages {
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        _: Deadline,
    ) -> Result<Page, FetchError> {
        self.asked.lock().unwrap().push(url.to_string());
        let language = language.map(str::to_owned);
        self.languages.lock().unwrap().push(language);
        let Some((delay, page)) = self.pages.get(url.as_str()) else {
            return Err(FetchError::Status(404));
        };
        tokio::time::sleep(*delay).await;
        page.clone().map(|text| Page {
            url: url.clone(),
            document: document(&text),
            cached: false,
        })
    }
}

/// A sink that records all events.
#[derive(Default)]
pub(crate) struct Recorder(pub(crate) Mutex<Vec<Event>>);

impl Recorder {
    pub(crate) fn warnings(&self) -> Vec<String> {
        self.texts(|event| match event {
            Event::Warning { message } => Some(message.clone()),
            _ => None,
        })
    }

    pub(crate) fn progress(&self) -> Vec<String> {
        self.texts(|event| match event {
            Event::Stage(progress) => Some(progress.message.clone()),
            _ => None,
        })
    }

    fn texts(&self, pick: impl Fn(&Event) -> Option<String>) -> Vec<String> {
        self.0.lock().unwrap().iter().filter_map(pick).collect()
    }
}

impl ProgressSink for Recorder {
    fn emit(&self, event: Event) {
        self.0.lock().unwrap().push(event);
    }
}
