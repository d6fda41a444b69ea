//! [`SearchRequest`]: a search request after validation.

use crate::mode::Mode;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// The search engine that finds the sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchEngine {
    /// The operator's SearXNG instance.
    Searxng,
    /// The serper.dev API.
    Serperdev,
    /// Perplexity's Sonar models.
    Perplexity,
    /// The configured engines, best first.
    #[default]
    Auto,
    /// Wikipedia's own search.
    Wikipedia,
    /// The operator's own documents.
    Local,
}

impl SearchEngine {
    /// The name used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Searxng => "searxng",
            Self::Serperdev => "serperdev",
            Self::Perplexity => "perplexity",
            Self::Auto => "auto",
            Self::Wikipedia => "wikipedia",
            Self::Local => "local",
        }
    }
}

/// How the prompt for the language model is built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptStrategy {
    /// One prompt for every question.
    Static,
    /// Instructions that follow the question's intent.
    Dynamic,
    /// Dynamic if the intent is clear, otherwise static.
    #[default]
    Auto,
}

/// The `mode` of a direct search in responses.
pub const DIRECT_MODE: &str = "perplexity";

/// A valid search request. [`super::validate::search_request`] makes it; the API sends it to a
/// worker through Redis as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire contract has independent switches"
)]
pub struct SearchRequest {
    /// The question, trimmed, 1–5000 code points.
    pub query: String,
    /// The mode, which sets the limits below if they are `None`.
    pub mode: Mode,
    /// 5–50; the mode's limit if `None`.
    pub max_sources: Option<usize>,
    /// Running time, 10–300 s; the mode's limit if `None`.
    pub timeout: Option<u64>,
    /// The language model; the configured one if `None`.
    pub model: Option<String>,
    /// The search engine to use.
    pub search_engine: SearchEngine,
    /// How the prompt is built.
    pub prompt_strategy: PromptStrategy,
    /// Whether sources are spread over domains and topics.
    pub enable_diversity: bool,
    /// Whether recent sources are preferred.
    pub enable_recency: bool,
    /// Whether the question's intent affects the ranking.
    pub enable_query_aware: bool,
    /// Whether the API answers at once and the search runs in the background.
    pub async_mode: bool,
    /// Lifetime of the record, 60–604800 s; the configured one if `None`.
    pub ttl_seconds: Option<u64>,
    /// Whether a cached result may be returned.
    pub cache: bool,
    /// The http(s) URL of the callback. Not serialised if `None`, so that the hash of a request
    /// without a callback stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Whether Perplexity writes the answer and the worker only checks its sources. Missing in jobs
    /// of an older API.
    #[serde(default)]
    pub direct: bool,
}

impl SearchRequest {
    /// A request with default options. The question must be valid already.
    #[must_use]
    pub fn new(query: impl Into<String>, mode: Mode) -> Self {
        Self {
            query: query.into(),
            mode,
            max_sources: None,
            timeout: None,
            model: None,
            search_engine: SearchEngine::default(),
            prompt_strategy: PromptStrategy::default(),
            enable_diversity: true,
            enable_recency: false,
            enable_query_aware: false,
            async_mode: false,
            ttl_seconds: None,
            cache: true,
            callback_url: None,
            direct: false,
        }
    }

    /// The `mode` of the response: the mode's name, or [`DIRECT_MODE`].
    #[must_use]
    pub fn mode_name(&self) -> &'static str {
        if self.direct {
            return DIRECT_MODE;
        }
        self.mode.as_str()
    }

    /// The largest number of sources of the answer.
    #[must_use]
    pub fn source_limit(&self) -> usize {
        self.max_sources.unwrap_or(self.mode.limits().max_sources)
    }

    /// The bound of the running time.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.timeout
            .map_or(self.mode.limits().timeout, Duration::from_secs)
    }
}
