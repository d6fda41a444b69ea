//! Refuses requests of foreign web pages (CSRF), by the `Origin` and `Sec-Fetch-Site` headers,
//! which browsers set and pages cannot forge.

use crate::{problem::Problem, state::AppState};
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HOST, HeaderMap, ORIGIN, UPGRADE},
    middleware::Next,
    web,
};

/// How the page's origin relates to ours: <https://www.w3.org/TR/fetch-metadata/>.
const FETCH_SITE: &str = "sec-fetch-site";

/// Refuses changes and WebSockets from pages of foreign origins. Browsers let any page send simple
/// requests and open WebSockets to any host; they only prevent it from reading the response.
pub(crate) async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let acts = !request.method().is_safe() || opens_socket(request.headers());
    let state = request.app_data::<web::Data<AppState>>();
    let is_allowed = state.is_some_and(|state| may_act(request.headers(), &state.allowed_origins));
    if is_allowed || !acts {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::OriginNotAllowed.error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

/// Whether the sender may change data or open a WebSocket: a page of this service or of an origin
/// in CORS_ORIGINS, or a program. Another port or subdomain of the same site is foreign: it may run
/// someone else's service.
fn may_act(headers: &HeaderMap, origins: &[String]) -> bool {
    if origins.iter().any(|allowed| allowed == "*") || is_listed_origin(headers, origins) {
        return true;
    }
    match headers.get(FETCH_SITE) {
        // Correct also behind a proxy that changes Host: the browser compares with the public name.
        // "none": the user typed the address or opened a bookmark.
        Some(site) => site == "same-origin" || site == "none",
        // Old browsers, and all browsers on plain HTTP to another machine, send only the origin.
        None => is_own_or_listed(headers, origins),
    }
}

fn opens_socket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(UPGRADE).filter_map(|to| to.to_str().ok());
    upgrades.any(|to| to.to_ascii_lowercase().contains("websocket"))
}

/// Whether the sign-in cookie counts. With CORS_ORIGINS=* any page may use the service, but not
/// with its visitor's key. SameSite withholds the cookie from other sites only, not from other
/// ports and subdomains of this one.
pub(super) fn may_use_cookie(headers: &HeaderMap, origins: &[String]) -> bool {
    if is_own_or_listed(headers, origins) {
        return true;
    }
    // The service's own pages reach this line behind a proxy that changes Host. Sec-Fetch-Site
    // tells them from foreign pages; browsers may not send it with a WebSocket handshake.
    let site = headers.get(FETCH_SITE).and_then(|site| site.to_str().ok());
    let is_foreign = matches!(site, Some("same-site" | "cross-site"));
    !opens_socket(headers) && !is_foreign
}

/// A page of this service or of an origin listed in CORS_ORIGINS, or a program.
fn is_own_or_listed(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if is_listed_origin(headers, origins) {
        return true;
    }
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    // Without the scheme: a proxy in front may terminate TLS.
    let authority = origin.split_once("://").map(|(_scheme, rest)| rest);
    matches!((authority, own), (Some(authority), Some(own)) if authority.eq_ignore_ascii_case(own))
}

fn is_listed_origin(headers: &HeaderMap, origins: &[String]) -> bool {
    let origin = headers.get(ORIGIN);
    origin.is_some_and(|origin| origins.iter().any(|allowed| origin == allowed.as_str()))
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
        ask(may_act, &[("origin", origin)], origins)
    }

    #[test]
    fn pages_of_this_and_of_listed_origins_may_act() {
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
    fn sec_fetch_site_overrides_the_origin() {
        let sent = |site, origin| [("sec-fetch-site", site), ("origin", origin)];
        let own = "http://search.example:8001";
        let public = "https://public.example";
        for (site, origin, acts) in [
            ("same-origin", own, true),
            // A proxy has changed Host.
            ("same-origin", public, true),
            ("none", public, true),
            ("same-site", "http://search.example:3000", false),
            ("same-site", public, false),
            ("cross-site", public, false),
            ("cross-site", "null", false),
            ("cross-site", own, false),
            ("anything", own, false),
            ("cross-site", "https://app.example", true),
            ("same-site", "https://app.example", true),
        ] {
            let acted = ask(may_act, &sent(site, origin), &["https://app.example"]);
            assert_eq!(acted, acts, "{site} {origin}");
        }
        assert!(!ask(may_act, &[("sec-fetch-site", "cross-site")], &[]));
        assert!(ask(may_act, &sent("cross-site", public), &["*"]));
    }

    #[test]
    fn programs_send_no_origin_and_may_act() {
        assert!(ask(may_act, &[], &[]));
        assert!(ask(may_use_cookie, &[("upgrade", "websocket")], &[]));
    }

    #[test]
    fn with_cors_star_the_cookie_opens_no_socket_for_a_foreign_page() {
        let socket = |origin| [("upgrade", "WebSocket"), ("origin", origin)];
        let own = socket("http://search.example:8001");
        let named = socket("https://app.example");
        assert!(ask(may_use_cookie, &own, &["*"]));
        assert!(ask(may_use_cookie, &named, &["*", "https://app.example"]));
        assert!(!ask(may_use_cookie, &named, &["*"]));
        assert!(!ask(may_use_cookie, &socket("null"), &["*"]));
    }

    #[test]
    fn with_cors_star_the_cookie_does_not_count_for_a_foreign_page() {
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
