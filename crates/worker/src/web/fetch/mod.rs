//! Fetches pages from untrusted addresses. All requests, including redirects and robots.txt, take
//! the same path: `guard` checks the address, `resolver` the IP addresses of its name, `client`
//! limits requests per host and in total, `body` limits size and type, and `block_page` detects bot
//! checks and logins. Parsing happens in a separate process ([`crate::parser`]).

mod address;
mod body;
mod client;
mod failure;
mod guard;
mod media;
mod post;
pub(crate) mod refusal;
mod resolver;
mod robots;
mod rules;
mod slots;
#[cfg(test)]
mod tests;

pub use post::{Place, Posted, Poster};
pub use rules::FetchRules;

use crate::{
    parser::{Format, Origin, ParseJob, ParserPool},
    pipeline::{Deadline, FetchError, Page, PageFetcher},
};
use async_trait::async_trait;
use client::{Client, Response, Step, Trail};
use robots::RobotsCache;
use url::Url;

/// Fetches pages over HTTP under [`FetchRules`].
#[derive(Debug)]
pub struct WebFetcher {
    client: Client,
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
            client: Client::new(rules)?,
            robots,
            parsers,
        })
    }

    async fn read(
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
            return Err(self.refused(response).await);
        }
        let format = media::format(&response)?;
        let content_type = response.content_type();
        let address = response.url.clone();
        let was_redirected = address != *url;
        // The permit is held until the page is parsed, so the host's limit covers parsing.
        let (bytes, _slot) = body::read(response, self.client.rules().max_bytes).await?;
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
    ) -> Result<Response, FetchError> {
        let mut trail = Trail::new(url);
        loop {
            // Checked first, because loading robots.txt is a request too.
            guard::check(trail.hop(), self.client.rules())?;
            self.may_read(trail.hop(), deadline).await?;
            match self.client.step(trail.hop(), language).await? {
                Step::Answer(response) => return Ok(response),
                Step::Redirect(target) => trail.follow(target)?,
            }
        }
    }

    async fn may_read(&self, url: &Url, deadline: Deadline) -> Result<(), FetchError> {
        match &self.robots {
            Some(robots) => robots.check(url, &self.client, deadline).await,
            None => Ok(()),
        }
    }

    /// The error of a response with an error status: a bot check or the plain status.
    async fn refused(&self, response: Response) -> FetchError {
        const ENOUGH: usize = 256 * 1024;
        let status = response.status.as_u16();
        let is_challenge = response.header("cf-mitigated") == Some("challenge");
        let may_be_check = matches!(status, 401 | 403 | 405 | 429 | 503);
        if is_challenge {
            return FetchError::NoContent("a bot check".into());
        }
        if !may_be_check || media::format(&response) != Ok(Format::Html) {
            return FetchError::Status(status);
        }
        let Ok((bytes, _slot)) = body::read(response, ENOUGH).await else {
            return FetchError::Status(status);
        };
        if refusal::is_bot_check_page(&String::from_utf8_lossy(&bytes)) {
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
            .cut(self.read(url, language, deadline))
            .await
            .unwrap_or(Err(FetchError::TimedOut))
    }
}
