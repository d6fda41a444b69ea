use super::canonical_url;
use proptest::prelude::*;

#[test]
fn urls_of_one_page_are_equal() {
    let table = [
        ("http://example.org", "https://example.org/"),
        ("https://www.example.org/", "https://example.org"),
        ("https://WWW.Example.ORG/a", "https://example.org/a"),
        ("https://example.org./a", "https://example.org/a"),
        ("http://example.org:80/a", "https://example.org:443/a"),
        ("https://example.org/a/", "https://example.org/a"),
        ("https://example.org/a#part", "https://example.org/a"),
        ("https://example.org/a#:~:text=b", "https://example.org/a"),
        ("https://example.org/a?", "https://example.org/a"),
        (
            "https://example.org/a?utm_source=x&utm_medium=y",
            "https://example.org/a",
        ),
        (
            "https://example.org/a?UTM_Source=x",
            "https://example.org/a",
        ),
        (
            "https://example.org/a?id=1&gclid=2",
            "https://example.org/a?id=1",
        ),
        ("https://example.org/a?fbclid=2#x", "https://example.org/a"),
        (
            "https://example.org/a?msclkid=2&b=1",
            "https://example.org/a?b=1",
        ),
        ("https://example.org/a?srsltid=Afm", "https://example.org/a"),
        (
            "https://example.org/a?mtm_campaign=q",
            "https://example.org/a",
        ),
        (
            "https://example.org/a?b=2&a=1",
            "https://example.org/a?a=1&b=2",
        ),
        (
            "https://example.org/a?q=a%20b",
            "https://example.org/a?q=a+b",
        ),
        ("https://example.org/%7Euser", "https://example.org/~user"),
        ("https://example.org/a%c3%a9", "https://example.org/a%C3%A9"),
        ("https://example.org/é", "https://example.org/%C3%A9"),
        ("https://example.org/a/../b", "https://example.org/b"),
        ("https://example.org//a//b", "https://example.org/a/b"),
        ("https://bücher.example/", "https://xn--bcher-kva.example"),
        ("  https://example.org/a ", "https://example.org/a"),
        ("https://user:secret@example.org/a", "https://example.org/a"),
        ("http://[2001:db8::1]:80/", "http://[2001:DB8:0::1]"),
        ("file:///doc/a.html#part", "file:///doc/a.html"),
    ];
    for (one, other) in table {
        assert_eq!(canonical_url(one), canonical_url(other), "{one}");
    }
}

#[test]
fn different_pages_stay_different() {
    let table = [
        ("https://example.org/a", "https://example.org/b"),
        ("https://example.org/a", "https://example.org/A"),
        ("https://example.org/a?id=1", "https://example.org/a?id=2"),
        ("https://example.org/a?page=2", "https://example.org/a"),
        ("https://example.org:8080/a", "https://example.org/a"),
        ("https://en.example.org/a", "https://de.example.org/a"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://www.org/a", "https://org/a"),
        ("file:///doc/a.html", "https://doc/a.html"),
        ("file:///doc/a/", "file:///doc/a"),
    ];
    for (one, other) in table {
        assert_ne!(canonical_url(one), canonical_url(other), "{one}");
    }
}

#[test]
fn text_that_is_no_url_is_only_trimmed() {
    assert_eq!(canonical_url(" no address "), "no address");
    assert_eq!(canonical_url(""), "");
}

#[test]
fn a_host_that_becomes_an_ip_address_without_its_dots_is_unchanged() {
    assert_eq!(canonical_url("http://0../a"), "http://0../a");
    assert_eq!(
        canonical_url("http://0./a"),
        canonical_url("https://0.0.0.0/a")
    );
}

proptest! {
    #[test]
    fn canonical_urls_are_their_own_canonical_form(
        host in "(www\\.){0,2}[a-z]{1,5}\\.[a-z]{2,3}\\.?",
        path in "(/[a-zA-Z0-9%~.é]{0,6}){0,4}",
        query in "(\\?([a-z_]{1,8}=[a-zA-Z0-9%+&]{0,6}){0,3})?",
    ) {
        let once = canonical_url(&format!("http://{host}{path}{query}"));
        prop_assert_eq!(canonical_url(&once), once);
    }

    #[test]
    fn any_text_has_a_stable_canonical_form(text in "\\PC{0,80}") {
        let once = canonical_url(&text);
        prop_assert_eq!(canonical_url(&once), once);
    }

    #[test]
    fn unusual_urls_have_a_stable_canonical_form(
        scheme in "(http|https|HTTP|ftp|mailto|data):(//|/|\\\\)?",
        user in "([a-z:%]{0,4}@)?",
        host in "(www\\.|WWW\\.)?(\\[::[0-9a-f]{1,3}\\]|[a-z0-9é%]{1,6}(\\.[a-z0-9]{1,4}){0,2}\\.{0,2})",
        port in "(:(80|443|8080|0|99999)?)?",
        rest in "[/?#&=%+;a-z0-9.~é ]{0,24}",
    ) {
        let once = canonical_url(&format!("{scheme}{user}{host}{port}{rest}"));
        prop_assert_eq!(canonical_url(&once), once);
    }
}
