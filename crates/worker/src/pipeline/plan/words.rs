//! Questions as words: normalising and cutting.

use crate::cleaning::is_invisible;

/// A word as written, and the form in which it is compared.
#[derive(Debug, Clone)]
pub(super) struct Word<'a> {
    pub(super) raw: &'a str,
    pub(super) key: String,
}

/// Splits at white space; keys are lower case without the punctuation around them.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    text.split_whitespace()
        .map(|raw| Word {
            raw,
            key: bare(raw).to_lowercase(),
        })
        .collect()
}

/// `raw` without the punctuation around it; what belongs to names ("C++", "C#") stays.
pub(super) fn bare(raw: &str) -> &str {
    raw.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '@')
        .trim_end_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
}

/// Joins words as they were written, without punctuation at the ends.
pub(super) fn join(words: &[Word<'_>]) -> String {
    let raw: Vec<&str> = words.iter().map(|word| word.raw).collect();
    bare(&raw.join(" ")).to_owned()
}

/// One space between words, nothing that cannot be seen.
pub(super) fn normalise(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !is_invisible(*c) && !matches!(c, '\u{200c}'..='\u{200f}'))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// At most `limit` characters, cut between words where there are any.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let Some((end, next)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let head = text.get(..end).unwrap_or(text);
    if next.is_whitespace() {
        return head.trim_end().to_owned();
    }
    match head.rsplit_once(char::is_whitespace) {
        Some((whole_words, _)) => whole_words.trim_end().to_owned(),
        None => head.to_owned(),
    }
}
