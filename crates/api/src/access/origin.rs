//! Which page sends a request. Browsers say where a page is from, and pages cannot lie about it.

use actix_web::http::header::{HOST, HeaderMap, ORIGIN, UPGRADE};

/// Browsers let any page open a WebSocket anywhere, and say only where the page is from. Programs
/// send no origin.
pub(crate) fn may_open_socket(headers: &HeaderMap, origins: &[String]) -> bool {
    origins.iter().any(|allowed| allowed == "*") || is_trusted(headers, origins)
}

/// Whether the cookie of a browser counts: with CORS_ORIGINS=* any page may use the service, and
/// none in the name of whoever looks at it. SameSite keeps the cookie from other sites only, not
/// from other ports and subdomains of this one.
pub(super) fn may_use_cookie(headers: &HeaderMap, origins: &[String]) -> bool {
    if is_trusted(headers, origins) {
        return true;
    }
    // Behind a proxy that changes Host, the pages of the service itself come to here. Of a socket's
    // origin they could never be told apart; else browsers say how far the page is.
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok());
    let is_socket = text(UPGRADE.as_str()).is_some_and(|to| to.eq_ignore_ascii_case("websocket"));
    let is_foreign = matches!(text("sec-fetch-site"), Some("same-site" | "cross-site"));
    !is_socket && !is_foreign
}

/// A page of this service or of an origin that is named in CORS_ORIGINS, or no page at all.
fn is_trusted(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if origins.iter().any(|allowed| allowed == origin) {
        return true;
    }
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    // Whether a proxy in front speaks TLS is not known here, so the scheme does not count.
    let authority = origin.split_once("://").map(|(_scheme, rest)| rest);
    matches!((authority, own), (Some(authority), Some(own)) if authority.eq_ignore_ascii_case(own))
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    type Rule = fn(&HeaderMap, &[String]) -> bool;

    fn ask(rule: Rule, headers: &[(&str, &str)], origins: &[&str]) -> bool {
        let request = TestRequest::default().insert_header((HOST, "search.example:8001"));
        let request = headers
            .iter()
            .fold(request, |request, &header| request.insert_header(header));
        let origins: Vec<String> = origins.iter().map(|&origin| origin.to_owned()).collect();
        rule(request.to_http_request().headers(), &origins)
    }

    fn allowed(origin: &str, origins: &[&str]) -> bool {
        ask(may_open_socket, &[("origin", origin)], origins)
    }

    #[test]
    fn pages_of_this_origin_and_of_those_allowed_may_open_a_socket() {
        assert!(allowed("http://search.example:8001", &[]));
        assert!(allowed("https://search.example:8001", &[]));
        assert!(allowed("https://app.example", &["https://app.example"]));
        assert!(allowed("https://any.example", &["*"]));
    }

    #[test]
    fn pages_of_other_origins_may_not() {
        for origin in [
            "https://evil.example",
            "http://search.example:8002",
            "http://search.example:8001.evil.example",
            "null",
            "",
        ] {
            assert!(!allowed(origin, &["https://app.example"]), "{origin}");
        }
    }

    #[test]
    fn programs_send_no_origin_and_may() {
        assert!(ask(may_open_socket, &[], &[]));
        assert!(ask(may_use_cookie, &[("upgrade", "websocket")], &[]));
    }

    #[test]
    fn a_cookie_opens_no_socket_for_a_page_that_only_the_star_lets_in() {
        let socket = |origin| [("upgrade", "WebSocket"), ("origin", origin)];
        let own = socket("http://search.example:8001");
        let named = socket("https://app.example");
        assert!(ask(may_use_cookie, &own, &["*"]));
        assert!(ask(may_use_cookie, &named, &["*", "https://app.example"]));
        assert!(!ask(may_use_cookie, &named, &["*"]));
        assert!(!ask(may_use_cookie, &socket("null"), &["*"]));
    }

    #[test]
    fn nor_does_it_count_for_what_another_page_sends() {
        let sent = |site| {
            [
                ("origin", "http://search.example:3000"),
                ("sec-fetch-site", site),
            ]
        };
        for (site, counts) in [
            ("same-site", false),
            ("cross-site", false),
            ("same-origin", true),
        ] {
            assert_eq!(ask(may_use_cookie, &sent(site), &["*"]), counts, "{site}");
        }
        let proxied = [("origin", "https://public.example")];
        assert!(ask(may_use_cookie, &proxied, &[]));
    }
}
