//! Ranking by words.

use super::{Query, RankOptions, Scored, bm25::Statistics, duplicates, passages, score};
use crate::pipeline::{Candidate, Plan, text::Analyzer};

/// The candidates with how well the words of each of their passages fit.
pub(super) fn scored(
    plan: &Plan,
    candidates: Vec<Candidate>,
    options: &RankOptions,
) -> Vec<Scored> {
    let analyzer = Analyzer::new(plan.language.as_deref());
    let query = Query::of(plan, &analyzer);
    let drafts = passages::of_all(&candidates, &query, &analyzer);
    let statistics = Statistics::over(drafts.iter().flatten());
    candidates
        .into_iter()
        .zip(drafts)
        .map(|(candidate, drafts)| Scored {
            candidate,
            whole: duplicates::of_passages(drafts.iter()),
            passages: score::passages(&query, drafts, &statistics, plan, options),
            relevance: 0.0,
            semantic: None,
            score: 0.0,
        })
        .collect()
}
