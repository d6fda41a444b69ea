//! The seam to the web: fetching one page and reading what it says.

use super::{deadline::Deadline, document::Document};
use async_trait::async_trait;
use std::borrow::Cow;
use url::Url;

/// A page that was fetched and read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Its address after redirects.
    pub url: Url,
    /// Its main content.
    pub document: Document,
    /// Whether it was fetched earlier and kept.
    pub cached: bool,
}

/// Fetches pages.
#[async_trait]
pub trait PageFetcher: Send + Sync {
    /// Fetches `url` and extracts its main content. A site that has the page in several languages
    /// is asked for `language`, a two-letter code. Dropping the future ends the transfer.
    ///
    /// # Errors
    /// When the page cannot be had, may not be had, or holds nothing to read.
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError>;
}

/// Why a page was not read. The messages name no internal address.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FetchError {
    /// Not an http(s) address, or one that is never read: private, excluded, forbidden by robots.txt.
    #[error("not allowed: {0}")]
    Forbidden(&'static str),
    /// No answer in time.
    #[error("too slow")]
    TimedOut,
    /// The server said no.
    #[error("HTTP {0}")]
    Status(u16),
    /// Connection trouble.
    #[error("not reachable ({0})")]
    Unreachable(String),
    /// More bytes than we are willing to read.
    #[error("larger than {limit_bytes} bytes")]
    TooLarge {
        /// The limit.
        limit_bytes: usize,
    },
    /// A redirect loop or too long a chain.
    #[error("too many redirects")]
    TooManyRedirects,
    /// Neither HTML nor text (nor PDF).
    #[error("cannot read the type {0}")]
    UnsupportedType(String),
    /// Fetched, but there is nothing to read: empty, a bot check, a cookie wall, an error page.
    #[error("nothing to read: {0}")]
    NoContent(Cow<'static, str>),
}
