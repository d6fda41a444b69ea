//! Shortens titles, excerpts and queries.

/// Replaces every run of white space in `source` by one blank, and trims it.
pub(super) fn collapse(source: &str) -> String {
    source.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The first `max_chars` characters of `source`, cut between words; `…` marks the cut.
pub(super) fn shorten(source: &str, max_chars: usize) -> String {
    if source.chars().count() <= max_chars {
        return source.to_owned();
    }
    let mut cut = words_within(source, max_chars.saturating_sub(1));
    cut.push('…');
    cut
}

/// As many whole words of `source` as fit into `max_chars` characters. A first word that is too
/// long is cut.
pub(super) fn words_within(source: &str, max_chars: usize) -> String {
    let Some((end, next)) = source.char_indices().nth(max_chars) else {
        return source.to_owned();
    };
    let head = source.get(..end).unwrap_or_default();
    if next.is_whitespace() {
        return head.trim_end().to_owned();
    }
    let whole = head
        .rsplit_once(char::is_whitespace)
        .map_or(head, |(before, _)| before);
    whole.trim_end().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_cut_between_words() {
        assert_eq!(shorten("short", 10), "short");
        assert_eq!(shorten("one two three", 9), "one two…");
        assert_eq!(words_within("one two three", 7), "one two");
        assert_eq!(words_within("one two three", 6), "one");
        assert_eq!(words_within("äöüäöü", 3), "äöü");
    }
}
