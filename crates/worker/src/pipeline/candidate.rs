//! A page on its way through the stages: [`Candidate`] when found, [`RankedSource`] when ranked.

use super::document::Document;
use chrono::{DateTime, Utc};
use privachat_core::schema::SourceType;
use std::sync::Arc;

/// A page that was found: the merged hits of all providers with the same canonical URL.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// The URL to show: that of the best-placed hit, or where its page redirected to.
    pub url: String,
    pub title: String,
    /// The longest excerpt that a provider gave.
    pub snippet: String,
    /// The providers that found it.
    pub providers: Vec<&'static str>,
    /// Reciprocal rank fusion score over all result lists.
    pub fusion_score: f64,
    /// Indexes into `Plan::queries` of the sub-queries that found it.
    pub found_by_queries: Vec<usize>,
    pub published: Option<DateTime<Utc>>,
    pub source_type: SourceType,
    /// Set once the page is read, or when the provider delivered the content.
    pub document: Option<Arc<Document>>,
}

/// A source that the answer is written from.
#[derive(Debug, Clone, PartialEq)]
pub struct RankedSource {
    pub candidate: Candidate,
    /// 0–1, by words.
    pub relevance: f64,
    /// 0–1, by meaning; `None` if meanings were not compared.
    pub semantic_score: Option<f64>,
    /// 0–1; sources are sorted by it.
    pub final_score: f64,
    /// The passages that fit the question, best first; at least one.
    pub passages: Vec<Passage>,
}

/// A part of a source's text that is scored by itself.
#[derive(Debug, Clone, PartialEq)]
pub struct Passage {
    /// The headings above it and the term it explains, outermost first.
    pub headings: Vec<String>,
    /// Whole blocks, or whole sentences of a long block.
    pub text: String,
    /// The URL fragment of its position.
    pub anchor: Option<String>,
    /// 0–1: how well it fits the question.
    pub score: f64,
    /// 0–1: how similar its meaning is to the question's.
    pub semantic_score: Option<f64>,
}
