//! Fetching pages that strangers name. Every request, redirects and robots.txt included, goes the
//! same way: `guard` judges the address, `resolver` the IP addresses behind its name, `client` holds
//! the limits per host and in total, `body` those of size and type, `turns` those of what is parsed at
//! once, `refusal` recognises pages that are not what was asked for.

mod address;
mod body;
mod client;
mod failure;
mod guard;
mod media;
mod post;
mod refusal;
mod resolver;
mod robots;
mod rules;
mod slots;
#[cfg(test)]
mod tests;
mod turns;

pub use post::{Place, Posted, Poster};
pub use rules::FetchRules;

use crate::{
    pipeline::{Deadline, Document, FetchError, Page, PageFetcher},
    web::{charset, extract, pdf},
};
use async_trait::async_trait;
use client::{Client, Response, Step, Trail};
use media::Media;
use robots::RobotsCache;
use turns::Turns;
use url::Url;

/// Fetches pages over HTTP under [`FetchRules`].
#[derive(Debug)]
pub struct WebFetcher {
    client: Client,
    robots: Option<RobotsCache>,
    turns: Turns,
}

impl WebFetcher {
    /// A fetcher with connection pools and limits of its own: make one and share it.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(rules: FetchRules) -> anyhow::Result<Self> {
        let robots = rules
            .respect_robots
            .then(|| RobotsCache::new(&rules.user_agent));
        Ok(Self {
            client: Client::new(rules)?,
            robots,
            turns: Turns::new(),
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
            return Err(FetchError::NoContent("an empty page"));
        }
        if !response.status.is_success() {
            return Err(self.refused(response).await);
        }
        let media = Media::of(&response)?;
        let content_type = response.content_type();
        let address = response.url.clone();
        let was_redirected = address != *url;
        let (bytes, slot) = body::read(response, self.client.rules().max_bytes).await?;
        let base = address.clone();
        let turn = self.turns.take(&bytes).await;
        let (document, stated) = tokio::task::spawn_blocking(move || {
            // Until the page is parsed, also when nobody waits for it any more.
            let _held = (slot, turn);
            if media == Media::Pdf || bytes.starts_with(pdf::MAGIC) {
                let document = pdf::pdf(&bytes, pdf::Limits::default())?;
                return Ok((extract::readable(document), None));
            }
            let text = charset::decode(&bytes, content_type.as_deref());
            let (document, stated) = extract_as(media, &text, &base);
            match refusal::reason(&document, &text, &base, was_redirected) {
                Some(reason) => Err(FetchError::NoContent(reason)),
                None => Ok((extract::readable(document), stated)),
            }
        })
        .await
        .unwrap_or(Err(FetchError::NoContent("a page that cannot be parsed")))?;
        Ok(Page {
            url: stated.unwrap_or(address),
            document,
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
        let Some(robots) = &self.robots else {
            return Ok(());
        };
        if robots.allows(url, &self.client, deadline).await {
            return Ok(());
        }
        Err(FetchError::Forbidden("robots.txt"))
    }

    /// Bot checks come with an error status, and the user should know which of the two it is.
    async fn refused(&self, response: Response) -> FetchError {
        const ENOUGH: usize = 256 * 1024;
        let status = response.status.as_u16();
        let is_challenge = response.header("cf-mitigated") == Some("challenge");
        let may_be_check = matches!(status, 401 | 403 | 405 | 429 | 503);
        if is_challenge {
            return FetchError::NoContent("a bot check");
        }
        if !may_be_check || Media::of(&response) != Ok(Media::Html) {
            return FetchError::Status(status);
        }
        let Ok((bytes, _slot)) = body::read(response, ENOUGH).await else {
            return FetchError::Status(status);
        };
        if refusal::is_bot_check_page(&String::from_utf8_lossy(&bytes)) {
            return FetchError::NoContent("a bot check");
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

/// What the page says, and where it says that it is.
fn extract_as(media: Media, text: &str, base: &Url) -> (Document, Option<Url>) {
    match media {
        Media::Html => extract::page(text, Some(base)),
        Media::Markdown => (extract::markdown(text), None),
        // Whatever calls itself a PDF and is none went the way of one.
        Media::Text | Media::Pdf => (extract::plain_text(text), None),
    }
}
