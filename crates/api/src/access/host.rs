//! Refuses requests whose `Host` is not an allowed name, with and without a key.
//! [`privachat_core::allowed_hosts`] says why (DNS rebinding).

use crate::{problem::Problem, state::AppState};
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HOST,
    middleware::Next,
    web,
};
use privachat_core::allowed_hosts::AllowedHosts;

/// Refuses requests for a foreign host name.
pub(crate) async fn check_host(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let state = request.app_data::<web::Data<AppState>>();
    if state.is_some_and(|state| is_allowed(&state.allowed_hosts, &request)) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::HostNotAllowed.error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}

/// Checks the `Host` header and an absolute URI in the request line, which overrides it (RFC 9112,
/// section 3.2.2). A request without either is allowed: browsers always send `Host`.
fn is_allowed(hosts: &AllowedHosts, request: &ServiceRequest) -> bool {
    let in_line = request
        .uri()
        .authority()
        .map(|authority| authority.as_str());
    let in_header = request.headers().get(HOST);
    let in_header = in_header.map(|host| host.to_str().unwrap_or_default());
    let mut named = in_line.into_iter().chain(in_header);
    named.all(|host| hosts.allows(host))
}
