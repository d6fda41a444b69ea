//! How a search ends: with an [`Outcome`] or a [`PipelineError`].

use super::{answer::citations, check::Checked, cost::Cost, plan_types::Plan};
use privachat_core::schema::{
    CitationMapping, Source, SourceDetail, Stage, SubQuery, Usage, error_code,
};
use std::{collections::BTreeMap, time::Duration};

/// The parts of the response that the pipeline produces.
#[derive(Debug, Clone, PartialEq)]
pub struct Outcome {
    /// With citations like `[1]` into `sources` (from 1).
    pub answer: String,
    pub sub_queries: Vec<SubQuery>,
    /// Best first.
    pub sources: Vec<Source>,
    /// In the order of `sources`.
    pub source_details: Vec<SourceDetail>,
    /// The citations in `answer`.
    pub citations: Vec<CitationMapping>,
    /// 0–1.
    pub confidence: f64,
    /// The model that wrote the answer, or "extractive".
    pub model_used: String,
    /// 0–1.
    pub grounding_score: f64,
    /// Claims without support.
    pub hallucination_count: usize,
    /// What was cut or failed, for a person. Set by `run`.
    pub warnings: Vec<String>,
    /// Tokens spent; `None` if no upstream counted any.
    pub usage: Option<Usage>,
    pub timings: BTreeMap<Stage, Duration>,
}

impl Outcome {
    /// The outcome of a checked answer to `plan`, without warnings.
    pub(super) fn from_checked(
        checked: Checked,
        plan: &Plan,
        (sources, source_details): (Vec<Source>, Vec<SourceDetail>),
        model_used: String,
        cost: Cost,
    ) -> Self {
        Self {
            citations: citations::mapping(&checked.text, &sources),
            answer: checked.text,
            sub_queries: plan.queries.iter().map(|q| q.sub_query.clone()).collect(),
            sources,
            source_details,
            confidence: checked.confidence,
            model_used,
            grounding_score: checked.grounding_score,
            hallucination_count: checked.hallucination_count,
            warnings: Vec::new(),
            usage: cost.usage,
            timings: cost.timings,
        }
    }
}

/// Why a search has no answer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stage:?}: {message}")]
pub struct PipelineError {
    /// The stage that failed.
    pub stage: Stage,
    /// One of the stable codes of `privachat_core::schema::problem`: `no_sources`,
    /// `upstream_unavailable`, `timeout`, …
    pub code: &'static str,
    /// For a person. Contains no internal address and no key.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// Whether another attempt can help.
    pub retryable: bool,
    /// The shortest wait that the rate-limited providers ask for, if every provider that may
    /// recover asks for one.
    pub retry_after: Option<Duration>,
    /// What was cut or failed before. Set by `run`.
    pub warnings: Vec<String>,
}

impl PipelineError {
    /// The deadline passed before there was anything to answer from.
    #[must_use]
    pub fn timed_out() -> Self {
        Self {
            stage: Stage::Search,
            code: error_code::TIMEOUT,
            message: "The time was used up before an answer could be given.".to_owned(),
            hint: Some("Try again, with a longer timeout or in a faster mode.".to_owned()),
            retryable: true,
            retry_after: None,
            warnings: Vec::new(),
        }
    }
}
