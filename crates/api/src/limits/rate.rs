//! How many requests somebody may send: whoever holds a key by its name, all others by their address.

use super::Proxies;
use crate::{
    access::{Caller, is_open},
    problem::Problem,
    state::State,
};
use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderMap, HeaderName, HeaderValue},
    middleware::Next,
    web,
};
use privachat_core::limits::Allowance;
use std::time::Duration;

/// The four fields of draft-ietf-httpapi-ratelimit-headers-06, the last revision with a field for each
/// number: that is what clients read.
const LIMIT: HeaderName = HeaderName::from_static("ratelimit-limit");
const REMAINING: HeaderName = HeaderName::from_static("ratelimit-remaining");
const RESET: HeaderName = HeaderName::from_static("ratelimit-reset");
const POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");

/// Counts requests, and refuses what is too much. Stands before the door: who guesses keys is slowed
/// down by it.
pub(crate) async fn limit_rate(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let Some(allowance) = allowance(&request).await else {
        return Ok(next.call(request).await?.map_into_left_body());
    };
    let mut response = match allowance.retry_after {
        None => next.call(request).await?.map_into_left_body(),
        Some(wait) => {
            let refusal = Problem::RateLimited(whole_seconds(wait).max(1)).error_response();
            request.into_response(refusal).map_into_right_body()
        }
    };
    tell(response.headers_mut(), &allowance);
    Ok(response)
}

/// None where nothing is limited: there is no limit, the request is free, or nobody can count it.
async fn allowance(request: &ServiceRequest) -> Option<Allowance> {
    let state = request.app_data::<web::Data<State>>()?;
    let limit = state.rate_limit.as_ref()?;
    if is_free(request.path()) {
        return None;
    }
    limit.take(&name_of(request, &state.proxies)).await
}

/// Probes, and what is served from the binary. Whoever signs in is counted: they may be guessing.
fn is_free(path: &str) -> bool {
    path == "/metrics" || (is_open(path) && path != "/api/v1/sign-in")
}

fn name_of(request: &ServiceRequest, proxies: &Proxies) -> String {
    if let Some(name) = request.extensions().get::<Caller>().and_then(Caller::name) {
        return format!("key {name}");
    }
    match proxies.client_of(request.request()) {
        Some(client) => format!("address {}", Proxies::network_of(client)),
        None => "address unknown".to_owned(),
    }
}

fn tell(headers: &mut HeaderMap, allowance: &Allowance) {
    let limit = allowance.limit;
    headers.insert(LIMIT, limit.into());
    headers.insert(REMAINING, allowance.remaining.into());
    headers.insert(RESET, whole_seconds(allowance.reset).into());
    if let Ok(policy) = HeaderValue::from_str(&format!("{limit};w=60")) {
        headers.insert(POLICY, policy);
    }
}

/// Rounded up: whoever waits that long has waited long enough.
fn whole_seconds(duration: Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}
