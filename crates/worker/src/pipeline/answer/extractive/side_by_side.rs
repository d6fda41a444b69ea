//! Things that no sentence compares, each by the figures of its own section.

use super::{
    score::{self, Asked, Rated},
    select::Chosen,
    sentence::{self, Sentence},
};
use crate::pipeline::{Plan, RankedSource, rank::query, text::Analyzer};

/// Things that are put side by side.
const MOST: usize = 4;
/// How much speaks for figures that the reader has to compare.
pub(super) const EVIDENCE: f64 = 0.5;

/// What opens the section of each thing that is compared; `None` unless each has a section named
/// after it with figures of the same kind.
pub(super) fn choose(plan: &Plan, sources: &[RankedSource]) -> Option<Vec<Chosen>> {
    if !(2..=MOST).contains(&plan.entities.len()) {
        return None;
    }
    let analyzer = Analyzer::new(plan.language.as_deref());
    let each: Option<Vec<Chosen>> = plan
        .entities
        .iter()
        .map(|entity| of_section(entity, plan, sources, &analyzer))
        .collect();
    let each = each?;
    let (first, others) = each.split_first()?;
    let shared = others.iter().all(|other| {
        let there = &other.rated.sentence.content;
        let here = &first.rated.sentence.content;
        here.iter()
            .any(|term| !term.contains(|c: char| c.is_ascii_digit()) && there.contains(term))
    });
    shared.then_some(each)
}

fn of_section(
    entity: &str,
    plan: &Plan,
    sources: &[RankedSource],
    analyzer: &Analyzer,
) -> Option<Chosen> {
    let terms = query::terms(entity, analyzer);
    let weights: Vec<f64> = terms.iter().map(|term| term.weight).collect();
    let asked = Asked {
        question: &plan.question,
        terms: &terms,
        weights: &weights,
        kind: super::question::Kind::Comparison,
    };
    let is_named = |words: &[String]| terms.iter().all(|term| words.contains(&term.term));
    let own_section = |sentence: &Sentence| {
        let nearest = &sentence.nearest_terms;
        is_named(nearest) && nearest.len() == terms.len()
    };
    let sentence = sentence::collect(sources, &terms, analyzer)
        .into_iter()
        .find(|it| it.leads && it.complete && own_section(it) && score::has_figure(&it.text))?;
    let text = if is_named(&sentence.terms) {
        sentence.text.clone()
    } else {
        format!("{entity}: {}", sentence.text)
    };
    let source = sentence.source;
    let rated: Rated = score::rate(Sentence { text, ..sentence }, &asked);
    Some(Chosen {
        rated,
        sources: vec![source],
    })
}
