//! Sign-in for browsers, which cannot send a key header with an event stream: a cookie holds the
//! key.

use crate::{body, problem::Problem, state::AppState};
use actix_web::{
    HttpRequest, HttpResponse,
    cookie::{Cookie, SameSite, time::Duration},
    web,
};
use privachat_core::schema::validate::decode;
use serde::Deserialize;

const COOKIE_NAME: &str = "privachat_key";
const COOKIE_LIFETIME: Duration = Duration::days(30);
/// Bytes of the body of a sign-in.
const MAX_CREDENTIALS_BYTES: usize = 4 * 1024;

/// The body of a sign-in.
#[derive(Deserialize)]
pub(crate) struct Credentials {
    key: String,
}

/// Stores the key in a cookie that scripts cannot read and other sites cannot send.
pub(crate) async fn sign_in(
    request: HttpRequest,
    payload: web::Payload,
    state: web::Data<AppState>,
) -> Result<HttpResponse, Problem> {
    let sent = body::read_json(&request, payload, MAX_CREDENTIALS_BYTES).await?;
    let sent = decode(&sent).map_err(|_no_text| Problem::Unauthorized)?;
    let credentials = serde_json::from_str::<Credentials>(&sent);
    let Credentials { key } = credentials.map_err(|_unreadable| Problem::Unauthorized)?;
    if !state.api_keys.is_empty() && state.api_keys.find_owner(key.as_bytes()).is_none() {
        return Err(Problem::Unauthorized);
    }
    let cookie = Cookie::build(COOKIE_NAME, key).max_age(COOKIE_LIFETIME);
    Ok(HttpResponse::NoContent()
        .cookie(secure_cookie(&request, cookie))
        .finish())
}

/// Deletes the cookie.
pub(crate) async fn sign_out(request: HttpRequest) -> HttpResponse {
    let cookie = Cookie::build(COOKIE_NAME, "").max_age(Duration::ZERO);
    HttpResponse::NoContent()
        .cookie(secure_cookie(&request, cookie))
        .finish()
}

fn secure_cookie<'c>(
    request: &HttpRequest,
    cookie: actix_web::cookie::CookieBuilder<'c>,
) -> Cookie<'c> {
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
        .cookie(COOKIE_NAME)
        .map(|cookie| cookie.value().to_owned())
}
