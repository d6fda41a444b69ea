//! The result of planning: a [`Plan`] with its sub-queries.

use super::provider::TimeRange;
use privachat_core::schema::{SubQuery, Usage};

/// A question and how to search for it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The question with its white space normalised.
    pub question: String,
    /// Two-letter code of the question's language, if detected with confidence.
    pub language: Option<String>,
    /// The sub-queries; never empty.
    pub queries: Vec<PlannedQuery>,
    /// The things that the question compares; empty unless it is a comparison.
    pub entities: Vec<String>,
    /// Whether recent sources matter: news, "latest", a year.
    pub wants_recent: bool,
    /// The year that the question names.
    pub year: Option<i32>,
    /// The questions to answer one by one; usually only the question itself.
    pub sub_questions: Vec<String>,
    /// Whether a language model contributed.
    pub used_model: bool,
}

/// A plan and its cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PlanningResult {
    pub plan: Plan,
    /// Tokens spent, if a model was asked.
    pub usage: Option<Usage>,
}

/// One sub-query and its filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedQuery {
    /// As the response shows it.
    pub sub_query: SubQuery,
    /// The maximum age of results.
    pub time_range: Option<TimeRange>,
}
