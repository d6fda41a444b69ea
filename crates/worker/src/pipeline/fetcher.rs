//! The interface to the web: fetches a page and extracts its content.

use super::{deadline::Deadline, document::Document};
use async_trait::async_trait;
use std::borrow::Cow;
use url::Url;

/// A page that was fetched and parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// After redirects.
    pub url: Url,
    pub document: Document,
    /// Whether it came from the page cache.
    pub cached: bool,
}

#[async_trait]
pub trait PageFetcher: Send + Sync {
    /// Fetches `url` and extracts its main content. `language`, a two-letter code, is the preferred
    /// language of the page. Dropping the future ends the transfer.
    ///
    /// # Errors
    /// [`FetchError`] when the page is not allowed, not available, or empty.
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError>;
}

/// Why a page was not read. The messages contain no internal address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not http(s), a private address, an excluded domain, or forbidden by robots.txt.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    #[error("too slow")]
    TimedOut,
    /// A status other than success.
    #[error("HTTP {0}")]
    Status(u16),
    /// A connection error.
    #[error("not reachable ({0})")]
    Unreachable(String),
    #[error("larger than {limit_bytes} bytes")]
    TooLarge { limit_bytes: usize },
    /// A redirect loop, or a chain that is too long.
    #[error("too many redirects")]
    TooManyRedirects,
    /// Neither HTML, text nor PDF.
    #[error("cannot read the type {0}")]
    UnsupportedType(String),
    /// Fetched, but without content: empty, a bot check, a cookie wall, an error page.
    #[error("nothing to read: {0}")]
    NoContent(Cow<'static, str>),
}
