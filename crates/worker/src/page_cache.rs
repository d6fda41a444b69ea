//! [`PageCache`] wraps a page fetcher and keeps the pages that it read in Redis.

use crate::pipeline::{Deadline, Document, FetchError, Page, PageFetcher};
use async_trait::async_trait;
use privachat_core::{cache::Cache, domain::DomainList, keys};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use url::Url;

/// Timeout of a read and of a write: a slow Redis must not cost the page.
const CACHE_TIMEOUT: Duration = Duration::from_millis(250);
/// Larger pages, in bytes of JSON, are not cached.
const MAX_CACHED_BYTES: usize = 1024 * 1024;
/// Part of the key. Increase it when [`CachedPage`] or the extraction changes, so that older pages are
/// not found.
const FORMAT_VERSION: u8 = 2;

/// A fetcher that caches the pages of another one, but not its failures.
///
/// The key is the requested address and language, not the address after redirects. A cached page
/// whose domain has been excluded since is not used.
pub struct PageCache {
    /// Fetches pages that are not cached.
    pub inner: Arc<dyn PageFetcher>,
    /// Holds the pages.
    pub cache: Cache,
    /// Life of a cached page.
    pub ttl: Duration,
    /// Pages of these domains are never used, even when they were cached before.
    pub excluded: Arc<DomainList>,
}

/// The cached form of a page.
#[derive(Serialize, Deserialize)]
struct CachedPage {
    url: String,
    document: Document,
}

#[async_trait]
impl PageFetcher for PageCache {
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError> {
        let key = cache_key(url, language);
        let patience = deadline.at_most(CACHE_TIMEOUT);
        let kept = patience.limit(self.cache.get(&key)).await.flatten();
        let page = kept.and_then(|bytes| decode(&bytes));
        if let Some(page) = page.filter(|page| is_allowed(page, url, &self.excluded)) {
            return Ok(page);
        }
        let page = self.inner.fetch(url, language, deadline).await?;
        if let Some(bytes) = encode(&page) {
            let patience = deadline.at_most(CACHE_TIMEOUT);
            let _late = patience.limit(self.cache.put(&key, &bytes, self.ttl)).await;
        }
        Ok(page)
    }
}

/// Whether neither the requested address nor the one after redirects is excluded.
fn is_allowed(page: &Page, url: &Url, excluded: &DomainList) -> bool {
    !excluded.covers(url) && !excluded.covers(&page.url)
}

fn cache_key(url: &Url, language: Option<&str>) -> String {
    let mut address = url.clone();
    address.set_fragment(None);
    let digest = Sha256::new()
        .chain_update([FORMAT_VERSION])
        .chain_update(language.unwrap_or_default())
        .chain_update([0])
        .chain_update(address.as_str())
        .finalize();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    keys::cached_page(&digest)
}

fn decode(bytes: &[u8]) -> Option<Page> {
    let kept: CachedPage = serde_json::from_slice(bytes).ok()?;
    Some(Page {
        url: Url::parse(&kept.url).ok()?,
        document: kept.document,
        cached: true,
    })
}

fn encode(page: &Page) -> Option<Vec<u8>> {
    let kept = CachedPage {
        url: page.url.to_string(),
        document: page.document.clone(),
    };
    let bytes = serde_json::to_vec(&kept).ok()?;
    (bytes.len() <= MAX_CACHED_BYTES && !page.document.is_empty()).then_some(bytes)
}

#[cfg(test)]
mod tests;
