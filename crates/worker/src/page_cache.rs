//! Pages that were read before are not fetched again.

use crate::pipeline::{Deadline, Document, FetchError, Page, PageFetcher};
use async_trait::async_trait;
use privachat_core::{cache::Cache, keys};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use url::Url;

/// What the cache may take of a page's time, twice. A slow Redis must not cost the page.
const PATIENCE: Duration = Duration::from_millis(250);
/// Pages with more text than this, in bytes of JSON, are read anew each time.
const MOST_BYTES: usize = 1024 * 1024;
/// Counts up when [`Kept`] or the extraction changes: older pages are then not found.
const VERSION: u8 = 1;

/// A fetcher that remembers what another one read. Failures are not remembered.
///
/// A page is found by the address that was asked for, not by the one it was redirected to. Whoever
/// is not allowed an address does not get it from here either as long as all workers on one Redis
/// run under the same rules.
pub struct PageCache {
    /// Fetches what is not there.
    pub inner: Arc<dyn PageFetcher>,
    /// Where pages are kept.
    pub cache: Cache,
    /// For how long.
    pub ttl: Duration,
}

/// A page as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    url: String,
    document: Document,
}

#[async_trait]
impl PageFetcher for PageCache {
    async fn fetch(&self, url: &Url, deadline: Deadline) -> Result<Page, FetchError> {
        let key = key(url);
        let patience = deadline.within(PATIENCE);
        let kept = patience.cut(self.cache.get(&key)).await.flatten();
        if let Some(page) = kept.and_then(|bytes| read(&bytes)) {
            return Ok(page);
        }
        let page = self.inner.fetch(url, deadline).await?;
        if let Some(bytes) = written(&page) {
            let patience = deadline.within(PATIENCE);
            let _late = patience.cut(self.cache.put(&key, &bytes, self.ttl)).await;
        }
        Ok(page)
    }
}

fn key(url: &Url) -> String {
    let mut address = url.clone();
    address.set_fragment(None);
    let digest = Sha256::new()
        .chain_update([VERSION])
        .chain_update(address.as_str())
        .finalize();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    keys::page(&digest)
}

fn read(bytes: &[u8]) -> Option<Page> {
    let kept: Kept = serde_json::from_slice(bytes).ok()?;
    Some(Page {
        url: Url::parse(&kept.url).ok()?,
        document: kept.document,
        cached: true,
    })
}

fn written(page: &Page) -> Option<Vec<u8>> {
    let kept = Kept {
        url: page.url.to_string(),
        document: page.document.clone(),
    };
    let bytes = serde_json::to_vec(&kept).ok()?;
    (bytes.len() <= MOST_BYTES && !page.document.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests;
