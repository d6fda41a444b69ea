//! Sends a request and reads the whole response.

use super::{PROXY_SUFFIX, UpstreamError, proxy, retry_after};
use crate::{
    json::{self, JsonError, ParsedJson},
    pipeline::Deadline,
};
use chrono::Utc;
use reqwest::{RequestBuilder, Response, StatusCode};
use std::time::Duration;
use tracing::Span;

/// The limit of a response body, after decompression.
pub const MAX_BODY_BYTES: usize = 4_000_000;

/// A complete response of any status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UpstreamResponse {
    pub status: StatusCode,
    /// The delay of its Retry-After header.
    pub retry_after: Option<Duration>,
    /// Whether it is a failure that came through a proxy or from the proxy itself.
    pub through_proxy: bool,
    pub body: Vec<u8>,
}

impl UpstreamResponse {
    /// The status as a reason, such as "HTTP 502".
    #[must_use]
    pub fn reason(&self) -> String {
        let proxy = if self.through_proxy { PROXY_SUFFIX } else { "" };
        format!("HTTP {}{proxy}", self.status.as_u16())
    }

    /// Parses the body as JSON, leniently.
    ///
    /// # Errors
    /// [`JsonError`] when the body is not JSON or has too many values.
    pub fn json(&self) -> Result<ParsedJson, JsonError> {
        json::read(&self.body)
    }

    /// Whether the body looks like HTML.
    #[must_use]
    pub fn is_html(&self) -> bool {
        self.body.trim_ascii_start().starts_with(b"<")
    }

    /// The body as lower-case text, to search for known phrases.
    #[must_use]
    pub fn lowercase_text(&self) -> String {
        String::from_utf8_lossy(&self.body).to_lowercase()
    }
}

/// Sends `request` and reads the response until the deadline.
///
/// # Errors
/// [`UpstreamError`] when the response is not complete in time or too large.
pub async fn send(
    request: RequestBuilder,
    deadline: Deadline,
) -> Result<UpstreamResponse, UpstreamError> {
    let work = async {
        let response = request.send().await?;
        read_response(response).await
    };
    deadline.limit(work).await.ok_or(UpstreamError::TimedOut)?
}

/// Reads the body of `response`.
///
/// # Errors
/// [`UpstreamError`] when the connection breaks or the body is too large.
pub async fn read_response(mut response: Response) -> Result<UpstreamResponse, UpstreamError> {
    let status = response.status();
    Span::current().record("http.response.status_code", status.as_u16());
    let retry_after = retry_after(response.headers(), Utc::now());
    let through_proxy = !status.is_success() && proxy::is_proxied(response.url());
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await? {
        if body.len() + chunk.len() > MAX_BODY_BYTES {
            return Err(UpstreamError::TooLarge);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(UpstreamResponse {
        status,
        retry_after,
        through_proxy,
        body,
    })
}
