//! One id and one log line for each request. The line has the route and never the query string or
//! the body.

use actix_web::{
    Error, HttpMessage, HttpRequest,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::header::{HeaderName, HeaderValue},
    middleware::Next,
};
use std::time::Instant;
use tracing::Instrument;
use uuid::Uuid;

const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 128;

#[derive(Clone)]
struct RequestId(HeaderValue);

/// The id of a request, as its answer shows it.
pub(crate) fn id_of(request: &HttpRequest) -> String {
    let extensions = request.extensions();
    let id = extensions.get::<RequestId>();
    id.and_then(|id| id.0.to_str().ok())
        .unwrap_or_default()
        .to_owned()
}

/// Gives each request an id (the client's, if it sent a sensible one) and logs how it went.
pub(crate) async fn log_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let started = Instant::now();
    let id = request_id(&request);
    request.extensions_mut().insert(RequestId(id.clone()));
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default());
    async move {
        let method = request.method().clone();
        let mut response = next.call(request).await?;
        response.headers_mut().insert(HEADER, id);
        let route = response.request().match_pattern();
        tracing::info!(
            %method,
            route = route.as_deref().unwrap_or("unknown"),
            status = response.status().as_u16(),
            ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
            "answered"
        );
        Ok(response)
    }
    .instrument(span)
    .await
}

fn request_id(request: &ServiceRequest) -> HeaderValue {
    let sent = request.headers().get(&HEADER).filter(|sent| {
        let length = sent.as_bytes().len();
        (1..=LONGEST).contains(&length) && sent.as_bytes().iter().all(u8::is_ascii_graphic)
    });
    sent.cloned().unwrap_or_else(|| {
        let fresh = Uuid::new_v4().to_string();
        HeaderValue::from_str(&fresh).unwrap_or_else(|_impossible| HeaderValue::from_static("-"))
    })
}
