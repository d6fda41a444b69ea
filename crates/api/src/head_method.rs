//! Responds to HEAD wherever GET is allowed: the same response without its body (RFC 9110, section
//! 9.3.2).

use actix_web::{
    Error,
    body::{BodySize, EitherBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::{Method, header::UPGRADE},
    middleware::Next,
    web::Bytes,
};
use std::{
    convert::Infallible,
    pin::Pin,
    task::{Context, Poll},
};

/// Handles HEAD as GET and drops the body before it is produced.
pub(crate) async fn handle_head(
    mut request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, OmittedBody>>, Error> {
    if request.method() != Method::HEAD {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let head = request.head_mut();
    head.method = Method::GET;
    // HEAD must not open a WebSocket.
    head.headers.remove(UPGRADE);
    let response = next.call(request).await?;
    Ok(response.map_body(|_head, body| EitherBody::right(OmittedBody(body.size()))))
}

/// A body that only has a size.
pub(crate) struct OmittedBody(BodySize);

impl MessageBody for OmittedBody {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        self.0
    }

    fn poll_next(
        self: Pin<&mut Self>,
        _context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Poll::Ready(None)
    }
}
