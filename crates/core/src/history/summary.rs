//! [`SummaryRow`]: what the session list shows and its full-text search matches.

use super::search_words::words;
use serde::{Deserialize, de::IgnoredAny};

/// Characters of the answer that the list shows.
const EXCERPT_CHARS: usize = 200;
/// Characters of the answer that full-text search covers.
const INDEXED_CHARS: usize = 20_000;

/// A row of `session_summaries`.
#[derive(Debug)]
pub(super) struct SummaryRow {
    pub(super) id: String,
    pub(super) created_at: i64,
    pub(super) excerpt: Option<String>,
    pub(super) source_count: i64,
    pub(super) words: String,
}

/// The members of a result that a summary needs.
#[derive(Deserialize, Default)]
struct SummaryFields {
    answer: Option<String>,
    sources: Option<Vec<IgnoredAny>>,
}

impl SummaryRow {
    /// Summarises a stored row. If its result is unreadable, it has no excerpt and only the
    /// question is searchable.
    pub(super) fn new(id: String, created_at: i64, query: &str, result: Option<&str>) -> Self {
        let head: SummaryFields = result
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let answer = head.answer.unwrap_or_default();
        let searched: String = answer.chars().take(INDEXED_CHARS).collect();
        let mut found = words(query);
        found.extend(words(&searched));
        Self {
            id,
            created_at,
            excerpt: excerpt(&answer),
            source_count: head.sources.map_or(0, |sources| {
                i64::try_from(sources.len()).unwrap_or(i64::MAX)
            }),
            words: Vec::from_iter(found).join(" "),
        }
    }
}

fn excerpt(answer: &str) -> Option<String> {
    let mut chars = answer.trim().chars();
    let mut start: String = chars.by_ref().take(EXCERPT_CHARS).collect();
    if start.is_empty() {
        return None;
    }
    if chars.next().is_some() {
        start.push('…');
    }
    // Postgres cannot store NUL.
    Some(start.replace('\0', "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_between_characters_with_an_ellipsis() {
        assert_eq!(excerpt(" short \n").as_deref(), Some("short"));
        assert_eq!(excerpt("  "), None);
        let cut = excerpt(&"é🦀".repeat(500)).unwrap();
        assert_eq!(cut.chars().count(), EXCERPT_CHARS + 1);
        assert!(cut.ends_with("🦀…"), "{cut}");
    }

    #[test]
    fn an_unreadable_result_is_searchable_by_its_question() {
        let summary = SummaryRow::new("id".into(), 1, "What is Rust?", Some("{"));
        assert_eq!((summary.excerpt, summary.source_count), (None, 0));
        assert_eq!(summary.words, "is rust what");
    }
}
