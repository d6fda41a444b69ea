//! How far quotations answer the question, since each of them is true to its source.

use super::{Checked, Claim};
use crate::pipeline::{
    Plan, RankedSource,
    text::{Analyzer, stop_words},
};
use std::collections::HashSet;

/// What a term of the question is worth that only the title or headings of the source have.
const IN_TITLE: f64 = 0.5;
/// What is left when the question asks for a figure or a name and the claim has none.
const OTHER_KIND: f64 = 0.5;
/// The weight of terms that nearly every question has.
const WEAK: f64 = 0.4;

/// 0–1: of the question's terms, those that the best claim holds, if it is of the kind that is
/// asked for.
pub(super) fn answered(plan: &Plan, sources: &[RankedSource], checked: &Checked) -> f64 {
    let analyzer = Analyzer::new(plan.language.as_deref());
    let asked: Vec<(String, f64)> = analyzer
        .content(&plan.question)
        .into_iter()
        .filter(|token| !token.part)
        .map(|token| {
            let weight = if stop_words::is_weak(&token.term) {
                WEAK
            } else {
                1.0
            };
            (token.term, weight)
        })
        .collect();
    let total: f64 = asked.iter().map(|(_, weight)| weight).sum();
    if total <= 0.0 {
        return 1.0;
    }
    let wanted = Wanted::of(&plan.question);
    let share = |claim: &Claim| {
        let own: HashSet<String> = analyzer.terms(&claim.text).into_iter().collect();
        let title = titles(claim, sources, &analyzer);
        let held: f64 = asked
            .iter()
            .map(|(term, weight)| {
                if own.contains(term) {
                    *weight
                } else if title.contains(term) {
                    IN_TITLE * weight
                } else {
                    0.0
                }
            })
            .sum();
        let kind = if wanted.is_met(&claim.text, &plan.question) {
            1.0
        } else {
            OTHER_KIND
        };
        kind * held / total
    };
    checked.claims.iter().map(share).fold(0.0, f64::max)
}

fn titles(claim: &Claim, sources: &[RankedSource], analyzer: &Analyzer) -> HashSet<String> {
    let cited = claim
        .corrected_citations
        .iter()
        .filter_map(|number| sources.get(number.checked_sub(1)?));
    cited
        .flat_map(|source| {
            let headings = source.passages.iter().flat_map(|passage| &passage.headings);
            headings
                .chain([&source.candidate.title])
                .flat_map(|text| analyzer.terms(text))
                .collect::<Vec<_>>()
        })
        .collect()
}

/// What a question asks for, by its first words.
enum Wanted {
    Figure,
    Name,
    Anything,
}

impl Wanted {
    fn of(question: &str) -> Self {
        let question = question.to_lowercase();
        let begins = |words: &[&str]| words.iter().any(|word| question.starts_with(word));
        if begins(&FIGURE) {
            Self::Figure
        } else if begins(&["who ", "wer "]) {
            Self::Name
        } else {
            Self::Anything
        }
    }

    /// A name counts when the question did not bring it.
    fn is_met(&self, claim: &str, question: &str) -> bool {
        match self {
            Self::Anything => true,
            Self::Figure => claim.chars().any(|c| c.is_ascii_digit()) || spells_number(claim),
            Self::Name => claim
                .split(|c: char| !c.is_alphanumeric())
                .skip(1)
                .any(|word| word.starts_with(char::is_uppercase) && !question.contains(word)),
        }
    }
}

fn spells_number(claim: &str) -> bool {
    let analyzer = Analyzer::new(None);
    super::numbers::in_one_form(analyzer.analyze(claim), &analyzer)
        .iter()
        .any(super::numbers::is_word)
}

const FIGURE: [&str; 14] = [
    "when ",
    "how many ",
    "how much ",
    "how long ",
    "how tall ",
    "how high ",
    "how deep ",
    "how old ",
    "how far ",
    "what year ",
    "wann ",
    "wie viele ",
    "wie hoch ",
    "wie lang ",
];
