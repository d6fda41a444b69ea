//! A search request once it has been checked: values that cannot be wrong any more.

use crate::mode::Mode;
use serde::{Deserialize, Serialize};
use std::time::Duration;
use utoipa::ToSchema;

/// Where a search looks for sources.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SearchEngine {
    /// A SearXNG instance of the operator.
    Searxng,
    /// The serper.dev API.
    Serperdev,
    /// Perplexity's Sonar models.
    Perplexity,
    /// Whatever is configured, best first.
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

/// How the prompt for the language model is put together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum PromptStrategy {
    /// One prompt for every question.
    Static,
    /// Instructions that follow the question's intent.
    Dynamic,
    /// Dynamic where the intent is clear, static elsewhere.
    #[default]
    Auto,
}

/// What the response of a direct search says in place of a mode.
pub const DIRECT_MODE: &str = "perplexity";

/// A checked search request, as the API hands it to a worker.
///
/// Built by [`super::validate::search_request`]; also travels through Redis as JSON.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the wire contract has independent switches"
)]
pub struct SearchRequest {
    /// The question, trimmed, 1–5000 code points.
    pub query: String,
    /// How thorough the search is.
    pub mode: Mode,
    /// 5–50; `None` takes the mode's.
    pub max_sources: Option<usize>,
    /// 10–300 s of running time; `None` takes the mode's.
    pub timeout: Option<u64>,
    /// Name of the language model; `None` takes the configured one.
    pub model: Option<String>,
    /// Where to look.
    pub search_engine: SearchEngine,
    /// How the prompt is put together.
    pub prompt_strategy: PromptStrategy,
    /// Spread sources over domains and topics.
    pub enable_diversity: bool,
    /// Prefer recent sources.
    pub enable_recency: bool,
    /// Let the question's intent weigh in the ranking.
    pub enable_query_aware: bool,
    /// Answer at once and run in the background.
    pub async_mode: bool,
    /// 60–604800 s that the record lives; `None` takes the configured value.
    pub ttl_seconds: Option<u64>,
    /// Whether a cached answer will do.
    pub cache: bool,
    /// Who is told the outcome: an http(s) address. Left out when nobody: the digest of such a
    /// request stays the same.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub callback_url: Option<String>,
    /// Whether Perplexity answers by itself and its sources are only checked. Jobs of an older API
    /// do not say.
    #[serde(default)]
    pub direct: bool,
}

impl SearchRequest {
    /// A request with every default, for the given (already checked) question.
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

    /// What `mode` says in the response: the mode, or [`DIRECT_MODE`].
    #[must_use]
    pub fn mode_name(&self) -> &'static str {
        if self.direct {
            return DIRECT_MODE;
        }
        self.mode.as_str()
    }

    /// How many sources the answer may have.
    #[must_use]
    pub fn source_limit(&self) -> usize {
        self.max_sources.unwrap_or(self.mode.limits().max_sources)
    }

    /// How long the search may run.
    #[must_use]
    pub fn time_limit(&self) -> Duration {
        self.timeout
            .map_or(self.mode.limits().timeout, Duration::from_secs)
    }
}
