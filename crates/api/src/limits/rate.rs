//! The rate limit of API_RATE_LIMIT: by key name, or by client address without a key.

use super::TrustedProxies;
use crate::{
    access::{Caller, is_public_path},
    problem::Problem,
    state::AppState,
};
use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use privachat_core::rate_limit::Allowance;
use std::time::Duration;

/// The four headers of draft-ietf-httpapi-ratelimit-headers-06, the last revision with a header for
/// each number, which clients support.
const LIMIT_HEADER: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING_HEADER: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET_HEADER: HeaderName = HeaderName::from_static("ratelimit-reset");
const POLICY_HEADER: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts requests and refuses those over the limit. Runs before the key check, so that it slows
/// down the guessing of keys.
pub(crate) async fn limit_rate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let Some(allowance) = take_allowance(&request).await else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let mut response = match allowance.retry_after {
        None => next.call(request).await?.map_into_left_body(),
        Some(wait) => {
            let refusal = Problem::RateLimited(seconds_rounded_up(wait).max(1)).error_response();
            request.into_response(refusal).map_into_right_body()
        }
    };
    add_rate_limit_headers(response.headers_mut(), &allowance);
    Ok(response)
}

/// `None` when the request is not limited: no limit is set, the path is exempt, or Redis cannot
/// count.
async fn take_allowance(request: &ServiceRequest) -> Option<Allowance> {
    let state = request.app_data::<web::Data<AppState>>()?;
    let limit = state.rate_limit.as_ref()?;
    if is_exempt(request.path()) {
        return None;
    }
    limit
        .take(&rate_limit_key(request, &state.trusted_proxies))
        .await
}

/// Probes, and files served from the binary. Not sign-in, which can be used to guess keys.
fn is_exempt(path: &str) -> bool {
    path == "/metrics" || (is_public_path(path) && path != "/api/v1/sign-in")
}

fn rate_limit_key(request: &ServiceRequest, proxies: &TrustedProxies) -> String {
    if let Some(name) = request
        .extensions()
        .get::<Caller>()
        .and_then(Caller::key_name)
    {
        return format!("key {name}");
    }
    match proxies.client_address(request.request()) {
        Some(client) => format!("address {}", TrustedProxies::rate_limit_network(client)),
        None => "address unknown".to_owned(),
    }
}

fn add_rate_limit_headers(headers: &mut HeaderMap, allowance: &Allowance) {
    let limit = allowance.limit;
    headers.insert(LIMIT_HEADER, limit.into());
    headers.insert(REMAINING_HEADER, allowance.remaining.into());
    headers.insert(RESET_HEADER, seconds_rounded_up(allowance.reset).into());
    if let Ok(policy) = HeaderValue::from_str(&format!("{limit};w=60")) {
        headers.insert(POLICY_HEADER, policy);
    }
}

/// Rounded up, so that a client that waits that long succeeds.
fn seconds_rounded_up(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
