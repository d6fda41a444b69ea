//! Sends requests to the similarity server and classifies its errors. Servers put texts and
//! internal addresses into their messages, so these are only searched for known phrases and never
//! passed on.

use super::malformed;
use crate::{
    pipeline::{Deadline, SemanticsError},
    upstream::{self, UpstreamError},
};
use reqwest::RequestBuilder;
use serde_json::Value;
use std::{ops::RangeInclusive, time::Duration};

/// The names of the settings, and of the endpoint, in hints.
pub(super) struct SettingNames {
    pub(super) base_url: &'static str,
    api_key: &'static str,
    model: &'static str,
    kind: &'static str,
    path: &'static str,
}

pub(super) const EMBEDDING: SettingNames = SettingNames {
    base_url: "EMBEDDING_BASE_URL",
    api_key: "EMBEDDING_API_KEY",
    model: "EMBEDDING_MODEL",
    kind: "an embedding model",
    path: "/embeddings",
};

pub(super) const RERANK: SettingNames = SettingNames {
    base_url: "RERANK_BASE_URL",
    api_key: "RERANK_API_KEY",
    model: "RERANK_MODEL",
    kind: "a reranking model",
    path: "/rerank",
};

/// The delay before the retry, in milliseconds. Random, so that the requests of one comparison,
/// which failed together, are not retried together.
const RETRY_DELAY_MS: RangeInclusive<u64> = 50..=200;
/// A retry with less time than this is pointless.
const MIN_RETRY_TIME: Duration = Duration::from_millis(300);

/// Sends `request` and reads its JSON. Retries once after a transient error, if there is time.
pub(super) async fn send_with_retry(
    request: RequestBuilder,
    deadline: Deadline,
    settings: &SettingNames,
) -> Result<Value, SemanticsError> {
    let again = request.try_clone();
    let mut asked_wait = None;
    let result = send_once(request, deadline, settings, &mut asked_wait).await;
    let (Err(SemanticsError::RateLimited | SemanticsError::Unavailable { .. }), Some(again)) =
        (&result, again)
    else {
        return result;
    };
    let pause =
        Duration::from_millis(rand::random_range(RETRY_DELAY_MS)) + asked_wait.unwrap_or_default();
    if deadline.remaining() < pause + MIN_RETRY_TIME {
        return result;
    }
    tokio::time::sleep(pause).await;
    send_once(again, deadline, settings, &mut asked_wait).await
}

/// Sends `request` once. Sets `asked_wait` to the delay that the server asks for.
async fn send_once(
    request: RequestBuilder,
    deadline: Deadline,
    settings: &SettingNames,
    asked_wait: &mut Option<Duration>,
) -> Result<Value, SemanticsError> {
    let reply = upstream::send(request, deadline).await?;
    *asked_wait = reply.retry_after;
    if !reply.status.is_success() {
        let status = (reply.status.as_u16(), reply.reason());
        return Err(classify(status, &reply.lowercase_text(), settings));
    }
    let parsed = reply.json();
    let body = parsed
        .map_err(|reason| malformed(&reason.to_string()))?
        .value;
    let Some(error) = body.get("error").filter(|error| !error.is_null()) else {
        return Ok(body);
    };
    // Some gateways respond 200 with an error in the body.
    let code = error.get("code").and_then(|code| match code {
        Value::String(text) => text.parse().ok(),
        other => other.as_u64().and_then(|code| u16::try_from(code).ok()),
    });
    Err(match code.filter(|code| (400..600).contains(code)) {
        Some(code) => classify(
            (code, format!("HTTP {code}")),
            &error.to_string().to_lowercase(),
            settings,
        ),
        None => malformed("an error with a success status"),
    })
}

impl From<UpstreamError> for SemanticsError {
    fn from(trouble: UpstreamError) -> Self {
        match trouble {
            UpstreamError::TimedOut => Self::TimedOut,
            UpstreamError::Connection(_) | UpstreamError::ViaProxy(_) => Self::Unavailable {
                reason: trouble.to_string(),
            },
            UpstreamError::TooLarge => malformed(&trouble.to_string()),
        }
    }
}

fn classify(
    (status, reason): (u16, String),
    complaint: &str,
    settings: &SettingNames,
) -> SemanticsError {
    let SettingNames {
        base_url,
        api_key,
        model,
        kind,
        path,
    } = settings;
    let credit = || format!("top up the account, or set {api_key} to another key");
    let hint = match status {
        300..=399 => format!("set {base_url} to the address that answers without a redirect"),
        401 | 403 => format!("set {api_key} to a key that the server accepts"),
        402 => credit(),
        429 if complaint.contains("insufficient_quota") => credit(),
        429 => return SemanticsError::RateLimited,
        404 | 405 => format!(
            "set {base_url} to the address in front of {path}, and {model} to a model that the server has"
        ),
        408 | 500.. => return SemanticsError::Unavailable { reason },
        _ if complaint.contains("model") => {
            format!("set {model} to {kind} that the server has")
        }
        _ => format!(
            "the server refuses the request: check that {base_url} speaks {path} and that {model} is {kind}"
        ),
    };
    SemanticsError::Refused { reason, hint }
}
