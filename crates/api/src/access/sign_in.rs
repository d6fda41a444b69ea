//! Sign-in for browsers, which cannot send a key header with an event stream: a cookie holds the
//! key.

use crate::{body, problem::Problem, state::State};
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web,
};
use privachat_core::schema::validate::decode;
use serde::Deserialize;

const COOKIE: &str = "privachat_key";
const LASTS: Duration = Duration::days(30);
/// Bytes of the body of a sign-in.
const LIMIT: usize = 4 * 1024;

/// The body of a sign-in.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    key: String,
}

/// Stores the key in a cookie that scripts cannot read and other sites cannot send.
pub(crate) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<State>,
) -> Result<HttpResponse, Problem> {
    let sent = body::json(&request, payload, LIMIT).await?;
    let sent = decode(&sent).map_err(|_no_text| Problem::Unauthorized)?;
    let credentials = serde_json::from_str::<Credentials>(&sent);
    let Credentials { key } = credentials.map_err(|_unreadable| Problem::Unauthorized)?;
    if !state.keys.is_open() && state.keys.owner(key.as_bytes()).is_none() {
        return Err(Problem::Unauthorized);
    }
    let cookie = Cookie::build(COOKIE, key).max_age(LASTS);
    Ok(HttpResponse::NoContent()
        .cookie(closed(&request, cookie))
        .finish())
}

/// Deletes the cookie.
pub(crate) async fn sign_out(request: HttpRequest) -> HttpResponse {
    let cookie = Cookie::build(COOKIE, "").max_age(Duration::ZERO);
    HttpResponse::NoContent()
        .cookie(closed(&request, cookie))
        .finish()
}

fn closed<'c>(request: &HttpRequest, cookie: actix_web::cookie::CookieBuilder<'c>) -> Cookie<'c> {
    let is_encrypted = request.connection_info().scheme() == "https";
    cookie
        .path("/")
        .http_only(true)
        .same_site(SameSite::Strict)
        .secure(is_encrypted)
        .finish()
}

/// The key in the sign-in cookie.
pub(super) fn key_in_cookie(request: &HttpRequest) -> Option<String> {
    request
        .cookie(COOKIE)
        .map(|cookie| cookie.value().to_owned())
}
