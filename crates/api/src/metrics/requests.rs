//! Counts requests. No label holds what a client can choose.

use super::Metrics;
use crate::{problem::Refused, state::State};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{ServiceRequest, ServiceResponse},
    http::Method,
    middleware::Next,
    web,
};
use privachat_core::metrics::Gauges;
use std::{borrow::Cow, time::Instant};

/// Counts a request, how long it took, and why it was refused.
pub(crate) async fn count_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<State>>().cloned();
    let Some(state) = state else {
        return next.call(request).await;
    };
    let metrics = &state.metrics;
    let started = Instant::now();
    let method = name_of(request.method());
    let in_flight = InFlight::begin(metrics);
    let response = next.call(request).await?;
    drop(in_flight);
    let method = Cow::Borrowed(method);
    let route = response.request().match_pattern();
    let route = route.map_or(Cow::Borrowed("unknown"), Cow::Owned);
    if let Some(Refused(code)) = response.response().extensions().get() {
        metrics.refusals.count([*code]);
    }
    metrics
        .request_seconds
        .observe([method.clone(), route.clone()], started.elapsed());
    let status = Cow::Owned(response.status().as_str().to_owned());
    metrics.requests.count([method, route, status]);
    Ok(response)
}

/// A request without an answer. Not in flight any more when it is dropped: clients may go away.
struct InFlight<'a>(&'a Gauges<0>);

impl<'a> InFlight<'a> {
    fn begin(metrics: &'a Metrics) -> Self {
        metrics.in_flight.add([], 1.0);
        Self(&metrics.in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.add([], -1.0);
    }
}

/// Clients may make up methods of their own.
fn name_of(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "POST" => "POST",
        "DELETE" => "DELETE",
        "HEAD" => "HEAD",
        "OPTIONS" => "OPTIONS",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        _ => "other",
    }
}
