//! Checks a provider's response and builds its errors.

use crate::{
    json::{JsonError, ParsedJson},
    pipeline::ProviderError,
    upstream::{ProbeError, UpstreamError, UpstreamResponse},
};
use serde_json::Value;

/// A provider's name, and the settings that fix a refusal.
#[derive(Debug, Clone, Copy)]
pub(super) struct ProviderInfo {
    /// The provider's name in the API.
    pub(super) name: &'static str,
    /// What to do after a 401 or 403.
    pub(super) forbidden_hint: &'static str,
    /// The setting that holds its address.
    pub(super) base_setting: &'static str,
}

impl ProviderInfo {
    /// The error for a request without a response.
    pub(super) fn request_error(self, trouble: UpstreamError) -> ProviderError {
        let provider = self.name;
        match trouble {
            UpstreamError::TimedOut => ProviderError::TimedOut { provider },
            UpstreamError::Connection(_) | UpstreamError::ViaProxy(_) => {
                ProviderError::Unavailable {
                    provider,
                    reason: trouble.to_string(),
                }
            }
            UpstreamError::TooLarge => self.malformed(&trouble.to_string()),
        }
    }

    /// The JSON object of a successful response.
    pub(super) fn json_object(self, reply: &UpstreamResponse) -> Result<ParsedJson, ProviderError> {
        self.check_status(reply)?;
        match reply.json() {
            Ok(parsed) if parsed.value.is_object() => Ok(parsed),
            Ok(_) => Err(self.malformed("JSON, but not an object")),
            Err(JsonError::NotJson) if reply.is_html() => {
                Err(self.malformed("HTML instead of JSON"))
            }
            Err(reason) => Err(self.malformed(&reason.to_string())),
        }
    }

    /// A notice that `count` results could not be read; `None` for 0.
    pub(super) fn unreadable_notice(self, count: usize) -> Option<String> {
        let results = if count == 1 { "result" } else { "results" };
        (count > 0).then(|| format!("{count} {results} of {} could not be read", self.name))
    }

    fn check_status(self, reply: &UpstreamResponse) -> Result<(), ProviderError> {
        let provider = self.name;
        let status = reply.status.as_u16();
        let reason = reply.reason();
        match status {
            200..=299 => Ok(()),
            300..=399 => {
                let hint = format!(
                    "set {} to the address that answers without a redirect",
                    self.base_setting
                );
                Err(self.refused(&reason, hint))
            }
            401 | 403 => Err(self.refused(&reason, self.forbidden_hint)),
            402 => Err(self.refused(&reason, "the account has no credit left")),
            404 | 405 => {
                let hint = format!("check the path in {}", self.base_setting);
                Err(self.refused(&reason, hint))
            }
            429 => Err(ProviderError::RateLimited {
                provider,
                retry_after: reply.retry_after,
            }),
            408 | 500.. => Err(ProviderError::Unavailable { provider, reason }),
            _ if reply.lowercase_text().contains("not enough credits") => {
                Err(self.refused(&reason, "the account has no credit left"))
            }
            _ => Err(self.refused(
                &reason,
                "it does not understand the request; check its version",
            )),
        }
    }

    /// An error that the operator can fix.
    pub(super) fn refused(self, reason: &str, hint: impl Into<String>) -> ProviderError {
        ProviderError::Refused {
            provider: self.name,
            reason: reason.to_owned(),
            hint: hint.into(),
        }
    }

    /// An error for a response in an unexpected format.
    pub(super) fn malformed(self, reason: &str) -> ProviderError {
        ProviderError::Malformed {
            provider: self.name,
            reason: reason.to_owned(),
        }
    }

    /// The error that `check-config` reports for `error`.
    pub(super) fn probe_error(self, error: &ProviderError) -> ProbeError {
        let hint = match error {
            ProviderError::TimedOut { .. }
            | ProviderError::Unavailable { .. }
            | ProviderError::Malformed { .. } => Some(format!(
                "check {} and that the service is running",
                self.base_setting
            )),
            _ => error.hint().map(str::to_owned),
        };
        ProbeError {
            problem: error.to_string(),
            hint,
        }
    }
}

/// The string field `name`; empty when it is absent or not a string.
pub(super) fn text_field<'a>(object: &'a Value, name: &str) -> &'a str {
    object.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The items of the array field `name`; empty when it is absent or not an array.
pub(super) fn array_field<'a>(object: &'a Value, name: &str) -> &'a [Value] {
    object
        .get(name)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}
