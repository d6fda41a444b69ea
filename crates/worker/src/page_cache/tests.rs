use super::*;
use crate::pipeline::test_support::document;

fn page(text: &str) -> Page {
    Page {
        url: Url::parse("https://a.org/final").unwrap(),
        document: document(text),
        cached: false,
    }
}

#[test]
fn what_is_kept_is_what_was_read() {
    let page = page("Zürich \u{1f980}");
    let kept = read(&written(&page).unwrap()).unwrap();
    let expected = Page {
        cached: true,
        ..page
    };
    assert_eq!(kept, expected);
}

#[test]
fn huge_and_empty_pages_are_not_kept_and_broken_ones_not_found() {
    assert!(written(&page(&"word ".repeat(MOST_BYTES / 5))).is_none());
    assert!(written(&page("  ")).is_none());
    assert!(read(b"{\"url\":\"https://a.org/\"").is_none());
    assert!(read(b"{\"url\":\"no address\",\"document\":{}}").is_none());
}

#[test]
fn fragments_share_a_page_and_nothing_else_does() {
    let key = |text: &str| key(&Url::parse(text).unwrap());
    assert_eq!(key("https://a.org/x#one"), key("https://a.org/x#two"));
    assert_ne!(key("https://a.org/x?a=1"), key("https://a.org/x?a=2"));
    assert_ne!(key("https://a.org/x"), key("http://a.org/x"));
}
