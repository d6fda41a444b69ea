//! Pages that were read before are not fetched again.

use crate::pipeline::{Deadline, Document, FetchError, Page, PageFetcher};
use async_trait::async_trait;
use privachat_core::{cache::Cache, domain::DomainList, keys};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{sync::Arc, time::Duration};
use url::Url;

/// What the cache may take of a page's time, twice. A slow Redis must not cost the page.
const PATIENCE: Duration = Duration::from_millis(250);
/// Pages with more text than this, in bytes of JSON, are read anew each time.
const MOST_BYTES: usize = 1024 * 1024;
/// Counts up when [`Kept`] or the extraction changes: older pages are then not found.
const VERSION: u8 = 2;

/// A fetcher that remembers what another one read. Failures are not remembered.
///
/// A page is found by the address and the language that were asked for, not by the address that it
/// was redirected to. One that lies in an excluded domain by now is not used.
pub struct PageCache {
    /// Fetches what is not there.
    pub inner: Arc<dyn PageFetcher>,
    /// Where pages are kept.
    pub cache: Cache,
    /// For how long.
    pub ttl: Duration,
    /// Domains whose pages are never used, though they were allowed when they were kept.
    pub excluded: Arc<DomainList>,
}

/// A page as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
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
        let key = key(url, language);
        let patience = deadline.within(PATIENCE);
        let kept = patience.cut(self.cache.get(&key)).await.flatten();
        let page = kept.and_then(|bytes| read(&bytes));
        if let Some(page) = page.filter(|page| may_use(page, url, &self.excluded)) {
            return Ok(page);
        }
        let page = self.inner.fetch(url, language, deadline).await?;
        if let Some(bytes) = written(&page) {
            let patience = deadline.within(PATIENCE);
            let _late = patience.cut(self.cache.put(&key, &bytes, self.ttl)).await;
        }
        Ok(page)
    }
}

/// Whether neither the address that was asked for nor the one that it led to is excluded.
fn may_use(page: &Page, url: &Url, excluded: &DomainList) -> bool {
    !excluded.covers(url) && !excluded.covers(&page.url)
}

fn key(url: &Url, language: Option<&str>) -> String {
    let mut address = url.clone();
    address.set_fragment(None);
    let digest = Sha256::new()
        .chain_update([VERSION])
        .chain_update(language.unwrap_or_default())
        .chain_update([0])
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
