//! GET /: the service and its main addresses, or the search page.

use super::health::{SERVICE, VERSION};
use crate::pages;
use actix_web::{HttpRequest, HttpResponse, http::header};
use serde_json::json;

/// The service and its main addresses; for a browser, the search page.
#[utoipa::path(get, path = "/", operation_id = "service", tag = "health", responses((status = 200, description = "The service", body = crate::openapi::Root)))]
pub(crate) async fn get(request: HttpRequest) -> HttpResponse {
    if pages::accepts_html(&request) {
        return pages::search_page(request).await;
    }
    let mut answer = HttpResponse::Ok();
    answer.insert_header((header::VARY, "accept"));
    answer.json(json!({
        "service": SERVICE,
        "version": VERSION,
        "docs": "/api/docs",
        "health": "/api/v1/health",
        "status": "running",
    }))
}
