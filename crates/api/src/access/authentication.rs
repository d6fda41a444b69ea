//! Authenticates each request by its API key, and refuses those without one where a key is
//! required.

use super::{Caller, origin, sign_in};
use crate::{openapi, problem::Problem, state::AppState};
use actix_web::{
    Error, HttpMessage, HttpRequest, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::AUTHORIZATION,
    middleware::Next,
    web,
};

/// Paths that need no key: probes, the API documents, and the pages, whose data needs one.
const PUBLIC_PATHS: [&str; 9] = [
    "/",
    "/livez",
    "/readyz",
    "/api/v1/health",
    "/api/v1/sign-in",
    openapi::DOCUMENT_PATH,
    "/api/docs",
    "/sign-in",
    "/queue",
];
const PUBLIC_PREFIXES: [&str; 3] = ["/s/", "/assets/", "/api/docs/"];

/// Stores the [`Caller`] in the request, for the middleware and handlers behind it.
pub(crate) async fn authenticate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    if let Some(state) = request.app_data::<web::Data<AppState>>() {
        let caller = caller_for_key(state, request.request());
        request.extensions_mut().insert(caller);
    }
    next.call(request).await
}

/// Refuses requests without a known key, except to public paths. Callers are anonymous and pass
/// when API_KEYS is empty.
pub(crate) async fn require_key(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let is_known = request
        .extensions()
        .get::<Caller>()
        .is_some_and(Caller::is_allowed);
    if is_known || is_public_path(request.path()) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::Unauthorized.error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

/// Whether a path needs no key.
pub(crate) fn is_public_path(path: &str) -> bool {
    PUBLIC_PATHS.contains(&path)
        || PUBLIC_PREFIXES
            .iter()
            .any(|folder| path.starts_with(folder))
}

fn caller_for_key(state: &AppState, request: &HttpRequest) -> Caller {
    let keys = &state.api_keys;
    let key = key_from_request(request, &state.allowed_origins);
    match key.and_then(|key| keys.find_owner(key.as_bytes()).cloned()) {
        Some(owner) => Caller::Key(owner),
        None if keys.allows_anonymous_search() => Caller::Anonymous,
        None => Caller::Unauthenticated,
    }
}

/// The key of a request: from `Authorization: Bearer`, `X-API-Key` or the sign-in cookie.
fn key_from_request(request: &HttpRequest, origins: &[String]) -> Option<String> {
    let header = |name: &str| request.headers().get(name)?.to_str().ok();
    let bearer = header(AUTHORIZATION.as_str()).and_then(|value| {
        let (scheme, key) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
    });
    let sent = bearer.or_else(|| header("x-api-key"));
    sent.map(str::to_owned).or_else(|| {
        let counts = origin::may_use_cookie(request.headers(), origins);
        counts.then(|| sign_in::key_in_cookie(request))?
    })
}
