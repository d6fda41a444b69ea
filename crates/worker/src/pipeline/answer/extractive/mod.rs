//! The answer without a language model: the best-supported sentences of the sources, whole and
//! unchanged, each with its citation and nothing between them.

mod flaws;
mod footnotes;
mod form;
mod question;
mod score;
mod select;
mod sentence;
mod topics;
mod words;

use crate::pipeline::{
    Plan, RankedSource,
    rank::{QueryTerm, query},
    text::Analyzer,
};
use question::Kind;
use score::Rated;
use select::Chosen;
use std::collections::HashSet;

/// Share of the question's content that the sentences and their headings have to cover together.
const LEAST_COVERAGE: f64 = 0.6;

/// The answer in the words of `sources`; `None` when they do not answer the question.
#[must_use]
pub fn extractive(plan: &Plan, sources: &[RankedSource]) -> Option<String> {
    let parts = parts(plan, sources)?;
    Some(parts.join(" "))
}

/// The same, sentence by sentence, each with its citations.
#[must_use]
pub fn parts(plan: &Plan, sources: &[RankedSource]) -> Option<Vec<String>> {
    let analyzer = Analyzer::new(plan.language.as_deref());
    let terms = query::terms(&plan.question, &analyzer);
    let kind = Kind::of(plan);
    let sentences = sentence::collect(sources, &terms, &analyzer);
    let weights = score::weights(&terms, &sentences);
    let rated: Vec<Rated> = sentences
        .into_iter()
        .map(|sentence| score::rate(sentence, &terms, &weights, kind))
        .collect();
    let chosen = select::select(rated, kind);
    if !answers(&chosen, &terms, kind) {
        return None;
    }
    Some(chosen.iter().map(written).collect())
}

fn answers(chosen: &[Chosen], terms: &[QueryTerm], kind: Kind) -> bool {
    let best = chosen
        .iter()
        .map(|pick| pick.rated.coverage)
        .fold(0.0, f64::max);
    if best < kind.least_coverage() || !select::satisfies(chosen, kind) {
        return false;
    }
    let mut spoken_of: HashSet<&String> = HashSet::new();
    for pick in chosen {
        let sentence = &pick.rated.sentence;
        spoken_of.extend(&sentence.terms);
        spoken_of.extend(&sentence.heading_terms);
        spoken_of.extend(&sentence.title_terms);
    }
    // "How do I sort …" is not answered by text that never speaks of sorting.
    let does = terms.first().is_none_or(|verb| {
        chosen.iter().any(|pick| {
            let sentence = &pick.rated.sentence;
            sentence.terms.contains(&verb.term) || sentence.nearest_terms.contains(&verb.term)
        })
    });
    if kind == Kind::HowTo && !does {
        return false;
    }
    // A figure or date belongs to what its own sentence or section speaks of, to nothing else.
    let named_there = chosen.first().is_none_or(|first| {
        let sentence = &first.rated.sentence;
        let there =
            |term: &String| sentence.terms.contains(term) || sentence.nearest_terms.contains(term);
        terms
            .iter()
            .filter(|term| term.specific)
            .all(|term| there(&term.term))
    });
    if kind == Kind::Time && !named_there {
        return false;
    }
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    let covered: f64 = terms
        .iter()
        .filter(|term| spoken_of.contains(&term.term))
        .map(|term| term.weight)
        .sum();
    // A name or number that is asked for and never said means that another thing is spoken of.
    let specific = terms.iter().filter(|term| term.specific);
    let (named, missing): (Vec<&QueryTerm>, Vec<&QueryTerm>) =
        specific.partition(|term| spoken_of.contains(&term.term));
    covered >= LEAST_COVERAGE * total && missing.len() <= named.len() / 2
}

fn written(pick: &Chosen) -> String {
    let mut sources = pick.sources.clone();
    sources.sort_unstable();
    let marks: String = sources
        .iter()
        .map(|source| format!("[{}]", source + 1))
        .collect();
    let text = &pick.rated.sentence.text;
    // An ellipsis is not a full stop, and what follows a quotation mark is none of it.
    let stop = text
        .chars()
        .last()
        .filter(|c| STOPS.contains(c) && !text.ends_with("..."));
    let Some((stop, bare)) = stop.and_then(|stop| Some((stop, text.strip_suffix(stop)?))) else {
        return format!("{text} {marks}");
    };
    format!("{bare} {marks}{stop}")
}

const STOPS: [char; 6] = ['.', '!', '?', '。', '！', '？'];

/// What to say when the sources do not answer, in the language of the question where we speak it.
#[must_use]
pub fn not_answered(plan: &Plan, sources: &[RankedSource]) -> String {
    let language = plan.language.as_deref().unwrap_or("en");
    let (plain, nearest) = match language {
        "de" => (
            "Die gefundenen Quellen beantworten diese Frage nicht.",
            "Am nächsten kommt ihr",
        ),
        "fr" => (
            "Les sources trouvées ne répondent pas à cette question.",
            "La plus proche est",
        ),
        "es" => (
            "Las fuentes encontradas no responden a esta pregunta.",
            "La más cercana es",
        ),
        "it" => (
            "Le fonti trovate non rispondono a questa domanda.",
            "La più vicina è",
        ),
        _ => (
            "The sources that were found do not answer this question.",
            "The nearest one is",
        ),
    };
    match sources.first() {
        None => plain.to_owned(),
        Some(source) => {
            let title = super::citations::strip(source.candidate.title.trim(), 0).0;
            let title = if title.trim().is_empty() {
                source.candidate.url.clone()
            } else {
                title
            };
            format!("{plain} {nearest} “{title}” [1].")
        }
    }
}

#[cfg(test)]
mod tests;
