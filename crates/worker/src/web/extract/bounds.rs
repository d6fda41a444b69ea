//! A quick look at HTML before it is parsed. A correct HTML parser needs quadratic time for deep
//! nesting and for tags with endless attributes, and endless memory for formatting elements that
//! every paragraph opens anew; a page that goes that far is cut off there.

use std::str::Bytes;

/// Real pages stay below 100.
const MAX_DEPTH: usize = 400;
/// Elements that the parser may have to create.
const MAX_ELEMENTS: usize = 400_000;
const MAX_ATTRIBUTES: usize = 500;

/// The part of `html` that can be parsed in reasonable time; as a rule all of it.
pub(super) fn bounded(html: &str) -> &str {
    let mut depth = 0_usize;
    let mut formatting = 0_usize;
    let mut elements = 0_usize;
    let mut rest = html;
    while let Some((_, tag_on)) = rest.split_once('<') {
        let start = html.len() - tag_on.len() - 1;
        if let Some(comment) = tag_on.strip_prefix("!--") {
            rest = comment.split_once("-->").map_or("", |(_, after)| after);
            continue;
        }
        let closing = tag_on.starts_with('/');
        let tag = tag_on.strip_prefix('/').unwrap_or(tag_on);
        if !tag.starts_with(|c: char| c.is_ascii_alphabetic()) {
            rest = tag;
            continue;
        }
        let name = name_of(tag);
        let (length, attributes) = measure(tag.bytes());
        rest = tag.split_at_checked(length).map_or("", |(_, after)| after);
        if attributes > MAX_ATTRIBUTES {
            return cut(html, start);
        }
        elements += 1 + formatting;
        if !is_flat(name) {
            let step = |level: usize| {
                if closing {
                    level.saturating_sub(1)
                } else {
                    level + 1
                }
            };
            depth = step(depth);
            if is_formatting(name) {
                formatting = step(formatting);
            }
        }
        if depth > MAX_DEPTH || elements > MAX_ELEMENTS {
            return cut(html, start);
        }
        if !closing && is_raw_text(name) {
            rest = after_raw_text(rest, name);
        }
    }
    html
}

fn cut(html: &str, at: usize) -> &str {
    html.split_at_checked(at).map_or(html, |(before, _)| before)
}

fn name_of(tag: &str) -> &str {
    tag.split(|c: char| c.is_ascii_whitespace() || c == '/' || c == '>')
        .next()
        .unwrap_or_default()
}

/// Bytes up to and including the tag's `>`, and about how many attributes it has.
fn measure(tag: Bytes<'_>) -> (usize, usize) {
    let mut quote = None;
    let mut attributes = 0;
    let mut previous = b' ';
    let mut length = 0;
    for byte in tag {
        length += 1;
        match (quote, byte) {
            (Some(open), close) if open == close => quote = None,
            (Some(_), _) => {}
            (None, b'"' | b'\'') if previous == b'=' => quote = Some(byte),
            (None, b'>') => break,
            (None, _) => {
                let separator = |b: u8| b.is_ascii_whitespace() || b == b'/' || b == b'"';
                attributes += usize::from(separator(previous) && !separator(byte));
            }
        }
        if quote.is_some() || !byte.is_ascii_whitespace() || previous != b'=' {
            previous = byte;
        }
    }
    (length, attributes)
}

/// Elements without content, and those that their next sibling closes.
fn is_flat(name: &str) -> bool {
    const FLAT: [&str; 29] = [
        "area", "base", "br", "col", "dd", "dt", "embed", "hr", "img", "input", "li", "link",
        "meta", "optgroup", "option", "p", "param", "path", "rect", "source", "tbody", "td",
        "tfoot", "th", "thead", "tr", "track", "use", "wbr",
    ];
    FLAT.iter().any(|flat| flat.eq_ignore_ascii_case(name))
}

/// Elements that the parser opens again in the next block when they were left open.
fn is_formatting(name: &str) -> bool {
    const FORMATTING: [&str; 13] = [
        "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u",
    ];
    FORMATTING.iter().any(|tag| tag.eq_ignore_ascii_case(name))
}

fn is_raw_text(name: &str) -> bool {
    ["script", "style", "textarea", "title"]
        .iter()
        .any(|tag| tag.eq_ignore_ascii_case(name))
}

fn after_raw_text<'a>(text: &'a str, name: &str) -> &'a str {
    let mut rest = text;
    while let Some((_, after)) = rest.split_once("</") {
        let ends = after
            .get(..name.len())
            .is_some_and(|end| end.eq_ignore_ascii_case(name));
        if ends {
            let at = text.len() - after.len() - 2;
            return text.split_at_checked(at).map_or("", |(_, tail)| tail);
        }
        rest = after;
    }
    ""
}

#[cfg(test)]
mod tests {
    use super::bounded;

    #[test]
    fn an_ordinary_page_is_left_whole() {
        let page = "<html><head><title>a < b</title><script>if (a<b) {'<div>'.repeat(9999)}</script></head>\
                    <body><!-- <div><div> --><p class=\"a>b\">x<br><p>y<ul><li>1<li>2</ul></body></html>";
        assert_eq!(bounded(page), page);
    }

    #[test]
    fn deep_nesting_is_cut() {
        let page = "<div>".repeat(100_000);
        assert!(bounded(&page).len() < 5_000);
    }

    #[test]
    fn siblings_are_not_nesting() {
        let page = "<div><img src=a><p>x</div>".repeat(1000);
        assert_eq!(bounded(&page), page);
    }

    #[test]
    fn a_tag_with_endless_attributes_is_cut() {
        let page = format!("<p>start</p><a {}>", "x=1 ".repeat(100_000));
        assert_eq!(bounded(&page), "<p>start</p>");
    }

    #[test]
    fn formatting_that_every_paragraph_opens_again_is_cut() {
        let open: String = (0..200).map(|i| format!("<font size={i}>")).collect();
        let page = format!("{open}{}", "<p>x".repeat(1_000_000));
        assert!(bounded(&page).len() < 20_000);
    }

    #[test]
    fn broken_tags_end_the_scan() {
        for page in [
            "<",
            "</",
            "<a",
            "<a href=\"",
            "<!--",
            "<script>",
            "a<é>b",
            "<a é='ü",
        ] {
            assert_eq!(bounded(page), page);
        }
    }
}
