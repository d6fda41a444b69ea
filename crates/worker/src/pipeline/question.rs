//! What planning makes of a question.

use super::provider::TimeRange;
use privachat_core::schema::{SubQuery, Usage};

/// A question and how it will be searched for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// The question as asked, white space normalised.
    pub question: String,
    /// Two-letter code of its language, when that is certain enough.
    pub language: Option<String>,
    /// What to search for; never empty.
    pub queries: Vec<PlannedQuery>,
    /// The things that are compared; empty unless the question is a comparison.
    pub entities: Vec<String>,
    /// Whether recent sources matter: news, "latest", a year.
    pub wants_recent: bool,
    /// The year that the question is about, when it names one.
    pub year: Option<i32>,
    /// The questions to answer one by one: as a rule only the question itself.
    pub parts: Vec<String>,
    /// Whether a model had a part in it.
    pub by_model: bool,
}

/// A plan and what it cost.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Planned {
    /// The plan.
    pub plan: Plan,
    /// Tokens spent, if a model was asked.
    pub usage: Option<Usage>,
}

/// One sub-query with what providers can make use of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedQuery {
    /// Text, intent and priority, as the response shows them.
    pub sub_query: SubQuery,
    /// Only results of that age.
    pub time_range: Option<TimeRange>,
}
