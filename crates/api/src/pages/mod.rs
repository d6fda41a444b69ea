//! The web pages, served from the binary: the files of `crates/api/web/`, without a build step or
//! third-party code.

mod assets;
mod page_headers;

use crate::{
    access,
    app::{GET, only},
    problem::Problem,
};
use actix_web::{
    HttpRequest, HttpResponse,
    http::header,
    web::{self, ServiceConfig},
};

/// The routes of the pages, their assets and sign-in. `/` is in the route table: programs get JSON
/// there.
pub(crate) fn configure(config: &mut ServiceConfig) {
    config
        .service(only(GET, "/s/{session_id}").route(web::get().to(search_page)))
        .service(only(GET, "/sign-in").route(web::get().to(sign_in_page)))
        .service(
            web::resource("/api/v1/sign-in")
                .route(web::post().to(access::sign_in))
                .route(web::delete().to(access::sign_out)),
        )
        .service(only(GET, "/assets/{name}").route(web::get().to(asset)));
}

/// The route of the queue page.
pub(crate) fn configure_queue(config: &mut ServiceConfig) {
    config.service(only(GET, "/queue").route(web::get().to(queue_page)));
}

/// The search page, for `/` and `/s/{session_id}`: its script reads the address.
pub(crate) async fn search_page(request: HttpRequest) -> HttpResponse {
    assets::page(&request, "index.html")
}

async fn queue_page(request: HttpRequest) -> HttpResponse {
    assets::page(&request, "queue.html")
}

/// The page that asks for a key.
async fn sign_in_page(request: HttpRequest) -> HttpResponse {
    assets::page(&request, "sign-in.html")
}

/// A script, style or image.
async fn asset(request: HttpRequest, name: web::Path<String>) -> Result<HttpResponse, Problem> {
    assets::find_asset(&request, &name).ok_or(Problem::UnknownPath)
}

/// Whether the client accepts HTML by name, as browsers do and `*/*` does not.
pub(crate) fn accepts_html(request: &HttpRequest) -> bool {
    let accepted = request.headers().get_all(header::ACCEPT);
    accepted
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .filter_map(|range| range.split(';').next())
        .any(|kind| kind.trim().eq_ignore_ascii_case("text/html"))
}
