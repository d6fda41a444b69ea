//! Removes SearXNG's commands from a query (<https://docs.searxng.org/user/search-syntax.html>):
//! `!engine`, `!!bang` (an external redirect), `:language`, `<timeout`. A question must never
//! trigger them.

use crate::providers::text;

/// Engines behind SearXNG cut or reject longer queries.
const MAX_QUERY_CHARS: usize = 400;

/// CSS selectors that are also language codes; they are kept as words.
const CSS_SELECTORS: [&str; 5] = ["any", "dir", "has", "is", "not"];

/// Removes commands and cuts the query to the length that engines accept. A query of commands alone
/// keeps them as words.
pub(super) fn without_commands(query: &str) -> String {
    let mut words: Vec<&str> = query.split_whitespace().filter_map(strip_command).collect();
    if words.is_empty() {
        words = query
            .split_whitespace()
            .map(|word| word.trim_start_matches(['!', ':', '<']))
            .filter(|word| !word.is_empty())
            .collect();
    }
    text::words_within(&words.join(" "), MAX_QUERY_CHARS)
}

/// The part of `word` that is not a command. A long word after `!` ("!important") is kept, since
/// engine shortcuts are short.
fn strip_command(word: &str) -> Option<&str> {
    let bare = word.trim_start_matches('!');
    let marked = bare.len() < word.len();
    if bare.is_empty() {
        // Punctuation alone is not a command.
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
        } else if CSS_SELECTORS.contains(&rest) {
            Some(rest)
        } else if is_language(rest) {
            None
        } else {
            strip_command(rest)
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
    fn bangs_languages_and_timeouts_are_removed() {
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
    fn long_query_is_cut_between_words() {
        let cut = without_commands(&"word ".repeat(1000));
        assert!(cut.len() <= MAX_QUERY_CHARS && cut.ends_with("word"));
    }

    proptest! {
        #[test]
        fn result_has_no_bangs(query in "[!:<a-z0-9 ]{0,60}") {
            let left = without_commands(&query);
            for word in left.split_whitespace() {
                let mut chars = word.chars();
                let bang = chars.next() == Some('!') && chars.next().is_some_and(char::is_alphanumeric);
                prop_assert!(!bang, "{left}");
            }
        }
    }
}
