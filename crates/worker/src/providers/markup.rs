//! Converts snippets that may hold HTML to plain text.

use super::text;
use dom_query::Document;

/// Elements that search engines put into titles and excerpts. Other text in angle brackets is kept,
/// such as `vector<int>`.
const KNOWN_ELEMENTS: [&str; 22] = [
    "a", "abbr", "b", "br", "cite", "code", "div", "em", "font", "h3", "hr", "i", "img", "li",
    "mark", "p", "small", "span", "strong", "sub", "sup", "u",
];

/// Removes tags, decodes entities and collapses white space.
pub(super) fn to_plain_text(source: &str) -> String {
    if !source.contains(['<', '&']) {
        return text::collapse(source);
    }
    // Without tags, untrusted text cannot build a deep or large tree.
    let document = Document::fragment(without_known_tags(source));
    text::collapse(&document.text())
}

/// Removes the tags of known elements and escapes every other `<`, so that the parser reads it as
/// text.
fn without_known_tags(source: &str) -> String {
    let mut kept = String::with_capacity(source.len() + 16);
    let mut rest = source;
    while let Some((before, after)) = rest.split_once('<') {
        kept.push_str(before);
        let name_part = after.strip_prefix('/').unwrap_or(after);
        let name: String = name_part
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(8)
            .collect::<String>()
            .to_ascii_lowercase();
        match tag_end(after) {
            Some(end) if KNOWN_ELEMENTS.contains(&name.as_str()) => {
                // Line breaks separate words; inline tags do not.
                if matches!(name.as_str(), "br" | "p" | "div" | "li") {
                    kept.push(' ');
                }
                rest = end;
            }
            _ => {
                kept.push_str("&lt;");
                rest = after;
            }
        }
    }
    kept.push_str(rest);
    kept
}

/// The text after the end of a tag; `text` begins after the tag's `<`. A `>` in quotes does not end
/// the tag, unless the quotes are never closed.
fn tag_end(text: &str) -> Option<&str> {
    let mut quote = None;
    for (at, c) in text.char_indices() {
        match (quote, c) {
            (None, '>') => return text.get(at + 1..),
            (None, '<') => break,
            (None, '"' | '\'') => quote = Some(c),
            (Some(open), _) if open == c => quote = None,
            _ => {}
        }
    }
    let end = text.find(['<', '>'])?;
    text.get(end..)?.strip_prefix('>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_are_removed_and_entities_decoded() {
        assert_eq!(
            to_plain_text(
                "to <span class='searchmatch'>asyncio</span>.run(main()) &amp; &#039;more&#039;"
            ),
            "to asyncio.run(main()) & 'more'"
        );
        assert_eq!(to_plain_text("one<br>two<br/>three"), "one two three");
        assert_eq!(to_plain_text("<B>Bold</B>\n\n  text"), "Bold text");
        assert_eq!(
            to_plain_text("<a title=\"x > y\" href='>'>one</a> two"),
            "one two"
        );
        assert_eq!(
            to_plain_text("<a title=\"never closed>one</a> two"),
            "one two"
        );
    }

    #[test]
    fn angle_brackets_in_code_are_kept() {
        assert_eq!(
            to_plain_text("a vector<int> and a < b && c > d"),
            "a vector<int> and a < b && c > d"
        );
        assert_eq!(to_plain_text("&lt;/nowiki&gt;x"), "</nowiki>x");
        assert_eq!(to_plain_text("an unclosed <b"), "an unclosed <b");
    }

    #[test]
    fn script_element_is_kept_as_text() {
        assert_eq!(
            to_plain_text("<script>alert(1)</script>"),
            "<script>alert(1)</script>"
        );
    }

    proptest! {
        #[test]
        fn removing_tags_keeps_the_text_between_them(
            words in prop::collection::vec("[a-z]{1,6}", 1..6), element in prop::sample::select(&KNOWN_ELEMENTS[..]),
        ) {
            let marked: Vec<String> = words
                .iter()
                .map(|word| format!("<{element} class='x'>{word}</{element}>"))
                .collect();
            prop_assert_eq!(to_plain_text(&marked.join(" ")), words.join(" "));
        }

        #[test]
        fn text_without_markup_is_only_collapsed(source in "[^<&]{0,80}") {
            prop_assert_eq!(to_plain_text(&source), text::collapse(&source));
        }

        #[test]
        fn arbitrary_input_does_not_panic(source in "\\PC{0,80}|[<>&/a-z;# ]{0,80}") {
            let _ = to_plain_text(&source);
        }
    }
}
