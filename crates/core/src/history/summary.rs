//! What the list shows of a session and finds it by.

use super::words::words;
use serde::{Deserialize, de::IgnoredAny};

/// Characters of the answer that the list shows.
const EXCERPT: usize = 200;
/// Characters of the answer that are found by their words.
const SEARCHED: usize = 20_000;

/// A row of `session_summaries`.
#[derive(Debug)]
pub(super) struct Summary {
    pub(super) id: String,
    pub(super) created_at: i64,
    pub(super) excerpt: Option<String>,
    pub(super) source_count: i64,
    pub(super) words: String,
}

/// The few members of a result that matter here.
#[derive(Deserialize, Default)]
struct Head {
    answer: Option<String>,
    sources: Option<Vec<IgnoredAny>>,
}

impl Summary {
    /// Of a stored row. A result that cannot be read has no excerpt, and is found by its question.
    pub(super) fn new(id: String, created_at: i64, query: &str, result: Option<&str>) -> Self {
        let head: Head = result
            .and_then(|json| serde_json::from_str(json).ok())
            .unwrap_or_default();
        let answer = head.answer.unwrap_or_default();
        let searched: String = answer.chars().take(SEARCHED).collect();
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
    let mut letters = answer.trim().chars();
    let mut start: String = letters.by_ref().take(EXCERPT).collect();
    if start.is_empty() {
        return None;
    }
    if letters.next().is_some() {
        start.push('…');
    }
    // Postgres has no text with NUL in it.
    Some(start.replace('\0', "\u{fffd}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_answer_is_cut_between_characters_and_says_so() {
        assert_eq!(excerpt(" short \n").as_deref(), Some("short"));
        assert_eq!(excerpt("  "), None);
        let cut = excerpt(&"é🦀".repeat(500)).unwrap();
        assert_eq!(cut.chars().count(), EXCERPT + 1);
        assert!(cut.ends_with("🦀…"), "{cut}");
    }

    #[test]
    fn an_unreadable_result_is_found_by_its_question() {
        let summary = Summary::new("id".into(), 1, "What is Rust?", Some("{"));
        assert_eq!((summary.excerpt, summary.source_count), (None, 0));
        assert_eq!(summary.words, "is rust what");
    }
}
