//! Which sources, and which passages of them, the answer is made of.
//!
//! Documents are cut into passages; each passage gets a relevance that depends on nothing but the
//! question and itself, so that a score means the same in every response. BM25 over the found
//! passages and the providers' own order refine it; where meanings can be compared, they weigh
//! more than words (0.6 to 0.4), passage by passage.

mod beginnings;
mod bm25;
mod diversity;
mod duplicates;
mod lexical;
mod passages;
pub mod query;
mod score;
mod semantic;
mod topics;

pub use query::{Query, QueryTerm};

use super::{
    Candidate, Context, Deadline, Plan, ProgressSink, RankedSource, fallback, text::Analyzer,
};
use chrono::{DateTime, Utc};
use passages::Draft;
use privachat_core::schema::{Stage, Usage};
use std::{collections::HashSet, sync::Arc};

/// Passages kept per source.
const PASSAGES_PER_SOURCE: usize = 5;
/// Below this share of the question a source has nothing to do with it.
const LEAST_RELEVANCE: f64 = 0.08;
/// A source without the question's words stays when its meaning is so near, and about as near as
/// that of the best source: what is near in itself differs from model to model.
const NEAR: f64 = 0.55;
const AS_NEAR: f64 = 0.9;

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
    /// The whole text as duplicates are known by.
    whole: HashSet<u64>,
    passages: Vec<(Draft, score::Fit)>,
    relevance: f64,
    semantic: Option<f64>,
    score: f64,
}

/// The best sources for `plan`; by words alone when meanings cannot be compared. When ranking is cut, by the
/// beginnings of long texts, and in the order of the engines when there was no time for these either.
pub async fn rank(
    context: &Context,
    plan: &Arc<Plan>,
    candidates: Vec<Candidate>,
    options: RankOptions,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Ranked {
    let count = candidates.len();
    sink.stage(Stage::Rank, 0, 1, format!("Ranking {count} sources"));
    let limit = options.limit;
    let unranked = candidates.clone();
    let beginnings = match beginnings::of(&candidates) {
        Some(shortened) => {
            let (of, how) = (Arc::clone(plan), options.clone());
            let ranking = move || rank_by_words(&of, shortened, &how);
            context.cpu_pool.cut(deadline, ranking).await
        }
        None => None,
    };
    let mut usage = None;
    let sources = async {
        let (of, how) = (Arc::clone(plan), options.clone());
        let words = move || lexical::scored(&of, candidates, &how);
        let mut scored = context.cpu_pool.cut(deadline, words).await?;
        if options.rerank
            && let Some(semantics) = &context.semantics
        {
            usage = semantic::weigh(&**semantics, plan, &mut scored, deadline, sink).await;
        }
        let of = Arc::clone(plan);
        let choosing = move || chosen(&of, scored, &options);
        context.cpu_pool.cut(deadline, choosing).await
    };
    let sources = match (sources.await, beginnings) {
        (Some(whole), _) => whole,
        (None, Some(beginnings)) => {
            sink.warn("ranking was cut: only the beginnings of the pages were ranked");
            beginnings
        }
        (None, None) => {
            sink.warn("ranking was cut: sources are in the order of the search engines");
            fallback::in_search_order(unranked, limit)
        }
    };
    Ranked { sources, usage }
}

/// The best sources for `plan`, best first; sources that hold nothing of the question are left out.
#[must_use]
pub fn rank_by_words(
    plan: &Plan,
    candidates: Vec<Candidate>,
    options: &RankOptions,
) -> Vec<RankedSource> {
    chosen(plan, lexical::scored(plan, candidates, options), options)
}

fn chosen(plan: &Plan, mut scored: Vec<Scored>, options: &RankOptions) -> Vec<RankedSource> {
    for source in &mut scored {
        score::settle(source, plan, options);
    }
    let nearest = scored
        .iter()
        .filter_map(|source| source.semantic)
        .fold(0.0, f64::max);
    let near = NEAR.max(AS_NEAR * nearest);
    let analyzer = Analyzer::new(plan.language.as_deref());
    // Of a question of signs alone ("=>", an emoji) only the engine knows what fits.
    let is_wordless = Query::of(plan, &analyzer).all_terms().is_empty();
    scored.retain(|source| {
        is_wordless
            || source.relevance >= LEAST_RELEVANCE
            || source.semantic.is_some_and(|semantic| semantic >= near)
    });
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
        .map(|(draft, fit)| draft.passage(fit))
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
mod meaning_tests;
#[cfg(test)]
mod tests;
