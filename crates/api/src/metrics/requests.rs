//! Middleware that counts requests. Clients cannot choose the value of a label: each value is a new
//! time series.

use super::Metrics;
use crate::{problem::ProblemCode, state::AppState};
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

/// Counts a request, its duration and the code of its failure.
pub(crate) async fn count_request(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<impl MessageBody>, Error> {
    let state = request.app_data::<web::Data<AppState>>().cloned();
    let Some(state) = state else {
        return next.call(request).await;
    };
    let metrics = &state.metrics;
    let started = Instant::now();
    let method = method_label(request.method());
    let in_flight = InFlight::start(metrics);
    let response = next.call(request).await?;
    drop(in_flight);
    let method = Cow::Borrowed(method);
    let route = response.request().match_pattern();
    let route = route.map_or(Cow::Borrowed("unknown"), Cow::Owned);
    if let Some(ProblemCode(code)) = response.response().extensions().get() {
        metrics.refusals.increment([*code]);
    }
    metrics
        .request_seconds
        .observe([method.clone(), route.clone()], started.elapsed());
    let status = Cow::Owned(response.status().as_str().to_owned());
    metrics.requests.increment([method, route, status]);
    Ok(response)
}

/// Counts a request in flight until it is dropped, also when the client disconnects.
struct InFlight<'a>(&'a Gauges<0>);

impl<'a> InFlight<'a> {
    fn start(metrics: &'a Metrics) -> Self {
        metrics.in_flight.add([], 1.0);
        Self(&metrics.in_flight)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.add([], -1.0);
    }
}

/// The label of a method; `other` for unknown ones, which clients can make up.
fn method_label(method: &Method) -> &'static str {
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
