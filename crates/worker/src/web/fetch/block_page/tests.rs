use super::{block_reason, is_bot_check_page};
use crate::web::extract;
use url::Url;

fn block_reason_of(address: &str, html: &str, was_redirected: bool) -> Option<&'static str> {
    block_reason(
        &extract::html(html, None),
        html,
        &Url::parse(address).unwrap(),
        was_redirected,
    )
}

fn page(title: &str, body: &str) -> String {
    format!("<html><head><title>{title}</title></head><body>{body}</body></html>")
}

#[test]
fn pages_without_content_are_detected() {
    let cases = [
        (
            "a bot check",
            page(
                "Just a moment...",
                "<p>Enable JavaScript and cookies to continue</p>",
            ),
        ),
        (
            "a bot check",
            page(
                "shop.example",
                "<p>Please verify you are a human by ticking the box.</p>",
            ),
        ),
        (
            "a cookie wall",
            page(
                "Pond",
                "<h1>We value your privacy</h1><p>We use cookies.</p><button>Accept</button>",
            ),
        ),
        (
            "a login page",
            page(
                "Log in to Pond",
                "<p>Welcome back</p><form><input type=\"password\"></form>",
            ),
        ),
        (
            "an error page",
            page("404 - Page not found | Pond", "<p>Sorry.</p>"),
        ),
        (
            "an error page",
            page("Page Not Found", "<p>The page has moved.</p>"),
        ),
        (
            "an error page",
            page("Error", "<p>Something went wrong.</p>"),
        ),
        (
            "a page that needs JavaScript",
            page(
                "App",
                "<div id=root></div><p>You need to enable JavaScript to run this app.</p>",
            ),
        ),
        (
            "a redirect page",
            page(
                "Redirecting...",
                "<meta http-equiv=\"refresh\" content=\"0; url=x.html\"><p>Redirecting to <a href=x.html>x</a>",
            ),
        ),
        ("an empty page", page("Nothing", "<div></div>")),
    ];
    for (expected, html) in cases {
        assert_eq!(
            block_reason_of("https://pond.example/x", &html, false),
            Some(expected),
            "{html}"
        );
    }
    let login = page("Pond", "<p>Members only.</p>");
    assert_eq!(
        block_reason_of("https://pond.example/login?next=x", &login, true),
        Some("a login page")
    );
}

#[test]
fn pages_on_these_subjects_pass() {
    let cases = [
        page("", "<p>A page without a title.</p>"),
        page("Error handling", "<p>Errors are values.</p>"),
        page("500 miles", "<p>A song.</p>"),
        page("404 ways to fish", "<p>Number one: patience.</p>"),
        page("How to log in", "<p>Press the button at the top.</p>"),
        page(
            "Cookies",
            "<p>A cookie is a small piece of data that a server sends to a browser.</p>",
        ),
        page(
            "Captcha",
            &"<p>A site may ask you to verify you are human before it answers.</p>".repeat(30),
        ),
    ];
    for html in cases {
        assert_eq!(
            block_reason_of("https://pond.example/x", &html, false),
            None,
            "{html}"
        );
    }
}

#[test]
fn ordinary_403_is_not_a_bot_check() {
    assert!(!is_bot_check_page(
        "<title>403 Forbidden</title><h1>Forbidden</h1>"
    ));
    assert!(!is_bot_check_page(
        "<title>Access Denied</title><h1>Members only</h1>"
    ));
    assert!(is_bot_check_page(
        "<TITLE>Attention Required! | Shield</TITLE>"
    ));
}
