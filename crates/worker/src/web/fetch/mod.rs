//! Fetching pages that strangers name. Every request, redirects and robots.txt included, goes the
//! same way: `guard` judges the address, `resolver` the IP addresses behind its name, `client` holds
//! the limits per host and in total, `body` those of size and type, `refusal` recognises pages that
//! are not what was asked for. What was fetched is parsed in a process apart ([`crate::parser`]).

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
    /// A fetcher with connection pools and limits of its own: make one and share it. `parsers` reads
    /// what it fetched.
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
        // Held until the page is parsed: a host gets no more work than its share.
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

    /// Redirects are followed here, because each hop is a question to its site's robots.txt.
    async fn follow(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Response, FetchError> {
        let mut trail = Trail::new(url);
        loop {
            // Before robots.txt is asked for: that is a request too.
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

    /// Bot checks come with an error status, and the user should know which of the two it is.
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
