//! The route table.

use crate::{metrics, openapi, pages, problem::Problem, routes};
use actix_web::{
    HttpResponse,
    http::{Method, header},
    web::{self, ServiceConfig},
};
use std::future::{Ready, ready};

pub(crate) const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];
const DELETE: &[Method] = &[Method::DELETE];
const GET_DELETE: &[Method] = &[Method::GET, Method::DELETE];

/// All routes of the service. The web pages configure theirs in [`pages::configure`].
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(only(GET, "/").route(web::get().to(routes::root::get)))
        .service(only(GET, "/livez").route(web::get().to(routes::health::live)))
        .service(only(GET, "/readyz").route(web::get().to(routes::health::ready)))
        .service(only(GET, "/metrics").route(web::get().to(metrics::get)))
        .configure(configure_queue)
        .service(only(GET, "/api/v1/health").route(web::get().to(routes::health::health)))
        .service(only(POST, "/api/v1/search").route(web::post().to(routes::search::post)))
        .service(web::resource("/api/v1/search/").to(redirect_to_search))
        .service(
            only(POST, "/api/v1/search/perplexity")
                .route(web::post().to(routes::search::post_direct)),
        )
        .service(web::resource("/api/v1/search/status").to(unknown_path))
        .service(
            only(GET, "/api/v1/search/status/{session_id}")
                .route(web::get().to(routes::status::get)),
        )
        .service(
            only(GET, "/api/v1/search/{session_id}/events")
                .route(web::get().to(routes::events::get)),
        )
        .service(
            only(GET, "/api/v1/search/{session_id}/ws").route(web::get().to(routes::socket::get)),
        )
        .service(
            only(DELETE, "/api/v1/search/{session_id}")
                .route(web::delete().to(routes::control::cancel)),
        )
        .service(
            only(POST, "/api/v1/search/{session_id}/retry")
                .route(web::post().to(routes::control::retry)),
        )
        .service(
            only(GET_DELETE, "/api/v1/sessions/{session_id}")
                .route(web::get().to(routes::sessions::get))
                .route(web::delete().to(routes::sessions::delete)),
        )
        .service(only(GET, "/api/v1/sessions").route(web::get().to(routes::list::get)))
        .configure(pages::configure)
        .service(web::resource("/api/docs").route(web::get().to(redirect_to_docs)))
        .service(openapi::swagger_ui())
        .service(only(GET, openapi::DOCUMENT_PATH).route(web::get().to(openapi::get)))
        .default_service(web::to(unknown_path));
}

/// The queue, for operators: the handlers take an [`Admin`](crate::access::Admin); the page needs
/// no key.
fn configure_queue(config: &mut ServiceConfig) {
    config
        .configure(pages::configure_queue)
        .service(only(GET, "/api/v1/queue").route(web::get().to(routes::queue::get)))
        .service(only(GET, "/api/v1/queue/events").route(web::get().to(routes::queue::events)));
}

/// A resource that responds with 405 to all other methods.
pub(crate) fn only(methods: &'static [Method], path: &str) -> actix_web::Resource {
    web::resource(path.to_owned())
        .default_service(web::to(move || ready(method_not_allowed(methods))))
}

fn method_not_allowed(methods: &'static [Method]) -> Result<HttpResponse, Problem> {
    Err(Problem::MethodNotAllowed(methods))
}

fn unknown_path() -> Ready<Result<HttpResponse, Problem>> {
    ready(Err(Problem::UnknownPath))
}

/// 307: the client repeats its POST with the body.
fn redirect_to_search() -> Ready<HttpResponse> {
    ready(redirect("/api/v1/search"))
}

fn redirect_to_docs() -> Ready<HttpResponse> {
    ready(redirect("/api/docs/"))
}

fn redirect(location: &'static str) -> HttpResponse {
    HttpResponse::TemporaryRedirect()
        .insert_header((header::LOCATION, location))
        .finish()
}
