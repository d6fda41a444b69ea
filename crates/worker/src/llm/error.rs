//! Classifies errors of a model server. Servers put prompts and internal addresses into their
//! messages, so these are only searched for known phrases and never passed on.

use crate::{
    json::{self, ParsedJson},
    pipeline::ModelError,
    upstream::{UpstreamError, UpstreamResponse},
};
use serde_json::Value;
use std::time::Duration;

/// Where the name of the model came from; it decides the hint of a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ModelSource {
    Configured,
    Requested,
    Fallback,
}

impl ModelSource {
    fn hint(self) -> &'static str {
        match self {
            Self::Configured => {
                "set LLM_MODEL to a model that the server has (GET /models lists them), and check the path in LLM_BASE_URL"
            }
            Self::Requested => {
                "ask for a model that the server has, or leave `model` out to use LLM_MODEL"
            }
            Self::Fallback => {
                "set FALLBACK_LLM_MODEL to a model that the server has (GET /models lists them)"
            }
        }
    }
}

/// Why one completion request failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct CompletionError {
    pub(super) error: ModelError,
    /// Whether another model of the same server may succeed.
    pub(super) fallback_helps: bool,
    /// Whether reasoning used up the token limit: a higher limit helps.
    pub(super) tokens_exhausted: bool,
}

impl CompletionError {
    pub(super) fn with_fallback(error: ModelError) -> Self {
        Self {
            error,
            fallback_helps: true,
            tokens_exhausted: false,
        }
    }

    fn refused(reason: String, hint: &str) -> Self {
        Self {
            error: ModelError::Refused {
                reason,
                hint: hint.to_owned(),
            },
            fallback_helps: false,
            tokens_exhausted: false,
        }
    }
}

impl From<UpstreamError> for CompletionError {
    fn from(trouble: UpstreamError) -> Self {
        Self::with_fallback(match trouble {
            UpstreamError::TimedOut => ModelError::TimedOut,
            UpstreamError::Connection(_) | UpstreamError::ViaProxy(_) => ModelError::Unavailable {
                reason: trouble.to_string(),
            },
            UpstreamError::TooLarge => ModelError::Unusable {
                reason: trouble.to_string(),
                usage: None,
            },
        })
    }
}

/// The error that the response `reply` means.
pub(super) fn classify_response(reply: &UpstreamResponse, model: ModelSource) -> CompletionError {
    let status = reply.status.as_u16();
    let mut failure = classify(status, &reply.body, reply.retry_after, model);
    if let ModelError::Refused { reason, .. } | ModelError::Unavailable { reason } =
        &mut failure.error
    {
        *reason = reply.reason();
    }
    failure
}

/// The error that `status` (of HTTP, or of an error inside a stream) and `body` mean.
pub(super) fn classify(
    status: u16,
    body: &[u8],
    retry_after: Option<Duration>,
    model: ModelSource,
) -> CompletionError {
    let complaint = error_text(body);
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| complaint.contains(phrase));
    let reason = format!("HTTP {status}");
    if status == 413 || (matches!(status, 400 | 422 | 500) && says(&CONTEXT_PHRASES)) {
        return CompletionError::with_fallback(ModelError::ContextTooSmall);
    }
    let credit = "the account has no credit left; top it up, or set LLM_API_KEY to another key";
    match status {
        300..=399 => {
            let hint = "set LLM_BASE_URL to the address that answers without a redirect";
            CompletionError::refused(reason, hint)
        }
        401 | 403 => {
            CompletionError::refused(reason, "set LLM_API_KEY to a key that the server accepts")
        }
        402 => CompletionError::refused(reason, credit),
        429 if says(&["insufficient_quota"]) => CompletionError::refused(reason, credit),
        429 => CompletionError::with_fallback(ModelError::RateLimited { retry_after }),
        404 | 405 => unknown_model(reason, model),
        _ if (400..500).contains(&status) && is_about_model(&complaint) => {
            unknown_model(reason, model)
        }
        408 | 500.. => CompletionError::with_fallback(ModelError::Unavailable { reason }),
        _ => CompletionError::refused(
            reason,
            "the server refuses a parameter of the request; check that LLM_BASE_URL speaks OpenAI's chat completions",
        ),
    }
}

/// The error that an error object inside a 200 response or a stream means; its code may be a number
/// or a string.
pub(super) fn classify_error_object(object: &Value, model: ModelSource) -> CompletionError {
    let code = object.pointer("/error/code").or_else(|| object.get("code"));
    let status = code
        .and_then(|code| match code {
            Value::String(text) => text.parse().ok(),
            other => other.as_u64().and_then(|number| u16::try_from(number).ok()),
        })
        .filter(|status| (400..600).contains(status))
        .unwrap_or(500);
    classify(status, object.to_string().as_bytes(), None, model)
}

/// The server's own words in an error body, lower-case, without echoed parts of the request.
pub(super) fn error_text(body: &[u8]) -> String {
    let Ok(ParsedJson { value: object, .. }) = json::read(body) else {
        return String::from_utf8_lossy(body.get(..2000).unwrap_or(body)).to_lowercase();
    };
    let mut words = Vec::new();
    for error in [object.get("error"), Some(&object)].into_iter().flatten() {
        words.extend(error.as_str());
        for name in ["message", "code", "type", "param", "detail"] {
            words.extend(error.get(name).and_then(Value::as_str));
        }
    }
    let details = object.get("detail").and_then(Value::as_array);
    for detail in details.into_iter().flatten() {
        words.extend(detail.get("msg").and_then(Value::as_str));
        let place = detail.get("loc").and_then(Value::as_array);
        words.extend(place.into_iter().flatten().filter_map(Value::as_str));
    }
    words.join(" ").to_lowercase()
}

const CONTEXT_PHRASES: [&str; 10] = [
    "context length",
    "context_length",
    "context window",
    "contextwindow",
    "context size",
    "context_size",
    "maximum context",
    "prompt is too long",
    "too many tokens",
    "maximum number of tokens",
];

fn is_about_model(complaint: &str) -> bool {
    let faults = [
        "not found",
        "not_found",
        "does not exist",
        "invalid model",
        "unknown model",
        "not a valid model",
        "no such model",
        "not supported model",
        "is not available",
    ];
    complaint.contains("model") && faults.iter().any(|fault| complaint.contains(fault))
}

fn unknown_model(reason: String, model: ModelSource) -> CompletionError {
    CompletionError::with_fallback(ModelError::Refused {
        reason,
        hint: model.hint().to_owned(),
    })
}

#[cfg(test)]
mod tests;
