//! Whether what was chosen answers the question, and how much speaks for that.

use super::{
    question::Kind,
    score::{Asked, Rated, TITLE, named_share},
    select::{Chosen, similarity},
    words::LIGHT,
};
use crate::pipeline::{rank::QueryTerm, text::Analyzer};
use std::collections::HashSet;

/// Share of the question's content that the sentences and their headings have to cover together.
const LEAST_COVERAGE: f64 = 0.6;
/// Share of the question that one sentence has to say itself to tell whether it is so.
const WHETHER_OWN: f64 = 0.75;
/// What of the evidence stays when another sentence fits as well as the best one.
const WITHOUT_MARGIN: f64 = 0.7;
/// A best sentence that leads by this share of its score has no rival.
const FULL_MARGIN: f64 = 0.25;
/// Share of words that makes a rival the same sentence.
const SAME: f64 = 0.7;

/// Whether the sentences answer the question rather than another one of the same words.
pub(super) fn answers(chosen: &[Chosen], asked: &Asked<'_>) -> bool {
    let Asked {
        question,
        terms,
        kind,
        ..
    } = *asked;
    let best = chosen
        .iter()
        .map(|pick| pick.rated.coverage)
        .fold(0.0, f64::max);
    if best < kind.least_coverage() || !chosen.iter().any(|pick| pick.rated.fits) {
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
    let speaks_of = |action: &String| {
        chosen.iter().any(|pick| {
            let sentence = &pick.rated.sentence;
            sentence.terms.contains(action)
                || sentence.nearest_terms.contains(action)
                || named_share(&sentence.title_terms, terms) >= TITLE
                    && sentence.title_terms.contains(action)
        })
    };
    let does = match actions(question, terms) {
        Some(done) => done.into_iter().any(&speaks_of),
        None => terms.first().is_none_or(|verb| speaks_of(&verb.term)),
    };
    if kind == Kind::HowTo && !does {
        return false;
    }
    // "Who painted it?" is not answered by who owns it.
    let acts = terms
        .first()
        .is_none_or(|act| act.specific || speaks_of(&act.term));
    if kind == Kind::Person && !acts {
        return false;
    }
    let own = chosen.iter().map(|pick| pick.rated.own).fold(0.0, f64::max);
    if kind == Kind::Whether && own < WHETHER_OWN {
        return false;
    }
    // A figure or date belongs to what its own sentence or section speaks of, to nothing else.
    let named_there = chosen.first().is_none_or(|first| {
        let sentence = &first.rated.sentence;
        let there = |term: &String| {
            [
                &sentence.terms,
                &sentence.nearest_terms,
                &sentence.refers_terms,
            ]
            .iter()
            .any(|terms| terms.contains(term))
        };
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

/// What is to be done, as terms of the question: the words before the first article or preposition
/// after "how do I" that are no names. `None` where it says nothing ("turn on", "get rid of").
pub(super) fn actions<'t>(question: &str, terms: &'t [QueryTerm]) -> Option<Vec<&'t String>> {
    let first = terms.first()?;
    let words: Vec<String> = question
        .split_whitespace()
        .map(|word| {
            word.trim_matches(|c: char| !c.is_alphanumeric())
                .to_lowercase()
        })
        .collect();
    let from = words
        .iter()
        .position(|word| matches!(word.as_str(), "i" | "you" | "we" | "one" | "to"))
        .map_or(0, |at| at + 1);
    let group: Vec<String> = words
        .into_iter()
        .skip(from)
        .take_while(|word| !ENDS_ACTION.contains(&word.as_str()))
        .collect();
    let group = Analyzer::new(Some("en")).terms(&group.join(" "));
    let mut done: Vec<&QueryTerm> = terms
        .iter()
        .filter(|term| !term.specific && group.contains(&term.term))
        .collect();
    if done.is_empty() {
        done.push(first);
    }
    let says = done.iter().any(|term| !LIGHT.contains(&term.term.as_str()));
    says.then(|| done.into_iter().map(|term| &term.term).collect())
}

/// What ends the words that say what is done.
const ENDS_ACTION: [&str; 24] = [
    "a", "an", "the", "my", "your", "its", "his", "her", "our", "their", "this", "that", "in",
    "on", "with", "of", "from", "to", "for", "at", "into", "when", "if", "after",
];

/// 0–1: how much of the question the best sentence says, if it is what the kind of question asks
/// for; less when another sentence that says something else fits as well.
pub(super) fn evidence(chosen: &[Chosen], rated: &[Rated]) -> f64 {
    let Some(best) = chosen
        .iter()
        .filter(|pick| pick.rated.fits)
        .max_by(|a, b| a.rated.score.total_cmp(&b.rated.score))
    else {
        return 0.0;
    };
    let best = &best.rated;
    // What opens the section named after the thing need not name it again.
    let said = if best.sentence.leads {
        best.coverage
    } else {
        best.own.max(0.5 * best.coverage)
    };
    let rival = rated
        .iter()
        .filter(|other| other.fits && other.sentence.complete)
        .filter(|other| !is_among(other, chosen))
        .map(|other| other.score)
        .fold(0.0, f64::max);
    let lead = ((best.score - rival) / best.score.max(f64::MIN_POSITIVE)).max(0.0);
    let margin = WITHOUT_MARGIN + (1.0 - WITHOUT_MARGIN) * (lead / FULL_MARGIN).min(1.0);
    (said * margin).clamp(0.0, 1.0)
}

/// Whether a sentence was chosen, or says what a chosen one says, or stands beside one.
fn is_among(other: &Rated, chosen: &[Chosen]) -> bool {
    chosen.iter().any(|pick| {
        let (here, there) = (&pick.rated.sentence, &other.sentence);
        (here.source, here.passage) == (there.source, there.passage)
            || similarity(here, there) >= SAME
    })
}
