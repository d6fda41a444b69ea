//! The search response: the same members in every state, `null` where not yet known.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// Where a search is in its life.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted and waiting for a worker.
    Pending,
    /// A worker is on it.
    Processing,
    /// The answer is there. Terminal.
    Completed,
    /// There will be no answer; `error` says why. Terminal.
    Failed,
}

impl Status {
    /// The name used on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }

    /// Whether nothing can change any more.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// What a sub-query is after.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Intent {
    /// "What is …"
    Definition,
    /// Facts, numbers, names, ways to do a thing.
    Factual,
    /// Judgements and comparisons.
    Opinion,
}

/// One query that was sent to the search providers. Clients of the old service build objects from
/// exactly these members, so nothing may be added here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubQuery {
    /// The text that was searched for.
    pub query: String,
    /// What it is after.
    pub intent: Intent,
    /// 1 (most important) – 10.
    #[schema(minimum = 1, maximum = 10)]
    pub priority: u8,
}

/// What kind of publication a source is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum SourceType {
    /// Any page.
    #[default]
    Web,
    /// Papers and journals.
    Academic,
    /// News sites.
    News,
}

/// One source of the answer. Exactly these seven members: see [`SubQuery`].
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Source {
    /// Title of the page.
    pub title: String,
    /// Its address.
    pub url: String,
    /// The part of it that fits the question best.
    pub snippet: String,
    /// 0–1: how well its words fit the question.
    #[schema(minimum = 0, maximum = 1)]
    pub relevance: f64,
    /// 0–1: how well its meaning fits, when embeddings are configured.
    #[schema(minimum = 0, maximum = 1)]
    pub semantic_score: Option<f64>,
    /// 0–1: the score that orders the sources.
    #[schema(minimum = 0, maximum = 1)]
    pub final_score: f64,
    /// What kind of publication it is.
    pub source_type: SourceType,
}

/// What else is known of a source; `source_details[i]` belongs to `sources[i]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceDetail {
    /// The providers that found it.
    pub providers: Vec<String>,
    /// Whether the page itself was read; otherwise the snippet is all that was used.
    pub fetched: bool,
    /// When it was published, if the page or the provider says so.
    pub published: Option<DateTime<Utc>>,
    /// The passages of it that were used, best first.
    pub passages: Vec<String>,
}

/// Which source a number in the answer stands for. Exactly these members: see [`SubQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitationMapping {
    /// The number in the answer, from 1.
    #[schema(minimum = 1)]
    pub citation_number: usize,
    /// Index into `sources`, from 0.
    pub source_index: usize,
    /// How often the answer cites it.
    #[schema(minimum = 1)]
    pub mention_count: usize,
    /// Title of the source.
    pub source_title: String,
    /// Address of the source.
    pub source_url: String,
    /// The registrable name of its host: "wikipedia" for en.wikipedia.org.
    pub domain: String,
}

/// Tokens spent on language models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// Both together.
    pub total_tokens: u64,
}

impl std::ops::AddAssign for Usage {
    fn add_assign(&mut self, other: Self) {
        self.prompt_tokens = self.prompt_tokens.saturating_add(other.prompt_tokens);
        self.completion_tokens = self
            .completion_tokens
            .saturating_add(other.completion_tokens);
        self.total_tokens = self.total_tokens.saturating_add(other.total_tokens);
    }
}

/// A stage of the pipeline.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Stage {
    /// Sub-queries are made.
    Plan,
    /// Providers are asked.
    Search,
    /// Pages are fetched and read.
    Read,
    /// Passages are scored.
    Rank,
    /// The answer is written.
    Answer,
    /// Its claims are held against the sources.
    Check,
}

/// How far a running search is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The stage at work.
    pub stage: Stage,
    /// Units done of it.
    pub done: usize,
    /// Units in all.
    pub total: usize,
    /// What is being done, for a person.
    pub message: String,
}

/// The answer to every question about a search: POST, status poll and stored result alike.
/// The first sixteen members keep this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResponse {
    /// Names the search.
    pub session_id: Uuid,
    /// Where it is in its life.
    pub status: Status,
    /// The question, trimmed.
    pub query: String,
    /// The answer, with citations like `[1]`.
    pub answer: Option<String>,
    /// What was searched for.
    pub sub_queries: Option<Vec<SubQuery>>,
    /// What was found, best first.
    pub sources: Option<Vec<Source>>,
    /// Which citation means which source; null when the answer cites nothing.
    pub citation_mapping: Option<Vec<CitationMapping>>,
    /// How thorough the search is.
    pub mode: String,
    /// Running time in seconds.
    pub execution_time: Option<f64>,
    /// 0–1, from grounding, coverage and agreement of the sources.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: Option<f64>,
    /// The model that wrote the answer; "extractive" when none did.
    pub model_used: Option<String>,
    /// Address of the trace, when tracing is on.
    pub trace_url: Option<String>,
    /// 0–1: mean support of the answer's claims.
    #[schema(minimum = 0, maximum = 1)]
    pub grounding_score: Option<f64>,
    /// Claims that their sources do not support. In `answer`, those that cite a source are marked
    /// with `[unverified]` behind their citations; quotations never are.
    pub hallucination_count: Option<usize>,
    /// Why there is no answer, for a person.
    pub error: Option<String>,
    /// When the search was posted, UTC.
    #[serde(with = "super::time")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
    /// Why there is no answer, for a program: one of the stable codes.
    pub error_code: Option<String>,
    /// What to do about it.
    pub error_hint: Option<String>,
    /// Whether a client cancelled it.
    pub cancelled: bool,
    /// What was cut or went wrong on the way, and why.
    pub warnings: Vec<String>,
    /// How far it is while processing.
    pub progress: Option<Progress>,
    /// How often it was started.
    pub attempt: u32,
    /// Searches ahead of it while pending, where that is cheap to know.
    pub queue_position: Option<u64>,
    /// Tokens spent.
    pub usage: Option<Usage>,
    /// Seconds per stage.
    pub timings: Option<BTreeMap<Stage, f64>>,
    /// What else is known of each source, in the order of `sources`.
    pub source_details: Option<Vec<SourceDetail>>,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// When it ended, UTC.
    #[serde(with = "super::time::optional", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<DateTime<Utc>>,
}

impl SearchResponse {
    /// A response of which nothing is known yet but what the client sent.
    #[must_use]
    pub fn pending(
        session_id: Uuid,
        query: String,
        mode_name: &str,
        created_at: DateTime<Utc>,
    ) -> Self {
        Self {
            session_id,
            status: Status::Pending,
            query,
            answer: None,
            sub_queries: None,
            sources: None,
            citation_mapping: None,
            mode: mode_name.to_owned(),
            execution_time: None,
            confidence: None,
            model_used: None,
            trace_url: None,
            grounding_score: None,
            hallucination_count: None,
            error: None,
            created_at,
            error_code: None,
            error_hint: None,
            cancelled: false,
            warnings: Vec::new(),
            progress: None,
            attempt: 0,
            queue_position: None,
            usage: None,
            timings: None,
            source_details: None,
            cached: false,
            completed_at: None,
        }
    }
}
