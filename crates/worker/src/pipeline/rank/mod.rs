//! Which sources, and which passages of them, the answer is made of.
//!
//! Documents are cut into passages; each passage gets a relevance that depends on nothing but the
//! question and itself, so that a score means the same in every response. BM25 over the found
//! passages and the providers' own order refine it.

mod bm25;
mod diversity;
mod duplicates;
mod lexical;
mod passages;
pub mod query;
mod score;
mod semantic;

pub use query::{Query, QueryTerm};

use super::{
    Candidate, Context, Deadline, Plan, ProgressSink, RankedSource, blocking, last_resort,
    text::Analyzer,
};
use chrono::{DateTime, Utc};
use passages::Draft;
use privachat_core::schema::{Stage, Usage};
use std::sync::Arc;

/// Passages kept per source.
const PASSAGES_PER_SOURCE: usize = 5;
/// Below this share of the question a source has nothing to do with it.
const LEAST_RELEVANCE: f64 = 0.08;

/// What the ranking takes into account.
#[derive(Debug, Clone, PartialEq)]
pub struct RankOptions {
    /// How many sources are wanted.
    pub limit: usize,
    /// Whether passages are scored against each other (BM25), not only against the question.
    pub rerank: bool,
    /// Whether sources are spread over domains and topics.
    pub diversity: bool,
    /// Whether recent sources come first.
    pub recency: bool,
    /// Whether the intent of the question weighs.
    pub query_aware: bool,
    /// The moment that ages are counted from.
    pub now: DateTime<Utc>,
}

/// Ranked sources and what ranking them cost.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Ranked {
    /// Best first; none when nothing fits the question.
    pub sources: Vec<RankedSource>,
    /// Tokens spent, if meanings were compared.
    pub usage: Option<Usage>,
}

/// A candidate with its scored passages.
struct Scored {
    candidate: Candidate,
    passages: Vec<(Draft, score::Fit)>,
    relevance: f64,
    semantic: Option<f64>,
    score: f64,
}

/// The best sources for `plan`; in the order of the engines when ranking is cut.
pub async fn rank(
    _context: &Context,
    plan: &Arc<Plan>,
    candidates: Vec<Candidate>,
    options: RankOptions,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Ranked {
    let count = candidates.len();
    sink.stage(Stage::Rank, 0, 1, format!("Ranking {count} sources"));
    let limit = options.limit;
    let (of, unranked) = (Arc::clone(plan), candidates.clone());
    let sources = blocking::cut(deadline, move || by_words(&of, candidates, &options))
        .await
        .unwrap_or_else(|| {
            sink.warn("ranking was cut: sources are in the order of the search engines");
            last_resort::ranked(unranked, limit)
        });
    Ranked {
        sources,
        usage: None,
    }
}

/// The best sources for `plan`, best first; sources that hold nothing of the question are left out.
#[must_use]
pub fn by_words(
    plan: &Plan,
    candidates: Vec<Candidate>,
    options: &RankOptions,
) -> Vec<RankedSource> {
    let analyzer = Analyzer::new(plan.language.as_deref());
    let query = Query::of(plan, &analyzer);
    let drafts = passages::of_all(&candidates, &analyzer);
    let statistics = bm25::Statistics::over(drafts.iter().flatten());
    let mut scored: Vec<Scored> = candidates
        .into_iter()
        .zip(drafts)
        .map(|(candidate, drafts)| {
            score::source(&query, candidate, drafts, None, &statistics, plan, options)
        })
        .filter(|scored| scored.relevance >= LEAST_RELEVANCE)
        .collect();
    scored.sort_by(|a, b| b.score.total_cmp(&a.score));
    let scored = duplicates::merge(scored);
    diversity::select(scored, plan, options, &analyzer)
        .into_iter()
        .map(finished)
        .collect()
}

fn finished(scored: Scored) -> RankedSource {
    let passages = duplicates::without_repeats(scored.passages)
        .into_iter()
        .take(PASSAGES_PER_SOURCE)
        .map(|(draft, fit)| draft.passage(fit.score))
        .collect();
    RankedSource {
        candidate: scored.candidate,
        relevance: scored.relevance,
        semantic_score: scored.semantic,
        final_score: scored.score,
        passages,
    }
}

#[cfg(test)]
mod tests;
