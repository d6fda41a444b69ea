//! The seam to everything that can be searched.

use super::{deadline::Deadline, document::Document};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use privachat_core::schema::{SourceType, Usage};
use std::{sync::Arc, time::Duration};

/// One question to one provider.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderQuery {
    /// The text to search for, already normalised.
    pub text: String,
    /// Two-letter language code, when it is known.
    pub language: Option<String>,
    /// Only results that are at most this old, when the question asks for it.
    pub time_range: Option<TimeRange>,
    /// The year that the question is about, for what can search in a year.
    pub year: Option<i32>,
    /// How many results are wanted.
    pub limit: usize,
}

/// How old a result may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimeRange {
    /// A day.
    Day,
    /// A week.
    Week,
    /// A month.
    Month,
    /// A year.
    Year,
}

/// One search result.
#[derive(Debug, Clone, PartialEq)]
pub struct Hit {
    /// Title, plain text.
    pub title: String,
    /// Address: http(s) as a rule, `file://` for local documents without a base URL.
    pub url: String,
    /// Excerpt, plain text; may be empty.
    pub snippet: String,
    /// Name of the provider.
    pub provider: &'static str,
    /// Position in the provider's list, from 1.
    pub position: usize,
    /// When it was published, if the provider says so.
    pub published: Option<DateTime<Utc>>,
    /// What kind of publication it is.
    pub source_type: SourceType,
    /// The content, when the provider already has it: then the page is not fetched.
    pub document: Option<Arc<Document>>,
}

/// What a provider found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Found {
    /// Results, best first.
    pub hits: Vec<Hit>,
    /// What the user should know, such as engines that did not answer. For a person.
    pub notices: Vec<String>,
    /// Tokens spent, by providers that are models.
    pub usage: Option<Usage>,
    /// A ready answer with `[n]` citations into `hits`, by providers that write one.
    pub answer: Option<String>,
    /// Why engines behind it did not answer, when nothing was found: then that does not mean that
    /// there is nothing.
    pub silence: Option<Silence>,
}

/// Why an engine behind a provider did not answer. The order is that of what to tell the user
/// when it is several of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Silence {
    /// It refused: too many requests, access denied, a captcha.
    Refused,
    /// It was too slow.
    Late,
    /// It failed in another way.
    Failed,
}

/// Anything that answers a query with a list of results.
#[async_trait]
pub trait SearchProvider: Send + Sync {
    /// Its name on the wire.
    fn name(&self) -> &'static str;

    /// Searches. Dropping the future ends the request.
    ///
    /// # Errors
    /// When nothing can be said about the query; an empty list is not an error.
    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError>;
}

/// Why a provider gave no results. The messages name no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProviderError {
    /// No answer in time.
    #[error("{provider} did not answer in time")]
    TimedOut {
        /// Who.
        provider: &'static str,
    },
    /// Connection trouble or a 5xx.
    #[error("{provider} is not available ({reason})")]
    Unavailable {
        /// Who.
        provider: &'static str,
        /// Such as "HTTP 502" or "connection refused".
        reason: String,
    },
    /// A 429.
    #[error("{provider} limits the rate of requests")]
    RateLimited {
        /// Who.
        provider: &'static str,
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// A refusal that only the operator can mend: bad key, JSON switched off, bad parameter.
    #[error("{provider} refuses the request ({reason})")]
    Refused {
        /// Who.
        provider: &'static str,
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    /// An answer in a form that it should not have.
    #[error("{provider} answered in an unexpected form ({reason})")]
    Malformed {
        /// Who.
        provider: &'static str,
        /// Such as "HTML instead of JSON".
        reason: String,
    },
}

impl ProviderError {
    /// Who failed.
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

    /// Whether the same request can succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut { .. } | Self::Unavailable { .. } | Self::RateLimited { .. } => true,
            Self::Refused { .. } | Self::Malformed { .. } => false,
        }
    }

    /// How long it asks to be left alone, if it says so.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::RateLimited { retry_after, .. } => *retry_after,
            _ => None,
        }
    }

    /// What the operator can do, when there is something.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } => Some(hint),
            // The one rate limit that the operator sets on an instance of their own.
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
