//! Security headers for browsers on every response that does not set its own: responses are data,
//! to be neither rendered as a page, nor embedded, nor cached.

use crate::state::AppState;
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

/// Nothing in a response may run or load anything.
const DATA_POLICY: HeaderValue =
    HeaderValue::from_static("default-src 'none'; frame-ancestors 'none'");
/// Swagger UI needs its own files, inline styles, and `data:` images in its stylesheet.
const SWAGGER_POLICY: HeaderValue = HeaderValue::from_static(
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; \
     connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
);
/// One year, in seconds.
const HSTS_ONE_YEAR: HeaderValue = HeaderValue::from_static("max-age=31536000");
const NO_STORE: HeaderValue = HeaderValue::from_static("no-store");

/// No other site may load a response as an image or a script. This does not affect `fetch` from an
/// origin of CORS_ORIGINS: <https://fetch.spec.whatwg.org/#cross-origin-resource-policy-header>.
const FIXED_HEADERS: [(HeaderName, HeaderValue); 3] = [
    (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
    (REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
    (
        HeaderName::from_static("cross-origin-resource-policy"),
        HeaderValue::from_static("same-origin"),
    ),
];

/// Adds the security headers to each response.
pub(crate) async fn add_security_headers(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<AppState>>();
    let is_encrypted = state.is_some_and(|state| state.trusted_proxies.is_https(request.request()));
    let path = request.path();
    let is_private = path.starts_with("/api/v1/");
    let policy = if path.starts_with("/api/docs/") {
        SWAGGER_POLICY
    } else {
        DATA_POLICY
    };
    let mut response = next.call(request).await?;
    let headers = response.headers_mut();
    for (name, value) in FIXED_HEADERS {
        insert_if_absent(headers, name, value);
    }
    insert_if_absent(headers, CONTENT_SECURITY_POLICY, policy);
    if is_private {
        insert_if_absent(headers, CACHE_CONTROL, NO_STORE);
    }
    if is_encrypted {
        insert_if_absent(headers, STRICT_TRANSPORT_SECURITY, HSTS_ONE_YEAR);
    }
    Ok(response)
}

fn insert_if_absent(headers: &mut HeaderMap, name: HeaderName, value: HeaderValue) {
    if !headers.contains_key(&name) {
        headers.insert(name, value);
    }
}
