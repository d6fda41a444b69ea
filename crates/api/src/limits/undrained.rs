//! Closes connections whose chunked request body was not read to its end.

use actix_web::{
    Error, HttpMessage,
    body::{BodySize, BoxBody, EitherBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::header::TRANSFER_ENCODING,
    middleware::Next,
};
use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use std::{
    cell::RefCell,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
};

/// Closes the connection after the response when a chunked body is still arriving. actix does this
/// itself for a body with a declared length, but drains a chunked body without bound once its
/// payload is dropped; this keeps the payload until the response is sent.
pub(crate) async fn close_undrained(
    mut request: ServiceRequest,
    next: Next<impl MessageBody + 'static>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody, BodyGuard>>, Error> {
    if !request.headers().contains_key(TRANSFER_ENCODING) {
        return Ok(next.call(request).await?.map_into_left_body());
    }
    let held = Rc::new(RefCell::new(request.take_payload()));
    let payload = Box::pin(payload_stream(Rc::clone(&held)));
    request.set_payload(Payload::Stream { payload });
    let response = next.call(request).await?.map_body(|_, body| BodyGuard {
        body: body.boxed(),
        _payload: held,
    });
    Ok(response.map_into_right_body())
}

/// The request body as the handler reads it, from the shared payload.
fn payload_stream(held: Rc<RefCell<Payload>>) -> impl Stream<Item = Result<Bytes, PayloadError>> {
    stream::poll_fn(move |context| held.borrow_mut().poll_next_unpin(context))
}

/// A response body that keeps the request's payload until the response is sent.
pub(crate) struct BodyGuard {
    body: BoxBody,
    _payload: Rc<RefCell<Payload>>,
}

impl MessageBody for BodyGuard {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(context)
    }
}
