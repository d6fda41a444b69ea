//! Which page sends a request. Browsers say where a page is from, and pages cannot lie about it.

use crate::{problem::Problem, state::State};
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HOST, HeaderMap, ORIGIN, UPGRADE},
    middleware::Next,
    web,
};

/// How far the page is that sends a request: <https://www.w3.org/TR/fetch-metadata/>.
const SITE: &str = "sec-fetch-site";

/// Refuses what a page of another site may not do here. Browsers let any page send simple requests and
/// open WebSockets anywhere; only reading the answers of others is forbidden to it.
pub(crate) async fn check_origin(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let acts = !request.method().is_safe() || opens_socket(request.headers());
    let state = request.app_data::<web::Data<State>>();
    let is_allowed = state.is_some_and(|state| may_act(request.headers(), &state.origins));
    if is_allowed || !acts {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::OriginNotAllowed.error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

/// Whether what sends the request may change something or open a WebSocket: a page of this service or of
/// an origin in CORS_ORIGINS, or no page at all. Another port or subdomain of the same site is another
/// page: what listens there need not be the operator's.
fn may_act(headers: &HeaderMap, origins: &[String]) -> bool {
    if origins.iter().any(|allowed| allowed == "*") || is_listed(headers, origins) {
        return true;
    }
    match headers.get(SITE) {
        // Also behind a proxy that changes Host: the browser knows by which name it came. "none" is
        // what a person does without a page.
        Some(site) => site == "same-origin" || site == "none",
        // Old browsers, and all on plain HTTP to another machine, say no more than the origin.
        None => is_trusted(headers, origins),
    }
}

fn opens_socket(headers: &HeaderMap) -> bool {
    let mut upgrades = headers.get_all(UPGRADE).filter_map(|to| to.to_str().ok());
    upgrades.any(|to| to.to_ascii_lowercase().contains("websocket"))
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
    let site = headers.get(SITE).and_then(|site| site.to_str().ok());
    let is_foreign = matches!(site, Some("same-site" | "cross-site"));
    !opens_socket(headers) && !is_foreign
}

/// A page of this service or of an origin that is named in CORS_ORIGINS, or no page at all.
fn is_trusted(headers: &HeaderMap, origins: &[String]) -> bool {
    let Some(origin) = headers.get(ORIGIN) else {
        return true;
    };
    let Ok(origin) = origin.to_str() else {
        return false;
    };
    if is_listed(headers, origins) {
        return true;
    }
    let own = headers.get(HOST).and_then(|host| host.to_str().ok());
    // Whether a proxy in front speaks TLS is not known here, so the scheme does not count.
    let authority = origin.split_once("://").map(|(_scheme, rest)| rest);
    matches!((authority, own), (Some(authority), Some(own)) if authority.eq_ignore_ascii_case(own))
}

fn is_listed(headers: &HeaderMap, origins: &[String]) -> bool {
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
    fn pages_of_this_origin_and_of_those_allowed_may_act() {
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
    fn how_far_the_page_is_counts_more_than_its_origin() {
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
    fn programs_send_no_origin_and_may() {
        assert!(ask(may_act, &[], &[]));
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
