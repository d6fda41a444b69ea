//! Fetches pages from untrusted addresses. All requests, including redirects and robots.txt, take
//! the same path: `guard` checks the address, `resolver` the IP addresses of its name, `client`
//! limits requests per host and in total, `body` limits size and type, and `block_page` detects bot
//! checks and logins. Parsing happens in a separate process ([`crate::parser`]).

mod address;
pub(crate) mod block_page;
mod body;
mod client;
mod guard;
mod host_limit;
mod media_type;
mod resolver;
mod robots;
mod rules;
#[cfg(test)]
mod tests;
mod transport_error;
mod webhook;

pub use rules::FetchRules;
pub use webhook::{WebhookClient, WebhookPermit, WebhookResponse};

use crate::{
    parser::{Format, Origin, ParseJob, ParserPool},
    pipeline::{Deadline, FetchError, Page, PageFetcher},
};
use async_trait::async_trait;
use client::{FetchClient, FetchResponse, HopResult, RedirectChain};
use robots::RobotsCache;
use url::Url;

/// Fetches pages over HTTP under [`FetchRules`].
#[derive(Debug)]
pub struct WebFetcher {
    client: FetchClient,
    robots: Option<RobotsCache>,
    parsers: ParserPool,
}

impl WebFetcher {
    /// Creates a fetcher with its own connection pools and limits; share one. `parsers` parses the
    /// fetched documents.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(rules: FetchRules, parsers: ParserPool) -> anyhow::Result<Self> {
        let robots = rules
            .respect_robots
            .then(|| RobotsCache::new(&rules.user_agent));
        Ok(Self {
            client: FetchClient::new(rules)?,
            robots,
            parsers,
        })
    }

    async fn fetch_page(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError> {
        let response = self.follow(url, language, deadline).await?;
        if response.status.as_u16() == 204 {
            return Err(FetchError::NoContent("an empty page".into()));
        }
        if !response.status.is_success() {
            return Err(self.error_for_status(response).await);
        }
        let format = media_type::document_format(&response)?;
        let content_type = response.content_type();
        let address = response.url.clone();
        let was_redirected = address != *url;
        // The permit is held until the page is parsed, so the host's limit covers parsing.
        let (bytes, _slot) = body::read_body(response, self.client.rules().max_bytes).await?;
        let job = ParseJob {
            format,
            content_type,
            origin: Origin::Page {
                url: address.clone(),
                was_redirected,
            },
            bytes,
        };
        let parsed = self.parsers.parse(job, deadline).await?;
        Ok(Page {
            url: parsed.canonical.unwrap_or(address),
            document: parsed.document,
            cached: false,
        })
    }

    /// Follows redirects here, because robots.txt is checked for each hop.
    async fn follow(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<FetchResponse, FetchError> {
        let mut trail = RedirectChain::new(url);
        loop {
            // Checked first, because loading robots.txt is a request too.
            guard::check_url(trail.hop(), self.client.rules())?;
            self.check_robots(trail.hop(), deadline).await?;
            match self.client.fetch_hop(trail.hop(), language).await? {
                HopResult::Response(response) => return Ok(response),
                HopResult::Redirect(target) => trail.follow(target)?,
            }
        }
    }

    async fn check_robots(&self, url: &Url, deadline: Deadline) -> Result<(), FetchError> {
        match &self.robots {
            Some(robots) => robots.check(url, &self.client, deadline).await,
            None => Ok(()),
        }
    }

    /// The error of a response with an error status: a bot check or the plain status.
    async fn error_for_status(&self, response: FetchResponse) -> FetchError {
        const MAX_ERROR_PAGE_BYTES: usize = 256 * 1024;
        let status = response.status.as_u16();
        let is_challenge = response.header("cf-mitigated") == Some("challenge");
        let may_be_check = matches!(status, 401 | 403 | 405 | 429 | 503);
        if is_challenge {
            return FetchError::NoContent("a bot check".into());
        }
        if !may_be_check || media_type::document_format(&response) != Ok(Format::Html) {
            return FetchError::Status(status);
        }
        let Ok((bytes, _slot)) = body::read_body(response, MAX_ERROR_PAGE_BYTES).await else {
            return FetchError::Status(status);
        };
        if block_page::is_bot_check_page(&String::from_utf8_lossy(&bytes)) {
            return FetchError::NoContent("a bot check".into());
        }
        FetchError::Status(status)
    }
}

#[async_trait]
impl PageFetcher for WebFetcher {
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError> {
        deadline
            .limit(self.fetch_page(url, language, deadline))
            .await
            .unwrap_or(Err(FetchError::TimedOut))
    }
}
