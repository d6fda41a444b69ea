//! The words of the full-text search. They are split and folded here instead of in the database, so
//! that SQLite and Postgres find the same sessions.

use std::collections::BTreeSet;
use unicode_normalization::{UnicodeNormalization, char::is_combining_mark};

/// Characters of a word; longer words are cut to fit an index entry.
const MAX_WORD_CHARS: usize = 64;
/// A query word of at least this many characters also matches as a prefix.
const MIN_PREFIX_CHARS: usize = 3;

/// The words of a text, folded: without case, accents and width. Each ideograph is a word, because
/// no spaces separate them.
pub(super) fn words(text: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut word = String::new();
    let mut length = 0;
    let folded = text.nfkd().filter(|c| !is_combining_mark(*c));
    for c in folded.flat_map(char::to_lowercase) {
        let alone = is_ideograph(c);
        if alone || !c.is_alphanumeric() {
            length = 0;
            if !word.is_empty() {
                found.insert(std::mem::take(&mut word));
            }
            if alone {
                found.insert(c.to_string());
            }
        } else if length < MAX_WORD_CHARS {
            length += 1;
            word.push(c);
        }
    }
    if !word.is_empty() {
        found.insert(word);
    }
    found
}

/// An FTS5 query for all of these words.
pub(super) fn fts5_query(words: &BTreeSet<String>) -> String {
    join_terms(words, " AND ", |word, beginning| {
        format!(r#""{word}"{}"#, if beginning { "*" } else { "" })
    })
}

/// A tsquery for all of these words.
pub(super) fn postgres_query(words: &BTreeSet<String>) -> String {
    join_terms(words, " & ", |word, beginning| {
        format!("'{word}'{}", if beginning { ":*" } else { "" })
    })
}

/// Words have only letters and digits, so they need no escaping.
fn join_terms(words: &BTreeSet<String>, and: &str, each: impl Fn(&str, bool) -> String) -> String {
    let terms: Vec<String> = words
        .iter()
        .map(|word| each(word, word.chars().count() >= MIN_PREFIX_CHARS))
        .collect();
    terms.join(and)
}

fn is_ideograph(c: char) -> bool {
    matches!(c, '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
        && c.is_alphanumeric()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted_words(text: &str) -> Vec<String> {
        words(text).into_iter().collect()
    }

    #[test]
    fn case_accents_width_and_order_make_no_difference() {
        assert_eq!(
            sorted_words("Café, ＲＵＳＴ & rust's İzmir"),
            ["cafe", "izmir", "rust", "s"]
        );
        assert_eq!(
            sorted_words("東京タワー 3.11"),
            ["11", "3", "タ", "ワ", "ー", "京", "東"]
        );
        assert!(sorted_words(" ?! \u{0} 🦀").is_empty());
    }

    #[test]
    fn a_long_word_is_cut() {
        let found = sorted_words(&"é".repeat(1000));
        assert_eq!(found, ["e".repeat(MAX_WORD_CHARS)]);
    }

    #[test]
    fn hostile_text_cannot_break_out_of_its_quotes() {
        let hostile = words(r#"a' | 'b":* -c OR "d" NEAR(e) \ :* ) abc"#);
        assert_eq!(
            postgres_query(&hostile),
            "'a' & 'abc':* & 'b' & 'c' & 'd' & 'e' & 'near':* & 'or'"
        );
        assert_eq!(
            fts5_query(&hostile),
            r#""a" AND "abc"* AND "b" AND "c" AND "d" AND "e" AND "near"* AND "or""#
        );
    }
}
