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
fn a_cached_page_equals_the_page_that_was_read() {
    let page = page("Zürich \u{1f980}");
    let kept = decode(&encode(&page).unwrap()).unwrap();
    let expected = Page {
        cached: true,
        ..page
    };
    assert_eq!(kept, expected);
}

#[test]
fn huge_and_empty_pages_are_not_cached_and_broken_entries_are_ignored() {
    assert!(encode(&page(&"word ".repeat(MAX_CACHED_BYTES / 5))).is_none());
    assert!(encode(&page("  ")).is_none());
    assert!(decode(b"{\"url\":\"https://a.org/\"").is_none());
    assert!(decode(b"{\"url\":\"no address\",\"document\":{}}").is_none());
}

#[test]
fn only_the_fragment_of_an_address_is_not_part_of_the_key() {
    let page = |text: &str, language| cache_key(&Url::parse(text).unwrap(), language);
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
fn a_cached_page_in_an_excluded_domain_is_not_used() {
    let asked = Url::parse("https://short.org/x").unwrap();
    let may_use = |domains: &str| {
        let excluded = DomainList::new(&[domains.to_owned()]);
        is_allowed(&page("Text."), &asked, &excluded)
    };
    assert!(may_use("b.org"));
    assert!(!may_use("a.org"), "the address after redirects");
    assert!(!may_use("short.org"), "the requested address");
}
