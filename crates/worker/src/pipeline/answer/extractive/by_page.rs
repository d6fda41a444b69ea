//! What a page about the very thing says, where no sentence of it repeats the words of the question.

use super::{
    instruction::instruction,
    question::{Kind, tells_trouble},
    score::{Rated, named_share},
    select::Chosen,
    verdict::actions,
    words::LIGHT,
};
use crate::pipeline::rank::QueryTerm;
use std::collections::HashSet;

/// Share of the question that the page has to speak of, whatever the place.
const PAGE: f64 = 0.75;
/// Share of the question that its title has to name.
const TITLE: f64 = 0.35;
/// The same for a page that speaks of all of it.
const TITLE_OF_WHOLE: f64 = 0.2;
const WHOLE: f64 = 0.99;
/// What a light verb weighs, of a word.
const LIGHT_WEIGHT: f64 = 0.4;
/// Letters that two stems of one word have in common.
const KIN: usize = 6;
/// Share of the question that a sentence with the figure or date that is asked for says itself.
const OWN: f64 = 0.5;
/// Steps that are quoted.
const STEPS: usize = 3;
/// How much speaks for what nothing but its page ties to the question.
pub(super) const EVIDENCE: f64 = 0.5;

/// The steps, the figure or the date on the first page that is about all of the question.
pub(super) fn choose(
    rated: &[Rated],
    question: &str,
    terms: &[QueryTerm],
    kind: Kind,
) -> Option<Vec<Chosen>> {
    // The thing that is done stands beside a light verb and says what is asked.
    let light = |term: &QueryTerm| {
        let light = LIGHT.contains(&term.term.as_str());
        let weight = if light { LIGHT_WEIGHT } else { 1.0 } * term.weight;
        QueryTerm {
            weight,
            ..term.clone()
        }
    };
    let terms: &[QueryTerm] = &terms.iter().map(light).collect::<Vec<_>>();
    if !matches!(kind, Kind::HowTo | Kind::Quantity | Kind::Time) {
        return None;
    }
    let last = rated.iter().map(|it| it.sentence.source).max()?;
    (0..=last).find_map(|source| {
        let page: Vec<&Rated> = rated
            .iter()
            .filter(|it| it.sentence.source == source)
            .collect();
        if !is_about(&page, question, terms, kind) {
            return None;
        }
        let steps = if kind == Kind::HowTo {
            steps(&page, terms)
        } else {
            told(&page, question, terms)
        };
        let chosen: Vec<Chosen> = steps
            .into_iter()
            .map(|rated| Chosen {
                rated: rated.clone(),
                sources: vec![source],
            })
            .collect();
        (!chosen.is_empty()).then_some(chosen)
    })
}

/// Whether the page names all names and numbers, most of the rest, and what is to be done.
fn is_about(page: &[&Rated], question: &str, terms: &[QueryTerm], kind: Kind) -> bool {
    let Some(first) = page.first() else {
        return false;
    };
    let mut spoken: HashSet<&String> = first.sentence.title_terms.iter().collect();
    for it in page {
        spoken.extend(&it.sentence.terms);
        spoken.extend(&it.sentence.heading_terms);
    }
    let holds = |term: &String| spoken.iter().any(|it| *it == term || is_kin(it, term));
    let names = terms
        .iter()
        .filter(|term| term.specific)
        .all(|term| holds(&term.term));
    let acts = kind != Kind::HowTo
        || tells_trouble(question)
        || actions(question, terms).is_none_or(|done| done.into_iter().any(holds));
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    let said: f64 = terms
        .iter()
        .filter(|term| holds(&term.term))
        .map(|term| term.weight)
        .sum();
    let title = if said >= WHOLE * total {
        TITLE_OF_WHOLE
    } else {
        TITLE
    };
    names
        && acts
        && said >= PAGE * total
        && named_share(&first.sentence.title_terms, terms) >= title
}

/// Two forms of a word whose stems differ by an ending: "replica", "replication".
fn is_kin(one: &str, other: &str) -> bool {
    let (short, long) = if one.len() < other.len() {
        (one, other)
    } else {
        (other, one)
    };
    short.len() >= KIN && long.strip_prefix(short).is_some_and(|end| end.len() <= 2)
}

/// The best instruction, and those that follow it in its paragraph.
fn steps<'r>(page: &[&'r Rated], terms: &[QueryTerm]) -> Vec<&'r Rated> {
    let worth = |it: &Rated| {
        let sentence = &it.sentence;
        let named = named_share(&sentence.nearest_terms, terms);
        instruction(sentence) + 0.3 * it.own + 0.1 * named
    };
    let can_open = |it: &&&Rated| {
        let sentence = &it.sentence;
        let told = instruction(sentence) > 0.0 || it.own >= 0.15 && sentence.dangling;
        sentence.complete
            && !sentence.asks
            && !sentence.row
            && told
            && !is_of_who_asks(&sentence.text)
    };
    let Some(best) = page
        .iter()
        .filter(can_open)
        .max_by(|a, b| worth(a).total_cmp(&worth(b)))
    else {
        return Vec::new();
    };
    let here = &best.sentence;
    let beside = |it: &&&Rated| {
        let there = &it.sentence;
        let near = there.passage == here.passage && there.line == here.line && there.complete;
        let before = here.dangling && there.position + 1 == here.position;
        near && (before || there.position >= here.position)
    };
    page.iter().filter(beside).take(STEPS).copied().collect()
}

/// The sentence with what is asked for that says most of the question itself.
fn told<'r>(page: &[&'r Rated], question: &str, terms: &[QueryTerm]) -> Vec<&'r Rated> {
    let lower = question.to_lowercase();
    let counts = COUNTING.iter().any(|it| lower.contains(it));
    let counted = |it: &Rated| {
        counts
            && terms
                .first()
                .is_some_and(|thing| it.sentence.terms.contains(&thing.term))
    };
    page.iter()
        .filter(|it| it.fits && it.sentence.complete && !it.sentence.row)
        .filter(|it| it.own >= OWN || counted(it))
        .max_by(|a, b| a.own.total_cmp(&b.own))
        .map(|it| vec![*it])
        .unwrap_or_default()
}

/// What is counted comes right after these.
const COUNTING: [&str; 3] = ["how many", "wie viele", "combien de"];

/// "My loaf is flat", "I cannot reset it": the trouble, not what helps.
pub(super) fn is_of_who_asks(text: &str) -> bool {
    let lower = text.to_lowercase();
    let first = lower.split_whitespace().next().unwrap_or_default();
    matches!(
        first,
        "my" | "i" | "i've" | "i'm" | "ich" | "mein" | "meine"
    )
}
