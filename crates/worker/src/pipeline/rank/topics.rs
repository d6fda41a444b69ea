//! What a heading is about.

use crate::pipeline::text::Analyzer;
use std::collections::HashMap;

/// The terms of a heading. A name of a program is about the whole of it: its parts count only when
/// all of them are asked for, or when its last part is one word. Otherwise
/// `loop.connect_write_pipe` would be about writing a loop.
pub(super) fn topics(
    heading: &str,
    asked: &HashMap<&str, f64>,
    analyzer: &Analyzer,
) -> Vec<String> {
    let mut topics = Vec::new();
    let mut tokens = analyzer.analyze(heading).into_iter().peekable();
    while let Some(token) = tokens.next() {
        topics.push(token.term);
        if !token.identifier {
            continue;
        }
        let mut parts = Vec::new();
        while let Some(part) = tokens.next_if(|next| next.part) {
            parts.push(part.term);
        }
        let last = token.surface.rsplit(['.', ':']).next().unwrap_or_default();
        if parts.iter().all(|part| asked.contains_key(part.as_str())) {
            topics.append(&mut parts);
        } else if !last.contains('_') {
            topics.extend(parts.pop());
        }
    }
    topics
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(heading: &str, asked: &[&str]) -> Vec<String> {
        let asked = asked.iter().map(|term| (*term, 1.0)).collect();
        topics(heading, &asked, &Analyzer::new(Some("en")))
    }

    #[test]
    fn a_name_is_about_its_last_word_but_not_about_words_inside_it() {
        assert_eq!(
            of("asyncio.gather", &["gather"]),
            ["asyncio.gather", "gather"]
        );
        assert_eq!(
            of("loop.connect_write_pipe", &["write", "loop"]),
            ["loop.connect_write_pipe"]
        );
    }

    #[test]
    fn a_name_that_is_asked_for_with_all_its_parts_is_about_them() {
        assert_eq!(
            of("lru_cache and more", &["lru", "cach"]),
            ["lru_cache", "lru", "cach", "and", "more"]
        );
    }
}
