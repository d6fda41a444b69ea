//! [`SearchResponse`] and its parts. It has the same members in every status; unknown ones are
//! `null`.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use utoipa::ToSchema;
use uuid::Uuid;

/// The status of a search.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Accepted and waiting for a worker.
    Pending,
    /// A worker runs it.
    Processing,
    /// Ended with an answer. Terminal.
    Completed,
    /// Ended without an answer; `error` has the reason. Terminal.
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

    /// Whether the status is final.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed)
    }
}

/// The intent of a sub-query.
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

/// One query that was sent to the search providers. No member may be added: clients of the old
/// service build objects from exactly these.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SubQuery {
    /// The text of the query.
    pub query: String,
    /// The intent of the query.
    pub intent: Intent,
    /// From 1 (most important) to 10.
    #[schema(minimum = 1, maximum = 10)]
    pub priority: u8,
}

/// The kind of publication of a source.
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
    /// Address of the page.
    pub url: String,
    /// The passage that fits the question best.
    pub snippet: String,
    /// 0–1: how well the words fit the question.
    #[schema(minimum = 0, maximum = 1)]
    pub relevance: f64,
    /// 0–1: how well the meaning fits; null without an embedding or rerank model.
    #[schema(minimum = 0, maximum = 1)]
    pub semantic_score: Option<f64>,
    /// 0–1: the score that orders the sources.
    #[schema(minimum = 0, maximum = 1)]
    pub final_score: f64,
    /// The kind of publication.
    pub source_type: SourceType,
}

/// Further data of a source; `source_details[i]` belongs to `sources[i]`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SourceDetail {
    /// The providers that found the source.
    pub providers: Vec<String>,
    /// Whether the page was read; if not, only its snippet was used.
    pub fetched: bool,
    /// The time of publication, if the page or the provider has it.
    pub published: Option<DateTime<Utc>>,
    /// The passages that were used, best first.
    pub passages: Vec<String>,
}

/// The source of a citation number. Exactly these members: see [`SubQuery`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct CitationMapping {
    /// The number in the answer, from 1.
    #[schema(minimum = 1)]
    pub citation_number: usize,
    /// Index into `sources`, from 0.
    pub source_index: usize,
    /// How often the answer cites the source.
    #[schema(minimum = 1)]
    pub mention_count: usize,
    /// Title of the source.
    pub source_title: String,
    /// Address of the source.
    pub source_url: String,
    /// The short name of the site: "wikipedia" for en.wikipedia.org.
    pub domain: String,
}

/// Tokens spent on language models.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Usage {
    /// Tokens sent.
    pub prompt_tokens: u64,
    /// Tokens received.
    pub completion_tokens: u64,
    /// The sum of both.
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
    /// The question is split into sub-queries.
    Plan,
    /// The providers are queried.
    Search,
    /// Pages are fetched and read.
    Read,
    /// Passages are scored.
    Rank,
    /// The answer is written.
    Answer,
    /// The claims of the answer are checked against the sources.
    Check,
}

/// The progress of a running search.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Progress {
    /// The current stage.
    pub stage: Stage,
    /// Units of the stage that are done.
    pub done: usize,
    /// All units of the stage.
    pub total: usize,
    /// A description for a person.
    pub message: String,
}

/// The response of the POST, of a status poll and of a stored session. The first sixteen members
/// keep this order.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SearchResponse {
    /// The id of the search.
    pub session_id: Uuid,
    /// The status of the search.
    pub status: Status,
    /// The question, trimmed.
    pub query: String,
    /// The answer, with citations like `[1]`.
    pub answer: Option<String>,
    /// The queries that were sent to providers.
    pub sub_queries: Option<Vec<SubQuery>>,
    /// The sources, best first.
    pub sources: Option<Vec<Source>>,
    /// The sources of the citation numbers; null if the answer has no citations.
    pub citation_mapping: Option<Vec<CitationMapping>>,
    /// The mode of the search.
    pub mode: String,
    /// Running time in seconds.
    pub execution_time: Option<f64>,
    /// 0–1, from grounding, coverage and agreement of the sources.
    #[schema(minimum = 0, maximum = 1)]
    pub confidence: Option<f64>,
    /// The model that wrote the answer; "extractive" if none did.
    pub model_used: Option<String>,
    /// Address of the trace, if tracing is on.
    pub trace_url: Option<String>,
    /// 0–1: mean support of the answer's claims.
    #[schema(minimum = 0, maximum = 1)]
    pub grounding_score: Option<f64>,
    /// The number of claims without support. In `answer`, those with citations are marked with
    /// `[unverified]` after them; quotations are never marked.
    pub hallucination_count: Option<usize>,
    /// The reason of a failure, for a person.
    pub error: Option<String>,
    /// The time of the POST, UTC.
    #[serde(with = "super::time")]
    #[schema(value_type = String, format = DateTime)]
    pub created_at: DateTime<Utc>,
    /// The reason of a failure, for a program: one of the stable error codes.
    pub error_code: Option<String>,
    /// What to do about the failure.
    pub error_hint: Option<String>,
    /// Whether a client cancelled the search.
    pub cancelled: bool,
    /// What was cut or failed without ending the search, and why.
    pub warnings: Vec<String>,
    /// The progress while processing.
    pub progress: Option<Progress>,
    /// The number of attempts so far.
    pub attempt: u32,
    /// The number of searches ahead in the queue while pending, if it is cheap to compute.
    pub queue_position: Option<u64>,
    /// Tokens spent on language models.
    pub usage: Option<Usage>,
    /// Seconds per stage.
    pub timings: Option<BTreeMap<Stage, f64>>,
    /// Further data of each source, in the order of `sources`.
    pub source_details: Option<Vec<SourceDetail>>,
    /// Whether the answer came from the cache.
    pub cached: bool,
    /// The time of the end, UTC.
    #[serde(with = "super::time::optional", default)]
    #[schema(value_type = Option<String>, format = DateTime)]
    pub completed_at: Option<DateTime<Utc>>,
}

impl SearchResponse {
    /// The response of a search that has just been accepted.
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
