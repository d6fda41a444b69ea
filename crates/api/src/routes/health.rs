//! Health, liveness and readiness.

use crate::state::AppState;
use actix_web::{HttpResponse, web};
use privachat_core::jobs::{Durability, NotReadyReason};
use serde_json::json;
use std::time::Duration;
use tokio::time::timeout;

/// Shorter than the 4 s of the `healthcheck` command, so that it gets the reason; a reply of Redis
/// may take longer.
const REDIS_CHECK_TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) const SERVICE: &str = "privachat-search";
pub(crate) const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Health in the format of the old service; checks no dependency.
#[utoipa::path(get, path = "/api/v1/health", tag = "health", responses((status = 200, description = "Healthy", body = crate::openapi::Health)))]
pub(crate) async fn health(state: web::Data<AppState>) -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "status": "healthy",
        "service": SERVICE,
        "version": VERSION,
        "environment": state.environment,
    }))
}

/// Liveness: the process responds. Checks no dependency.
#[utoipa::path(get, path = "/livez", tag = "health", responses((status = 200, description = "Alive", body = crate::openapi::Alive)))]
pub(crate) async fn live() -> HttpResponse {
    HttpResponse::Ok().json(json!({ "status": "alive" }))
}

/// Readiness: Redis responds and accepts writes. `durability` says when Redis syncs to disk, and
/// `warnings` which guarantees its setup weakens; neither prevents the service from being ready.
#[utoipa::path(
    get, path = "/readyz", tag = "health",
    responses(
        (status = 200, description = "Ready", body = crate::openapi::Ready),
        (status = 503, description = "Not ready", body = crate::openapi::Ready),
    )
)]
pub(crate) async fn ready(state: web::Data<AppState>) -> HttpResponse {
    if state.draining.is_cancelled() {
        return HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "stopping", "redis": "not asked" }));
    }
    // Spawned, so that the timeout does not drop the call: it must run to its end to detect a dead
    // connection.
    let jobs = state.jobs.clone();
    let asked = actix_web::rt::spawn(async move { jobs.not_ready_reason().await });
    let hindrance = match timeout(REDIS_CHECK_TIMEOUT, asked).await {
        Ok(Ok(hindrance)) => hindrance,
        _late => Some(NotReadyReason::Unreachable),
    };
    match hindrance {
        None => HttpResponse::Ok().json(ready_body(state.durability.get().await)),
        Some(hindrance) => HttpResponse::ServiceUnavailable()
            .json(json!({ "status": "not ready", "redis": hindrance.to_string() })),
    }
}

fn ready_body(durability: Durability) -> serde_json::Value {
    let mut body = json!({ "status": "ready", "redis": "ok", "durability": durability.as_str() });
    if let Some(weakness) = durability.weakness() {
        let remedy = durability.remedy();
        body["warnings"] = json!([format!("{weakness}; {remedy}")]);
    }
    body
}
