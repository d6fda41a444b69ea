//! How well a passage and its source fit.

use super::{
    Query, QueryTerm, RankOptions, Scored,
    bm25::{Statistics, as_f64},
    passages::Draft,
};
use crate::pipeline::Plan;
use chrono::{DateTime, Utc};
use privachat_core::schema::Intent;

/// Terms that stand within so many words of each other belong together.
const WINDOW: usize = 30;
/// The constant of reciprocal rank fusion: 1/61 is the first place of one list.
const FIRST_PLACE: f64 = 1.0 / 61.0;
/// Age in days at which a source is half as fresh.
const HALF_LIFE_DAYS: f64 = 180.0;

/// What meaning counts beside words where both are known.
pub(super) const SEMANTIC_SHARE: f64 = 0.6;

/// The scores of one passage.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fit {
    /// 0–1: share of the question's content that it covers.
    pub(super) relevance: f64,
    /// 0–1: how well its words fit.
    pub(super) words: f64,
    /// 0–1: how near its meaning is, where that was compared.
    pub(super) semantic: Option<f64>,
    /// 0–1: what passages are ordered by.
    pub(super) score: f64,
}

/// How well the words of each passage fit, best first.
pub(super) fn passages(
    query: &Query,
    drafts: Vec<Draft>,
    statistics: &Statistics,
    plan: &Plan,
    options: &RankOptions,
) -> Vec<(Draft, Fit)> {
    let terms = query.all_terms();
    let mut passages: Vec<(Draft, Fit)> = drafts
        .into_iter()
        .map(|draft| {
            let relevance = relevance(query, &draft);
            let bm25 = statistics.score(&terms, &draft);
            let mut words = if options.rerank {
                0.75 * relevance + 0.25 * bm25
            } else {
                relevance
            };
            if options.query_aware {
                words += intent_bonus(plan, query, &draft) * (1.0 - words);
            }
            let fit = Fit {
                relevance,
                words,
                semantic: None,
                score: words,
            };
            (draft, fit)
        })
        .collect();
    best_first(&mut passages);
    passages
}

fn best_first(passages: &mut [(Draft, Fit)]) {
    passages.sort_by(|a, b| b.1.score.total_cmp(&a.1.score));
}

/// Gives a source the scores of its best passage, and lets go of passages that say nothing.
pub(super) fn settle(source: &mut Scored, plan: &Plan, options: &RankOptions) {
    let Scored {
        candidate,
        passages,
        ..
    } = source;
    best_first(passages);
    let Some(best) = passages.first().map(|(_, fit)| *fit) else {
        return;
    };
    let relevance = passages
        .iter()
        .map(|(_, fit)| fit.relevance)
        .fold(0.0, f64::max);
    // Passages that say nothing are not worth keeping beside one that does.
    passages.retain(|(_, fit)| fit.score >= 0.35 * best.score);

    let prior = (candidate.fusion_score / FIRST_PLACE).clamp(0.0, 1.0);
    let prior_weight = if options.rerank { 0.12 } else { 0.3 };
    let words = (1.0 - prior_weight) * best.words + prior_weight * prior;
    let mut score = best.semantic.map_or(words, |semantic| {
        (1.0 - SEMANTIC_SHARE) * words + SEMANTIC_SHARE * semantic
    });
    if options.recency || plan.wants_recent {
        score = 0.85 * score + 0.15 * freshness(candidate.published, options.now);
    }
    source.relevance = relevance.clamp(0.0, 1.0);
    source.semantic = best.semantic;
    source.score = score.clamp(0.0, 1.0);
}

/// Of the question and its sub-queries the one that fits best; a part of a question counts a
/// little less than the whole.
fn relevance(query: &Query, draft: &Draft) -> f64 {
    query
        .alternatives
        .iter()
        .enumerate()
        .map(|(index, terms)| {
            let share = fit(terms, draft);
            if index == 0 { share } else { 0.9 * share }
        })
        .fold(0.0, f64::max)
}

fn fit(terms: &[QueryTerm], draft: &Draft) -> f64 {
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    if total <= 0.0 {
        return 0.0;
    }
    let covered: f64 = terms
        .iter()
        .map(|term| term.weight * presence(&term.term, draft))
        .sum();
    let coverage = covered / total;
    coverage * (0.85 + 0.15 * closeness(terms, draft))
}

/// 0–1: how surely a passage speaks of a term.
fn presence(term: &str, draft: &Draft) -> f64 {
    let in_text = draft.terms.iter().filter(|other| *other == term).count();
    let contains = |terms: &[String]| terms.iter().any(|other| other == term);
    let nearest = contains(&draft.nearest_terms);
    let context: f64 = if nearest {
        0.85
    } else if contains(&draft.heading_terms) {
        0.65
    } else if contains(&draft.title_terms) {
        0.55
    } else {
        0.0
    };
    if in_text == 0 {
        return context;
    }
    let text = 0.8 + 0.1 * as_f64((in_text - 1).min(2));
    if context > 0.0 {
        1.0_f64.min(text + 0.2 * context)
    } else {
        text.min(0.95)
    }
}

/// The share of the question's terms that stand together somewhere in the text, 0–1. Terms of the
/// nearest heading stand beside everything under it.
fn closeness(terms: &[QueryTerm], draft: &Draft) -> f64 {
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    let positions: Vec<(usize, usize)> = draft
        .terms
        .iter()
        .enumerate()
        .filter_map(|(at, word)| {
            let which = terms.iter().position(|term| term.term == *word)?;
            Some((at, which))
        })
        .collect();
    let mut base = vec![false; terms.len()];
    for (seen, term) in base.iter_mut().zip(terms) {
        *seen = draft.nearest_terms.contains(&term.term);
    }
    let weigh = |seen: &[bool]| -> f64 {
        seen.iter()
            .zip(terms)
            .filter(|(seen, _)| **seen)
            .map(|(_, term)| term.weight)
            .sum()
    };
    let mut best = weigh(&base);
    for (index, (start, _)) in positions.iter().enumerate().take(200) {
        let mut seen = base.clone();
        for (_, which) in positions
            .iter()
            .skip(index)
            .take_while(|(at, _)| at - start < WINDOW)
        {
            if let Some(seen) = seen.get_mut(*which) {
                *seen = true;
            }
        }
        best = best.max(weigh(&seen));
    }
    if total > 0.0 { best / total } else { 0.0 }
}

/// 0–1, for passages of the kind that the intent asks for.
fn intent_bonus(plan: &Plan, query: &Query, draft: &Draft) -> f64 {
    let Some(first) = plan.queries.first() else {
        return 0.0;
    };
    let names_topic = query
        .main()
        .iter()
        .any(|term| term.specific && draft.nearest_terms.contains(&term.term));
    let has_number = draft.text.chars().any(|c| c.is_ascii_digit());
    let weighs = [
        "better",
        "worse",
        "prefer",
        "advantage",
        "drawback",
        "should",
        "however",
    ]
    .iter()
    .any(|word| draft.text.contains(word));
    match first.sub_query.intent {
        Intent::Definition if names_topic => 0.3,
        Intent::Factual if has_number => 0.1,
        Intent::Opinion if weighs => 0.2,
        _ => 0.0,
    }
}

/// 0–1; 0 for a source that does not say when it is from.
fn freshness(published: Option<DateTime<Utc>>, now: DateTime<Utc>) -> f64 {
    let Some(published) = published else {
        return 0.0;
    };
    let days = (now - published).num_hours().max(0);
    let days = f64::from(i32::try_from(days).unwrap_or(i32::MAX)) / 24.0;
    0.5_f64.powf(days / HALF_LIFE_DAYS)
}
