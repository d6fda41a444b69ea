//! Building a provider's list of results.

use super::{markup, text};
use crate::pipeline::Hit;
use chrono::{DateTime, Utc};
use privachat_core::schema::SourceType;
use url::Url;

/// Excerpts are cut at this many characters.
const MAX_SNIPPET_CHARS: usize = 1000;
/// Titles are cut at this many characters.
const MAX_TITLE_CHARS: usize = 300;

/// A result as the provider gave it; title and snippet may hold markup.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Raw<'a> {
    pub(super) title: &'a str,
    pub(super) url: &'a str,
    pub(super) snippet: &'a str,
    pub(super) published: Option<DateTime<Utc>>,
    pub(super) source_type: SourceType,
}

/// A list under construction: every address once, unusable ones left out, positions in order.
#[derive(Debug)]
pub(super) struct HitList {
    provider: &'static str,
    hits: Vec<Hit>,
}

impl HitList {
    pub(super) fn new(provider: &'static str) -> Self {
        Self {
            provider,
            hits: Vec::new(),
        }
    }

    /// Adds a result and tells its index. A second result of one address only lends the first
    /// what that lacks. `None` when the address cannot be read: absent, empty, not http(s).
    pub(super) fn push(&mut self, raw: Raw<'_>) -> Option<usize> {
        let url = Url::parse(raw.url.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?;
        let snippet = text::shorten(&markup::plain(raw.snippet), MAX_SNIPPET_CHARS);
        let known = self.hits.iter().position(|hit| hit.url == url.as_str());
        if let Some(index) = known {
            let hit = self.hits.get_mut(index)?;
            if snippet.len() > hit.snippet.len() {
                hit.snippet = snippet;
            }
            hit.published = hit.published.or(raw.published);
            return Some(index);
        }
        let title = text::shorten(&markup::plain(raw.title), MAX_TITLE_CHARS);
        self.hits.push(Hit {
            title: if title.is_empty() {
                host.to_owned()
            } else {
                title
            },
            url: url.to_string(),
            snippet,
            provider: self.provider,
            position: self.hits.len() + 1,
            published: raw.published,
            source_type: raw.source_type,
            document: None,
        });
        Some(self.hits.len() - 1)
    }

    /// The best `limit` results.
    pub(super) fn finish(mut self, limit: usize) -> Vec<Hit> {
        self.hits.truncate(limit);
        self.hits
    }
}
