//! SearXNG reads commands out of the query itself
//! (<https://docs.searxng.org/user/search-syntax.html>): `!engine`, `!!bang` (an external
//! redirect), `:language`, `<timeout`. A question must never trigger them.

use crate::providers::text;

/// Engines behind SearXNG cut or refuse longer queries.
const MAX_CHARS: usize = 400;

/// Selectors of CSS that are codes of languages too: a question about them keeps the word.
const SELECTORS: [&str; 5] = ["any", "dir", "has", "is", "not"];

/// `query` without commands, within the length that engines accept. When it is nothing else, the
/// commands stay as words.
pub(super) fn without_commands(query: &str) -> String {
    let mut words: Vec<&str> = query.split_whitespace().filter_map(harmless).collect();
    if words.is_empty() {
        words = query
            .split_whitespace()
            .map(|word| word.trim_start_matches(['!', ':', '<']))
            .filter(|word| !word.is_empty())
            .collect();
    }
    text::words_within(&words.join(" "), MAX_CHARS)
}

/// The part of `word` that is no command; a long word behind a mark ("!important") is kept as a
/// word, since it is hardly an engine's shortcut.
fn harmless(word: &str) -> Option<&str> {
    let bare = word.trim_start_matches('!');
    let marked = bare.len() < word.len();
    if bare.is_empty() {
        // Marks alone command nothing.
        return Some(word);
    }
    if marked && is_shortcut(bare) {
        return None;
    }
    if marked && bare.starts_with(char::is_alphanumeric) {
        return Some(bare);
    }
    if let Some(rest) = word.strip_prefix(':') {
        return if rest.is_empty() {
            None
        } else if SELECTORS.contains(&rest) {
            Some(rest)
        } else if is_language(rest) {
            None
        } else {
            harmless(rest)
        };
    }
    if let Some(seconds) = word.strip_prefix('<')
        && seconds.starts_with(|first: char| first.is_ascii_digit())
    {
        return Some(seconds);
    }
    Some(word)
}

fn is_shortcut(word: &str) -> bool {
    word.len() <= 4
        && word
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || char == '_')
}

fn is_language(code: &str) -> bool {
    let (main, region) = code.split_once(['-', '_']).unwrap_or((code, ""));
    let letters = |part: &str| part.chars().all(|char| char.is_ascii_alphabetic());
    let plausible =
        matches!(main.len(), 2 | 3) && letters(main) && region.len() <= 4 && letters(region);
    plausible || code == "auto"
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn bangs_languages_and_timeouts_are_stripped() {
        for (query, expected) in [
            ("!g rust async", "rust async"),
            ("!!g rust", "rust"),
            (
                "What does !! do in JavaScript?",
                "What does !! do in JavaScript?",
            ),
            ("css :is selector", "css is selector"),
            ("!!g :de", "g de"),
            ("rust !wp :de :all", "rust"),
            ("rust :zh-TW", "rust"),
            ("<3 rust", "3 rust"),
            ("css !important rule", "css important rule"),
            ("why is :root special", "why is root special"),
            ("what does != mean", "what does != mean"),
            ("!g", "g"),
            (":!g rust", "rust"),
            ("Hello, world!", "Hello, world!"),
        ] {
            assert_eq!(without_commands(query), expected, "{query}");
        }
    }

    #[test]
    fn a_long_question_is_cut_between_words() {
        let cut = without_commands(&"word ".repeat(1000));
        assert!(cut.len() <= MAX_CHARS && cut.ends_with("word"));
    }

    proptest! {
        #[test]
        fn no_word_that_is_left_is_a_bang(query in "[!:<a-z0-9 ]{0,60}") {
            let left = without_commands(&query);
            for word in left.split_whitespace() {
                let mut chars = word.chars();
                let bang = chars.next() == Some('!') && chars.next().is_some_and(char::is_alphanumeric);
                prop_assert!(!bang, "{left}");
            }
        }
    }
}
