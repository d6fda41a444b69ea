//! What every answer tells browsers, unless it says something of its own: answers are data, to be
//! neither shown as a page, nor embedded, nor kept.

use crate::state::State;
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{
        CACHE_CONTROL, CONTENT_SECURITY_POLICY, HeaderMap, HeaderName, HeaderValue,
        REFERRER_POLICY, STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS,
    },
    middleware::Next,
    web,
};

/// Nothing in an answer may be run or loaded.
const DATA: HeaderValue = HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI: files of its own, with styles in its elements and images in its stylesheet.
const DOCUMENTS: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// A year.
const ONLY_TLS: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NOT_KEPT: HeaderValue = HeaderValue::from_static("no-store");

/// No other site may load an answer as an image or a script. `fetch` from an origin of CORS_ORIGINS
/// is not concerned: <https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header>.
const FIXED: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Adds them to whatever is answered.
pub(crate) async fn protect(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<State>>();
    let is_encrypted = state.is_some_and(|state| state.proxies.say_https(request.request()));
    let path = request.path();
    let is_private = path.starts_with("/api/v1/");
    let policy = if path.starts_with("/api/docs/") {
        DOCUMENTS
    } else {
        DATA
    };
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in FIXED {
        add(headers, name, value);
    }
    add(headers, CONTENT_SECURITY_POLICY, policy);
    if is_private {
        add(headers, CACHE_CONTROL, NOT_KEPT);
    }
    if is_encrypted {
        add(headers, STRICT_TRANSPORT_SECURITY, ONLY_TLS);
    }
    Ok(response)
}

fn add(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}
