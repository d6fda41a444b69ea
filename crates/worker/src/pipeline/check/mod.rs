//! Holding the claims of an answer against the passages they cite, without a model.

mod answered;
mod antonyms;
mod claims;
mod confidence;
mod numbers;
mod order;
mod repair;
mod support;
mod words;

pub use confidence::confidence;

use super::answer::{Answer, EXTRACTIVE};
use super::text::{Analyzer, language};
use super::{Context, Deadline, Plan, ProgressSink, RankedSource};
use antonyms::Antonyms;
use privachat_core::schema::{Stage, Usage};
use std::{sync::Arc, time::Duration};
use support::Evidence;

/// A claim with less support than this counts as a hallucination. Measured against claims that
/// repeat (≥ 0.8), rephrase (0.5–0.8) or contradict (≤ 0.35) a passage.
pub const SUPPORTED: f64 = 0.5;
/// What a claim without a citation can be worth: it may be true, but nobody can follow it.
const UNCITED: f64 = 0.6;
/// Confidence of an answer that says that there is none.
const DECLINED: f64 = 0.1;
/// Left after the check to put the result together before the deadline.
const WRAP_UP: Duration = Duration::from_millis(20);

/// A sentence of the answer that states something.
#[derive(Debug, Clone, PartialEq)]
pub struct Claim {
    /// The sentence, without its citations.
    pub text: String,
    /// The sources it cites, from 1.
    pub citations: Vec<usize>,
    /// The sources it should cite: those that carry it.
    pub mended: Vec<usize>,
    /// 0–1: how far the passages that it should cite carry it.
    pub support: f64,
    /// Index of the source, cited or not, that carries it best.
    pub best_source: Option<usize>,
    /// Indexes of all sources, cited or not, that carry it.
    pub carriers: Vec<usize>,
}

/// What the check of an answer found.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Checked {
    /// The answer, its citations mended.
    pub text: String,
    /// 0–1: mean support of the claims; 0 when there is none.
    pub grounding_score: f64,
    /// Claims under [`SUPPORTED`].
    pub hallucination_count: usize,
    /// 0–1: see [`confidence()`].
    pub confidence: f64,
    /// The claims, in order.
    pub claims: Vec<Claim>,
    /// Tokens spent, if meanings were compared.
    pub usage: Option<Usage>,
}

/// Holds `answer` against its sources; one that was not checked in time earns no trust.
pub async fn check(
    context: &Context,
    plan: &Arc<Plan>,
    sources: &Arc<Vec<RankedSource>>,
    answer: &Answer,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Checked {
    sink.stage(Stage::Check, 0, 1, "Checking the answer");
    let unchecked = Checked {
        text: answer.text.clone(),
        ..Checked::default()
    };
    if answer.declined {
        // It claims nothing about the matter: nothing to hold against it, and little to go by.
        return Checked {
            confidence: DECLINED,
            ..unchecked
        };
    }
    let (plan, sources, text) = (Arc::clone(plan), Arc::clone(sources), answer.text.clone());
    let quoted = answer.model_used == EXTRACTIVE;
    let checking = context.cores.cut(deadline.keep(WRAP_UP), move || {
        let checked = by_words(&text, &sources);
        Checked {
            confidence: confidence(&plan, &sources, &checked, quoted),
            ..checked
        }
    });
    let Some(checked) = checking.await else {
        sink.warn("the answer was not checked in time");
        return unchecked;
    };
    if checked.hallucination_count > 0 {
        sink.warn(format!(
            "{} of {} statements in the answer are not supported by the sources that they cite",
            checked.hallucination_count,
            checked.claims.len()
        ));
    }
    checked
}

/// Checks every claim of `answer` against the sources that it cites, by its words, and mends
/// citations that do not carry their claim. Leaves the confidence at 0: that needs the plan.
#[must_use]
pub fn by_words(answer: &str, sources: &[RankedSource]) -> Checked {
    let language = language(answer);
    let analyzer = Analyzer::new(language.as_deref());
    let antonyms = Antonyms::new(&analyzer);
    let evidence: Vec<Evidence> = sources
        .iter()
        .map(|source| Evidence::of(source, &analyzer))
        .collect();
    let claims: Vec<Claim> = claims::of(answer, sources.len())
        .into_iter()
        .map(|(text, citations)| judge(text, citations, &evidence, &analyzer, &antonyms))
        .collect();
    let mending = claims.iter().any(|claim| claim.mended != claim.citations);
    let mended = if mending {
        repair::mend(answer, &claims, sources.len())
    } else {
        answer.to_owned()
    };
    let count = claims
        .iter()
        .filter(|claim| claim.support < SUPPORTED)
        .count();
    let total: f64 = claims.iter().map(|claim| claim.support).sum();
    let number = f64::from(u32::try_from(claims.len()).unwrap_or(u32::MAX));
    Checked {
        grounding_score: if claims.is_empty() {
            0.0
        } else {
            total / number
        },
        text: mended,
        hallucination_count: count,
        claims,
        ..Checked::default()
    }
}

fn judge(
    text: String,
    citations: Vec<usize>,
    evidence: &[Evidence],
    analyzer: &Analyzer,
    antonyms: &Antonyms,
) -> Claim {
    let statement = support::Statement::of(&text, analyzer);
    let supports: Vec<f64> = evidence
        .iter()
        .map(|source| source.support(&statement, antonyms))
        .collect();
    let best_source = supports
        .iter()
        .enumerate()
        .filter(|(_, support)| **support > 0.0)
        .max_by(|a, b| a.1.total_cmp(b.1).then(b.0.cmp(&a.0)))
        .map(|(index, _)| index);
    let mended = repair::mended(&citations, &supports, best_source);
    let cited = mended
        .iter()
        .filter_map(|number| supports.get(number.checked_sub(1)?))
        .copied()
        .fold(0.0, f64::max);
    let support = if citations.is_empty() {
        let best = best_source.and_then(|index| supports.get(index)).copied();
        UNCITED * best.unwrap_or(0.0)
    } else {
        cited
    };
    Claim {
        text,
        citations,
        mended,
        support,
        best_source,
        carriers: (0..supports.len())
            .filter(|index| supports.get(*index).is_some_and(|it| *it >= SUPPORTED))
            .collect(),
    }
}

/// `answer` with a citation after each claim that has none and that a source carries. `None` when
/// no claim could be cited.
#[must_use]
pub fn cite(answer: &str, sources: &[RankedSource]) -> Option<String> {
    let checked = by_words(answer, sources);
    let mut text = answer.to_owned();
    let mut cited = 0;
    for claim in &checked.claims {
        let Some(best) = claim.best_source.filter(|_| claim.citations.is_empty()) else {
            continue;
        };
        // The support of an uncited claim is discounted; what counts is what the source carries.
        if claim.support / UNCITED < SUPPORTED {
            continue;
        }
        if let Some(at) = text.find(&claim.text) {
            let bare = claim.text.strip_suffix('.').unwrap_or(&claim.text);
            text.insert_str(at + bare.len(), &format!(" [{}]", best + 1));
            cited += 1;
        }
    }
    (cited > 0).then_some(text)
}

#[cfg(test)]
mod tests;
