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
    let page = |text: &str, language| key(&Url::parse(text).unwrap(), language);
    assert_ne!(
        page("https://a.org/x", Some("de")),
        page("https://a.org/x", None)
    );
    assert_ne!(
        page("https://a.org/x", Some("de")),
        page("https://a.org/x", Some("fr"))
    );
    let key = |text: &str| page(text, None);
    assert_eq!(key("https://a.org/x#one"), key("https://a.org/x#two"));
    assert_ne!(key("https://a.org/x?a=1"), key("https://a.org/x?a=2"));
    assert_ne!(key("https://a.org/x"), key("http://a.org/x"));
}

#[test]
fn a_kept_page_in_a_domain_that_is_excluded_by_now_is_not_used() {
    let asked = Url::parse("https://short.org/x").unwrap();
    let may_use = |domains: &str| {
        let excluded = DomainList::new(&[domains.to_owned()]);
        may_use(&page("Text."), &asked, &excluded)
    };
    assert!(may_use("b.org"));
    assert!(!may_use("a.org"), "where it led to");
    assert!(!may_use("short.org"), "what was asked for");
}
