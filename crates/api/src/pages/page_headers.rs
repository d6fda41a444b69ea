//! Security headers of the pages, as strict as the pages allow: they show text from the web.

use actix_web::HttpResponseBuilder;

/// Own scripts, styles, images and requests; nothing inline, no other origin, no frames
/// (<https://www.w3.org/TR/CSP3/>).
const CONTENT_SECURITY_POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; \
                      connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; \
                      require-trusted-types-for 'script'; trusted-types 'none'";

const PAGE_HEADERS: [(&str, &str); 6] = [
    ("content-security-policy", CONTENT_SECURITY_POLICY),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "no-referrer"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
    ),
];

pub(super) fn add_page_headers(answer: &mut HttpResponseBuilder) {
    for header in PAGE_HEADERS {
        answer.insert_header(header);
    }
}
