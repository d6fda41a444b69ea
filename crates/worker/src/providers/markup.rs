//! Plain text from snippets that may hold HTML.

use super::text;
use dom_query::Document;

/// Elements that search engines put into titles and excerpts. Anything else in angle brackets is
/// text: a snippet about C++ speaks of `vector<int>`.
const ELEMENTS: [&str; 22] = [
    "a", "abbr", "b", "br", "cite", "code", "div", "em", "font", "h3", "hr", "i", "img", "li",
    "mark", "p", "small", "span", "strong", "sub", "sup", "u",
];

/// `source` without tags, entities decoded, white space collapsed.
pub(super) fn plain(source: &str) -> String {
    if !source.contains(['<', '&']) {
        return text::collapse(source);
    }
    // Without tags there is no tree, which strangers could make deep or large.
    let document = Document::fragment(without_known_tags(source));
    text::collapse(&document.text())
}

/// Takes the tags of known elements out and escapes every other `<`, so that the parser takes it
/// for text.
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
            Some(end) if ELEMENTS.contains(&name.as_str()) => {
                // A line break separates words; tags around a word do not.
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

/// What follows the tag that `text` is the inside of; a `>` in quotes does not end it, unless the
/// quotes are never closed.
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
    fn tags_go_and_entities_are_decoded() {
        assert_eq!(
            plain("to <span class='searchmatch'>asyncio</span>.run(main()) &amp; &#039;more&#039;"),
            "to asyncio.run(main()) & 'more'"
        );
        assert_eq!(plain("one<br>two<br/>three"), "one two three");
        assert_eq!(plain("<B>Bold</B>\n\n  text"), "Bold text");
        assert_eq!(plain("<a title=\"x > y\" href='>'>one</a> two"), "one two");
        assert_eq!(plain("<a title=\"never closed>one</a> two"), "one two");
    }

    #[test]
    fn angle_brackets_of_code_stay() {
        assert_eq!(
            plain("a vector<int> and a < b && c > d"),
            "a vector<int> and a < b && c > d"
        );
        assert_eq!(plain("&lt;/nowiki&gt;x"), "</nowiki>x");
        assert_eq!(plain("an unclosed <b"), "an unclosed <b");
    }

    #[test]
    fn a_script_is_never_run_nor_taken_for_a_tag() {
        assert_eq!(
            plain("<script>alert(1)</script>"),
            "<script>alert(1)</script>"
        );
    }

    proptest! {
        #[test]
        fn tags_of_known_elements_take_nothing_with_them(
            words in prop::collection::vec("[a-z]{1,6}", 1..6), element in prop::sample::select(&ELEMENTS[..]),
        ) {
            let marked: Vec<String> = words
                .iter()
                .map(|word| format!("<{element} class='x'>{word}</{element}>"))
                .collect();
            prop_assert_eq!(plain(&marked.join(" ")), words.join(" "));
        }

        #[test]
        fn text_without_markup_only_loses_white_space(source in "[^<&]{0,80}") {
            prop_assert_eq!(plain(&source), text::collapse(&source));
        }

        #[test]
        fn nothing_makes_it_panic(source in "\\PC{0,80}|[<>&/a-z;# ]{0,80}") {
            let _ = plain(&source);
        }
    }
}
