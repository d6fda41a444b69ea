//! Holding the claims of an answer against the passages they cite: by their words, and by their
//! meaning where embeddings are at hand and words do not suffice.

mod answered;
mod antonyms;
mod claims;
mod confidence;
mod draft;
mod meaning;
mod numbers;
mod order;
mod repair;
mod restated;
mod support;
mod words;

pub use confidence::confidence;

use super::answer::{Answer, EXTRACTIVE};
use super::{Context, Deadline, Plan, ProgressSink, RankedSource};
use draft::Draft;
use privachat_core::schema::{Stage, Usage};
use std::{sync::Arc, time::Duration};

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
    pub corrected_citations: Vec<usize>,
    /// 0–1: how far the passages that it should cite carry it.
    pub support: f64,
    /// Index of the source, cited or not, that carries it best.
    pub best_source: Option<usize>,
    /// Indexes of all sources, cited or not, that carry it.
    pub carriers: Vec<usize>,
}

impl Claim {
    /// Whether it cites sources, and neither they nor others carry it.
    fn is_cited_in_vain(&self) -> bool {
        !self.citations.is_empty() && self.support < SUPPORTED
    }
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
    if answer.abstained {
        // It claims nothing about the matter: nothing to hold against it, and little to go by.
        return Checked {
            confidence: DECLINED,
            ..unchecked
        };
    }
    let checked = held(context, plan, sources, answer, deadline, sink).await;
    let Some(checked) = checked else {
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

/// By words, then by meaning where that may tell more. `None` when even words were late.
async fn held(
    context: &Context,
    plan: &Arc<Plan>,
    sources: &Arc<Vec<RankedSource>>,
    answer: &Answer,
    deadline: Deadline,
    sink: &dyn ProgressSink,
) -> Option<Checked> {
    // A quotation says what its source says: nothing to compare, nothing to mark.
    let quoted = answer.model_used == EXTRACTIVE;
    let settle = {
        let (plan, sources) = (Arc::clone(plan), Arc::clone(sources));
        let answered = quoted.then(|| answer.answerability.unwrap_or(0.0));
        move |draft: &Draft| {
            let checked = draft.settle(!quoted);
            Checked {
                confidence: confidence(&plan, &sources, &checked, answered),
                ..checked
            }
        }
    };
    let work = {
        let (sources, text, settle) = (Arc::clone(sources), answer.text.clone(), settle.clone());
        move || {
            let (draft, doubts) = Draft::of(&text, &sources);
            (settle(&draft), draft, doubts)
        }
    };
    let end = deadline.earlier_by(WRAP_UP);
    let (checked, mut draft, doubts) = context.cpu_pool.cut(end, work).await?;
    let semantics = context.semantics.as_deref();
    let semantics = semantics.filter(|it| !quoted && !doubts.is_empty() && it.is_mutual());
    let Some(semantics) = semantics else {
        return Some(checked);
    };
    let usage = meaning::raise(semantics, &mut draft, &doubts, end, sink).await;
    let again = context.cpu_pool.cut(end, move || settle(&draft)).await;
    Some(Checked {
        usage,
        ..again.unwrap_or(checked)
    })
}

/// Checks every claim of `answer` against the sources that it cites, by its words; mends citations
/// that do not carry their claim, and marks those that nothing carries. Leaves the confidence at 0:
/// that needs the plan.
#[must_use]
pub fn check_by_words(answer: &str, sources: &[RankedSource]) -> Checked {
    let (draft, _) = Draft::of(answer, sources);
    draft.settle(true)
}

/// `answer` with a citation after each claim that has none and that a source carries. `None` when
/// no claim could be cited.
#[must_use]
pub fn add_citations(answer: &str, sources: &[RankedSource]) -> Option<String> {
    let checked = check_by_words(answer, sources);
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
