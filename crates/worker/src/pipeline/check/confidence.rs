//! How sure the answer is, from its evidence.

use super::{Checked, Claim, SUPPORTED, answered};
use crate::pipeline::{Plan, RankedSource};
use privachat_core::domain;
use std::collections::HashSet;

const GROUNDING: f64 = 0.45;
const COVERAGE: f64 = 0.2;
const AGREEMENT: f64 = 0.15;
const FIT: f64 = 0.2;

/// What is left of the confidence in quotations for which nothing speaks but where they stand.
const QUOTED: f64 = 0.4;
/// Quotations for which so much speaks have all of it: it is seldom more without a margin.
const FULLY_ANSWERED: f64 = 0.7;

/// 0–1, from how well the claims are grounded, how many sub-queries the cited sources answer, how
/// many of them agree, and how well they fit the question. Claims without support take
/// from it. `quoted` is, of an answer of quotations, how much speaks for them being what was asked
/// for (0–1).
#[must_use]
pub fn confidence(
    plan: &Plan,
    sources: &[RankedSource],
    checked: &Checked,
    quoted: Option<f64>,
) -> f64 {
    let cited = cited(checked, sources.len());
    if cited.is_empty() {
        return 0.0;
    }
    let fit = cited
        .iter()
        .filter_map(|index| sources.get(*index))
        .map(|source| source.relevance)
        .fold(0.0, f64::max);
    // A quotation is grounded whatever it speaks of: what tells is whether it answers.
    let grounding = if quoted.is_some() {
        checked
            .grounding_score
            .min(answered::answered(plan, sources, checked))
    } else {
        checked.grounding_score
    };
    let evidence = GROUNDING * grounding
        + COVERAGE * coverage(plan, sources, &cited)
        + AGREEMENT * agreement(sources, checked)
        + FIT * fit;
    let unsupported = ratio(checked.hallucination_count, checked.claims.len());
    let sure = (evidence * (1.0 - 0.5 * unsupported)).clamp(0.0, 1.0);
    let Some(answered) = quoted else {
        return sure;
    };
    // Places that agree and fit the topic say nothing of whether it is what was asked for.
    let answers = (answered / FULLY_ANSWERED).min(1.0);
    let sure = sure * (QUOTED + (1.0 - QUOTED) * answers);
    // Above what is told of an answer that says that there is none.
    sure.max(1.5 * super::DECLINED)
}

/// Indexes of the sources that carry a claim which cites them.
fn cited(checked: &Checked, sources: usize) -> HashSet<usize> {
    checked
        .claims
        .iter()
        .filter(|claim| claim.support >= SUPPORTED)
        .flat_map(|claim| &claim.corrected_citations)
        .filter_map(|number| number.checked_sub(1))
        .filter(|index| *index < sources)
        .collect()
}

fn coverage(plan: &Plan, sources: &[RankedSource], cited: &HashSet<usize>) -> f64 {
    let answered: HashSet<usize> = cited
        .iter()
        .filter_map(|index| sources.get(*index))
        .flat_map(|source| source.candidate.found_by_queries.iter().copied())
        .filter(|query| *query < plan.queries.len())
        .collect();
    ratio(answered.len(), plan.queries.len())
}

/// Mean over the claims. Two places that say it are better than one, ten hardly better than five.
/// Pages of one publisher are one place; documents without a host each are their own.
fn agreement(sources: &[RankedSource], checked: &Checked) -> f64 {
    let of = |claim: &Claim| {
        let places: HashSet<String> = claim
            .carriers
            .iter()
            .filter_map(|index| sources.get(*index))
            .map(|source| {
                let url = &source.candidate.url;
                domain::registrable_domain(url).unwrap_or_else(|| url.clone())
            })
            .collect();
        1.0 - 0.5_f64.powf(f64::from(u32::try_from(places.len()).unwrap_or(u32::MAX)))
    };
    let claims = checked.claims.len();
    let total: f64 = checked.claims.iter().map(of).sum();
    total / f64::from(u32::try_from(claims.max(1)).unwrap_or(u32::MAX))
}

fn ratio(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    let number = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    (number(part) / number(whole)).min(1.0)
}
