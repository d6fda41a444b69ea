//! GET /metrics.

use super::redis_gauges;
use crate::{access::Admin, state::AppState};
use actix_web::{HttpResponse, web};
use privachat_core::metrics::{CONTENT_TYPE, ScrapeGauges};

/// The metrics of docs/METRICS.md in the OpenMetrics text format.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "health",
    responses(
        (status = 200, description = "The metrics; without those of the queues when Redis is unavailable", body = String, content_type = "application/openmetrics-text"),
    )
)]
pub(crate) async fn get(_: Admin, state: web::Data<AppState>) -> HttpResponse {
    metrics_response(&state).await
}

pub(super) async fn get_without_key(state: web::Data<AppState>) -> HttpResponse {
    metrics_response(&state).await
}

async fn metrics_response(state: &AppState) -> HttpResponse {
    let metrics = &state.metrics;
    let mut moment = ScrapeGauges::default();
    redis_gauges::collect(state, &mut moment).await;
    metrics.process.record(&mut moment);
    HttpResponse::Ok()
        .content_type(CONTENT_TYPE)
        .body(metrics.registry.encode(&moment))
}
