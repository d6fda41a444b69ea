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
    let document = Document::fragment(keep_known_tags(source));
    text::collapse(&document.text())
}

/// Escapes each `<` that opens no known element, so that the parser takes it for text.
fn keep_known_tags(source: &str) -> String {
    let mut kept = String::with_capacity(source.len() + 16);
    let mut parts = source.split('<');
    kept.push_str(parts.next().unwrap_or_default());
    for part in parts {
        let name_part = part.strip_prefix('/').unwrap_or(part);
        let name: String = name_part
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .take(8)
            .collect();
        let closed = part.contains('>');
        if closed && ELEMENTS.contains(&name.to_ascii_lowercase().as_str()) {
            // A line break separates words; tags around a word do not.
            if matches!(
                name.to_ascii_lowercase().as_str(),
                "br" | "p" | "div" | "li"
            ) {
                kept.push(' ');
            }
            kept.push('<');
        } else {
            kept.push_str("&lt;");
        }
        kept.push_str(part);
    }
    kept
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
        fn text_without_markup_only_loses_white_space(source in "[^<&]{0,80}") {
            prop_assert_eq!(plain(&source), text::collapse(&source));
        }

        #[test]
        fn nothing_makes_it_panic(source in "\\PC{0,80}|[<>&/a-z;# ]{0,80}") {
            let _ = plain(&source);
        }
    }
}
