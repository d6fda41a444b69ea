//! GET /: what this is and where things are.

use super::health::{SERVICE, VERSION};
use actix_web::HttpResponse;
use serde_json::json;

/// What this service is and where its parts are.
#[utoipa::path(get, path = "/", operation_id = "service", tag = "health", responses((status = 200, description = "What this is", body = crate::openapi::Root)))]
pub(crate) async fn get() -> HttpResponse {
    HttpResponse::Ok().json(json!({
        "service": SERVICE,
        "version": VERSION,
        "docs": "/api/docs",
        "health": "/api/v1/health",
        "status": "running",
    }))
}
