//! Sources on their way through the stages.

use super::document::Document;
use chrono::{DateTime, Utc};
use privachat_core::schema::SourceType;
use std::sync::Arc;

/// A source that was found: hits of all providers with the same canonical URL, merged.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The address to show, as the best-placed hit gave it.
    pub url: String,
    /// Its title.
    pub title: String,
    /// The longest useful excerpt that a provider gave.
    pub snippet: String,
    /// The providers that found it.
    pub providers: Vec<&'static str>,
    /// Reciprocal rank fusion over all lists it stands in.
    pub fused: f64,
    /// Indexes into `Plan::queries` of the sub-queries that found it.
    pub found_by: Vec<usize>,
    /// When it was published.
    pub published: Option<DateTime<Utc>>,
    /// What kind of publication it is.
    pub source_type: SourceType,
    /// Its content, once it was read or when the provider had it.
    pub document: Option<Arc<Document>>,
}

/// A source that made it into the answer's material.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedSource {
    /// What was found.
    pub candidate: Candidate,
    /// 0–1, from words.
    pub relevance: f64,
    /// 0–1, from embeddings.
    pub semantic_score: Option<f64>,
    /// 0–1, what it is ordered by.
    pub final_score: f64,
    /// Its passages that fit the question, best first; at least one.
    pub passages: Vec<Passage>,
}

/// A few sentences of one source.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The headings above it and the term it explains, outermost first.
    pub headings: Vec<String>,
    /// The text: whole blocks, or whole sentences of a long one.
    pub text: String,
    /// The fragment that leads to it.
    pub anchor: Option<String>,
    /// 0–1, how well it fits the question.
    pub score: f64,
    /// 0–1, how near its meaning is to the question's.
    pub semantic: Option<f64>,
}
