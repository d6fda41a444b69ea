//! Builds a provider's list of hits.

use super::{markup, text};
use crate::{cleaning, pipeline::Hit};
use chrono::{DateTime, Utc};
use privachat_core::schema::SourceType;
use url::Url;

/// Excerpts are cut at this many characters.
const MAX_SNIPPET_CHARS: usize = 1000;
/// Titles are cut at this many characters.
const MAX_TITLE_CHARS: usize = 300;

/// Only this many bytes of a title or an excerpt are read: enough for text and markup.
const MAX_RAW_BYTES: usize = 64 * 1024;
/// Hits with a longer address are dropped: few servers accept one.
const MAX_URL_BYTES: usize = 8 * 1024;

/// A hit as the provider returned it; title and snippet may hold markup.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RawHit<'a> {
    pub(super) title: &'a str,
    pub(super) url: &'a str,
    pub(super) snippet: &'a str,
    pub(super) published: Option<DateTime<Utc>>,
    pub(super) source_type: SourceType,
}

/// The list of hits: without duplicate addresses and unusable hits, numbered in order.
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

    /// Adds a hit and returns its index. A second hit with the same address only fills in what the
    /// first lacks. `None` when the address is absent, too long or not http(s).
    pub(super) fn push(&mut self, raw: RawHit<'_>) -> Option<usize> {
        if raw.url.len() > MAX_URL_BYTES {
            return None;
        }
        let url = Url::parse(raw.url.trim()).ok()?;
        if !matches!(url.scheme(), "http" | "https") {
            return None;
        }
        let host = url.host_str()?;
        let snippet = plain_line(raw.snippet, MAX_SNIPPET_CHARS);
        let known = self.hits.iter().position(|hit| hit.url == url.as_str());
        if let Some(index) = known {
            let hit = self.hits.get_mut(index)?;
            if snippet.len() > hit.snippet.len() {
                hit.snippet = snippet;
            }
            hit.published = hit.published.or(raw.published);
            return Some(index);
        }
        let title = plain_line(raw.title, MAX_TITLE_CHARS);
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

    /// The first `limit` hits.
    pub(super) fn finish(mut self, limit: usize) -> Vec<Hit> {
        self.hits.truncate(limit);
        self.hits
    }
}

/// Shortened plain text of one line. Invisible characters are removed after the markup, which can
/// encode any character as an entity.
fn plain_line(source: &str, max_chars: usize) -> String {
    let end = source.floor_char_boundary(MAX_RAW_BYTES);
    let plain = markup::to_plain_text(source.get(..end).unwrap_or_default());
    text::shorten(&cleaning::clean_line(&plain, usize::MAX), max_chars)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cleaning::tests::unwanted;

    fn hit(title: &str, snippet: &str) -> Hit {
        let mut list = HitList::new("test");
        list.push(RawHit {
            title,
            snippet,
            url: "https://a.example/",
            ..RawHit::default()
        });
        list.finish(1).remove(0)
    }

    #[test]
    fn invisible_characters_are_removed_from_title_and_snippet() {
        for c in unwanted().filter(|c| !c.is_whitespace()) {
            let bare = format!("so{c}me");
            let entity = format!("so&#{};me", u32::from(c));
            let inside_markup = format!("so<b>{c}</b>me");
            for written in [bare, entity, inside_markup] {
                let hit = hit(&written, &written);
                for text in [&hit.title, &hit.snippet] {
                    // HTML maps some references to control characters to other characters.
                    assert!(
                        !text.contains(cleaning::is_invisible),
                        "{written:?}: {text:?}"
                    );
                    assert!(text.starts_with("so") && text.ends_with("me"), "{text:?}");
                }
            }
        }
    }

    #[test]
    fn lengths_of_titles_snippets_and_addresses_are_bounded() {
        for endless in [
            "x".repeat(1_000_000),
            "<b>".repeat(300_000),
            "&".repeat(1_000_000),
        ] {
            let hit = hit(&endless, &endless);
            assert!(hit.title.chars().count() <= MAX_TITLE_CHARS);
            assert!(hit.snippet.chars().count() <= MAX_SNIPPET_CHARS);
        }
        let url = format!("https://a.example/{}", "x".repeat(MAX_URL_BYTES));
        let mut list = HitList::new("test");
        let added = list.push(RawHit {
            url: &url,
            ..RawHit::default()
        });
        assert_eq!(added, None);
    }
}
