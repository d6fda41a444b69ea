//! Reads the body of a request, within its limits, and validates it as a search.

use crate::{problem::Problem, settings::Capabilities};
use actix_web::{HttpRequest, http::header, web};
use bytes::Bytes;
use privachat_core::schema::{
    SearchRequest,
    validate::{self, Fault},
};
use serde_json::{Value, json};
use std::time::Duration;

/// Bytes; room for four queries of 5,000 code points, each an escape of twelve bytes.
const MAX_BODY_BYTES: usize = 256 * 1024;

/// A body occupies a connection and memory until it is complete. The longest question has 20 kB,
/// which a slow phone sends in two seconds.
const BODY_TIMEOUT: Duration = Duration::from_secs(10);

/// Reads and validates the body of a search request.
pub(crate) async fn read_search_request(
    request: &HttpRequest,
    payload: web::Payload,
    engines: &Capabilities,
) -> Result<SearchRequest, Problem> {
    let bytes = read_bytes(request, payload, MAX_BODY_BYTES).await?;
    let body = match media_type(request) {
        MediaType::Json => {
            validate::parse_body(&bytes).map_err(|fault| Problem::Invalid(vec![fault]))?
        }
        // Recorded from the old service: it read such a body as one string.
        MediaType::Undeclared if bytes.is_empty() => {
            validate::parse_body(&bytes).map_err(|fault| Problem::Invalid(vec![fault]))?
        }
        MediaType::Undeclared => Value::from(String::from_utf8_lossy(&bytes)),
        MediaType::Other => return Err(Problem::NotJson),
    };
    let search = validate::search_request(&body).map_err(Problem::Invalid)?;
    let engine = engines.missing_engine_setting(search.search_engine);
    let engine = engine.map(|setting| engine_unavailable(&search, setting));
    let callback = search.callback_url.as_deref();
    let callback = callback.zip(engines.missing_callback_setting());
    let callback = callback.map(|(address, setting)| callbacks_unavailable(address, setting));
    let faults: Vec<Fault> = engine.into_iter().chain(callback).collect();
    if faults.is_empty() {
        return Ok(search);
    }
    Err(Problem::Invalid(faults))
}

/// Reads a JSON body of at most `limit` bytes.
pub(crate) async fn read_json(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let MediaType::Json = media_type(request) else {
        return Err(Problem::NotJson);
    };
    read_bytes(request, payload, limit).await
}

async fn read_bytes(
    request: &HttpRequest,
    payload: web::Payload,
    limit: usize,
) -> Result<Bytes, Problem> {
    let declared = request.headers().get(header::CONTENT_LENGTH);
    let length = declared.and_then(|length| length.to_str().ok()?.parse::<usize>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Problem::BodyTooLarge(limit));
    }
    tokio::time::timeout(BODY_TIMEOUT, payload.to_bytes_limited(limit))
        .await
        .map_err(|_elapsed| Problem::BodyTimeout)?
        .map_err(|_limit| Problem::BodyTooLarge(limit))?
        .map_err(|_cut| Problem::Invalid(vec![incomplete_body()]))
}

enum MediaType {
    Json,
    /// No Content-Type, or the form type that `curl -d` sends by default.
    Undeclared,
    Other,
}

fn media_type(request: &HttpRequest) -> MediaType {
    let Some(declared) = request.headers().get(header::CONTENT_TYPE) else {
        return MediaType::Undeclared;
    };
    let declared = declared.to_str().unwrap_or_default().to_ascii_lowercase();
    let essence = declared.split(';').next().unwrap_or_default().trim();
    match essence {
        "application/json" => MediaType::Json,
        other if other.starts_with("application/") && other.ends_with("+json") => MediaType::Json,
        "" | "application/x-www-form-urlencoded" => MediaType::Undeclared,
        _ => MediaType::Other,
    }
}

fn incomplete_body() -> Fault {
    Fault::new(
        &["body"],
        "body_incomplete",
        "The body ended before its announced length",
        Value::Null,
    )
}

fn callbacks_unavailable(address: &str, setting: &'static str) -> Fault {
    let msg = format!("Callbacks are not configured: they need the setting {setting}");
    let kind = "callback_unavailable";
    Fault::in_body("callback_url", kind, msg, &address.into())
        .with_context(json!({ "setting": setting }))
}

fn engine_unavailable(search: &SearchRequest, setting: &'static str) -> Fault {
    let engine = search.search_engine.as_str();
    let remedy = if setting == "WIKIPEDIA_BASE_URL" {
        "is switched off by"
    } else {
        "needs"
    };
    let msg =
        format!("Search engine '{engine}' is not configured: it {remedy} the setting {setting}");
    Fault::in_body(
        "search_engine",
        "search_engine_unavailable",
        msg,
        &engine.into(),
    )
    .with_context(json!({ "setting": setting }))
}
