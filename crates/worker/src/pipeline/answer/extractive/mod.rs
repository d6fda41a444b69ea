//! The answer without a language model: the best-supported sentences of the sources, whole and
//! unchanged, each with its citation and nothing between them.

mod by_page;
mod flaws;
mod footnotes;
mod form;
mod instruction;
mod lines;
mod names;
mod question;
mod score;
mod select;
mod sentence;
mod side_by_side;
mod table;
mod topics;
mod verdict;
mod wording;
mod words;

pub use wording::abstention_text;

use crate::pipeline::{Plan, RankedSource, rank::query, text::Analyzer};
use question::Kind;
use score::{Asked, Rated};
use select::Chosen;

/// Parts of a question that are answered one by one.
const PARTS: usize = 4;
/// Sentences for each of them.
const SENTENCES_OF_PART: usize = 3;

/// The sentences of an answer.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct ExtractedAnswer {
    /// Whole sentences, each with its citations.
    pub sentences: Vec<String>,
    /// The parts of the question that the sources do not answer.
    pub unanswered: Vec<String>,
    /// 0–1: how much speaks for these sentences being what was asked for.
    pub answered: f64,
}

impl ExtractedAnswer {
    /// What to say when the sources answer nothing.
    #[must_use]
    pub fn none(plan: &Plan, sources: &[RankedSource]) -> Self {
        Self {
            sentences: vec![abstention_text(plan, sources)],
            ..Self::default()
        }
    }

    /// The sentences with what stands between them.
    pub fn deltas(&self) -> impl Iterator<Item = String> {
        let before = std::iter::once("\n").chain(self.sentences.iter().map(String::as_str));
        self.sentences.iter().zip(before).map(|(sentence, before)| {
            // A fence closes only on a line of its own.
            let space = if before.ends_with('\n') { "" } else { " " };
            format!("{space}{sentence}")
        })
    }

    /// All of it.
    #[must_use]
    pub fn text(&self) -> String {
        self.deltas().collect()
    }
}

/// The answer in the words of `sources`; `None` when they do not answer the question.
#[must_use]
pub fn extract_text(plan: &Plan, sources: &[RankedSource]) -> Option<String> {
    Some(extract(plan, sources)?.text())
}

/// The same, sentence by sentence; each part of the question is answered by itself.
#[must_use]
pub fn extract(plan: &Plan, sources: &[RankedSource]) -> Option<ExtractedAnswer> {
    if plan.sub_questions.len() < 2 {
        let told = choose(plan, sources, usize::MAX);
        let compares = |(chosen, _): &(Vec<Chosen>, f64)| {
            chosen
                .iter()
                .any(|pick| score::compares(&pick.rated.sentence.text))
        };
        let side_by_side = || {
            let chosen = side_by_side::choose(plan, sources)?;
            Some((chosen, side_by_side::EVIDENCE))
        };
        let (chosen, answered) = match told {
            Some(told) if plan.entities.is_empty() || compares(&told) => told,
            told => side_by_side().or(told)?,
        };
        return Some(ExtractedAnswer {
            sentences: written(&chosen, sources),
            unanswered: Vec::new(),
            answered,
        });
    }
    let mut quotes = ExtractedAnswer::default();
    let mut chosen: Vec<Chosen> = Vec::new();
    let parts: Vec<&String> = plan.sub_questions.iter().take(PARTS).collect();
    for part in &parts {
        let Some((picks, answered)) = choose(&of_part(plan, part), sources, SENTENCES_OF_PART)
        else {
            quotes.unanswered.push((*part).clone());
            continue;
        };
        quotes.answered += answered / f64::from(u32::try_from(parts.len()).unwrap_or(u32::MAX));
        for pick in picks {
            if !chosen.iter().any(|other| other.says_the_same(&pick)) {
                chosen.push(pick);
            }
        }
    }
    if chosen.is_empty() {
        return None;
    }
    quotes.sentences = written(&chosen, sources);
    Some(quotes)
}

/// A part of a question as a question of its own.
fn of_part(plan: &Plan, part: &str) -> Plan {
    let lower = part.to_lowercase();
    let named = |entity: &&String| lower.contains(&entity.to_lowercase());
    let entities: Vec<String> = plan.entities.iter().filter(named).cloned().collect();
    Plan {
        question: part.to_owned(),
        language: plan.language.clone(),
        entities: if entities.len() > 1 {
            entities
        } else {
            Vec::new()
        },
        ..Plan::default()
    }
}

/// At most `most` sentences that answer `plan`, and how much speaks for them.
fn choose(plan: &Plan, sources: &[RankedSource], most: usize) -> Option<(Vec<Chosen>, f64)> {
    let analyzer = Analyzer::new(plan.language.as_deref());
    let terms = query::terms(&plan.question, &analyzer);
    let kind = Kind::of(plan);
    let sentences = sentence::collect(sources, &terms, &analyzer);
    let weights = score::weights(&terms, &sentences);
    let asked = Asked {
        question: &plan.question,
        terms: &terms,
        weights: &weights,
        kind,
    };
    let rated: Vec<Rated> = sentences
        .into_iter()
        .map(|sentence| score::rate(sentence, &asked))
        .collect();
    // What tells the same trouble answers nothing.
    if question::tells_trouble(&plan.question) {
        let chosen = by_page::choose(&rated, &plan.question, &terms, kind);
        if let Some(chosen) = chosen {
            return Some((chosen, by_page::EVIDENCE));
        }
    }
    let mut chosen = select::select(&rated, kind, most.min(kind.sentences()));
    if !verdict::answers(&chosen, &asked) {
        let chosen = by_page::choose(&rated, &plan.question, &terms, kind)?;
        return Some((chosen, by_page::EVIDENCE));
    }
    let evidence = verdict::evidence(&chosen, &rated);
    keep_code(&mut chosen, kind);
    Some((chosen, evidence))
}

/// How to do it is often shown rather than said: the first code below a chosen sentence stays.
fn keep_code(chosen: &mut [Chosen], kind: Kind) {
    let mut shown = kind != Kind::HowTo;
    for pick in chosen {
        let code = &mut pick.rated.sentence.code;
        if shown {
            *code = None;
        }
        shown |= code.is_some();
    }
}

fn written(chosen: &[Chosen], sources: &[RankedSource]) -> Vec<String> {
    chosen
        .iter()
        .map(|pick| wording::written(pick, sources))
        .collect()
}

#[cfg(test)]
mod tests;
