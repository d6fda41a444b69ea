//! Limits the length of a request target.

use crate::problem::Problem;
use actix_web::{
    Error, ResponseError,
    body::{EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    middleware::Next,
};

/// Bytes that RFC 9110, section 4.1, asks servers to support. The longest one in use, a search in
/// the history, has a tenth of it.
const MAX_URI_BYTES: usize = 8_000;

/// Refuses requests whose path and query are too long.
pub(crate) async fn refuse_long_uri(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, Error> {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if length <= MAX_URI_BYTES {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let refusal = Problem::UriTooLong(MAX_URI_BYTES).error_response();
    Ok(request.into_response(refusal).map_into_right_body())
}
