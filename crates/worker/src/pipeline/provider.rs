//! The interface to search providers: engines, Wikipedia, the local corpus.

use super::{deadline::Deadline, document::Document};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use privachat_core::schema::{SourceType, Usage};
use std::{sync::Arc, time::Duration};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderQuery {
    /// Already normalised.
    pub text: String,
    /// Two-letter code, if known.
    pub language: Option<String>,
    /// The maximum age of results, if the question asks for one.
    pub time_range: Option<TimeRange>,
    /// The year that the question names, for providers that can filter by it.
    pub year: Option<i32>,
    /// The number of results wanted.
    pub limit: usize,
}

/// The maximum age of a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRange {
    Day,
    Week,
    Month,
    Year,
}

/// One result of a provider.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Plain text.
    pub title: String,
    /// Usually http(s); `file://` for local documents without a base URL.
    pub url: String,
    /// An excerpt in plain text; may be empty.
    pub snippet: String,
    /// The name of the provider.
    pub provider: &'static str,
    /// The position in the provider's list, from 1.
    pub position: usize,
    pub published: Option<DateTime<Utc>>,
    pub source_type: SourceType,
    /// The content, if the provider delivers it; then the page is not fetched.
    pub document: Option<Arc<Document>>,
}

/// The response of a provider.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ProviderResponse {
    /// Best first.
    pub hits: Vec<Hit>,
    /// For a person; for example the engines that did not answer.
    pub notices: Vec<String>,
    /// Tokens spent, for providers that are models.
    pub usage: Option<Usage>,
    /// A ready answer with `[n]` citations into `hits`, for providers that write one.
    pub answer: Option<String>,
    /// Why engines behind the provider did not answer. Set only when there are no hits: they do not
    /// prove then that nothing exists.
    pub silence: Option<EngineFailure>,
}

/// Why an engine behind a provider did not answer. If several failed, the first in this order is
/// reported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum EngineFailure {
    /// Too many requests, access denied, a captcha.
    Refused,
    /// Timed out.
    Late,
    /// Any other failure.
    Failed,
}

#[async_trait]
pub trait SearchProvider: Send + Sync {
    /// The name on the wire.
    fn name(&self) -> &'static str;

    /// Dropping the future ends the request.
    ///
    /// # Errors
    /// [`ProviderError`] when the query was not answered; an empty list is not an error.
    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError>;
}

/// Why a provider gave no results. The messages contain no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    #[error("{provider} did not answer in time")]
    TimedOut { provider: &'static str },
    /// A connection error, a 5xx, or an open circuit breaker.
    #[error("{provider} is not available ({reason})")]
    Unavailable {
        provider: &'static str,
        /// Such as "HTTP 502" or "connection refused".
        reason: String,
    },
    /// A 429.
    #[error("{provider} limits the rate of requests")]
    RateLimited {
        provider: &'static str,
        /// The wait that the provider asks for.
        retry_after: Option<Duration>,
    },
    /// An error that only the operator can fix: bad key, JSON switched off, bad parameter.
    #[error("{provider} refuses the request ({reason})")]
    Refused {
        provider: &'static str,
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    /// A response in an unexpected form.
    #[error("{provider} answered in an unexpected form ({reason})")]
    Malformed {
        provider: &'static str,
        /// Such as "HTML instead of JSON".
        reason: String,
    },
}

impl ProviderError {
    #[must_use]
    pub fn provider(&self) -> &'static str {
        match self {
            Self::TimedOut { provider }
            | Self::Unavailable { provider, .. }
            | Self::RateLimited { provider, .. }
            | Self::Refused { provider, .. }
            | Self::Malformed { provider, .. } => provider,
        }
    }

    /// Whether the same request can succeed shortly after.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Unavailable { .. } | Self::RateLimited { .. } => true,
            Self::Refused { .. } | Self::Malformed { .. } => false,
        }
    }

    /// The wait that the provider asks for.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } => Some(hint),
            // The one rate limit that operators set themselves, on their own instance.
            Self::RateLimited {
                provider: "searxng",
                ..
            } => Some(
                "switch SearXNG's limiter off for this service (server.limiter: false in its settings.yml)",
            ),
            _ => None,
        }
    }
}
