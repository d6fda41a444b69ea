//! Checks the `Host` of requests to the metrics server; `privachat_core::hosts` says why.

use actix_web::{
    Error, HttpResponse,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::header::HOST,
    middleware::Next,
    web,
};
use privachat_core::{
    allowed_hosts::{AllowedHosts, HOST_REFUSED},
    schema::error_code,
};
use serde_json::json;

/// Refuses requests whose host is not allowed, as the API does.
pub(super) async fn check_host(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let hosts = request.app_data::<web::Data<AllowedHosts>>();
    if hosts.is_some_and(|hosts| is_allowed(hosts, &request)) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = HttpResponse::Forbidden()
        .json(json!({ "error": error_code::HOST_NOT_ALLOWED, "message": HOST_REFUSED }));
    Ok(request.into_response(refusal).map_into_right_body())
}

/// A request without a host is allowed: browsers, which speak HTTP/1.1, always send one.
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
