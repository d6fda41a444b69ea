//! How much of an answer a sentence is.

use super::{
    by_page::is_of_who_asks,
    flaws::flaws,
    instruction::instruction,
    question::Kind,
    sentence::Sentence,
    words::{
        ARTICLES, CONTRASTS, COPULAS, HISTORY, MONTHS, NAMING, NUMERALS, OPENINGS, REASONS,
        SUBORDINATE,
    },
};
use crate::pipeline::rank::QueryTerm;

/// A heading that names so much of the question speaks for all that stands under it.
const ON_TOPIC: f64 = 0.3;

/// What a sentence is worth for speaking of the matter itself, not only standing under its heading.
const OWN: f64 = 0.3;

/// A title that names so much of the question speaks for the whole page.
pub(super) const TITLE: f64 = 0.6;

/// What a sentence loses for standing in the words of who asks.
const ASKING: f64 = 0.35;

/// A sentence with its marks.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Rated {
    pub(super) sentence: Sentence,
    /// 0–1: share of the question's content that it and its headings cover.
    pub(super) coverage: f64,
    /// 0–1: share that it covers itself.
    pub(super) own: f64,
    /// 0–1: share that it, its headings or its title name at all.
    pub(super) said: f64,
    /// Whether it defines the thing itself, or stands where its definition stands.
    pub(super) defines: bool,
    /// Whether it, its headings or its title name each name and number of the question.
    pub(super) names_all: bool,
    /// Whether it holds what the kind of question asks for.
    pub(super) fits: bool,
    /// What sentences are ordered by.
    pub(super) score: f64,
}

/// What sentences are held against.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) question: &'a str,
    pub(super) terms: &'a [QueryTerm],
    /// Of the terms, in their order.
    pub(super) weights: &'a [f64],
    pub(super) kind: Kind,
}

/// Weights of the terms over all sentences: what every sentence has tells them less apart.
pub(super) fn weights(terms: &[QueryTerm], sentences: &[Sentence]) -> Vec<f64> {
    let total = f64::from(u32::try_from(sentences.len()).unwrap_or(u32::MAX));
    terms
        .iter()
        .map(|term| {
            let with = sentences
                .iter()
                .filter(|s| s.terms.contains(&term.term))
                .count();
            let with = f64::from(u32::try_from(with).unwrap_or(u32::MAX));
            term.weight * (1.0 + 0.35 * ((total + 1.0) / (with + 1.0)).ln())
        })
        .collect()
}

pub(super) fn rate(sentence: Sentence, asked: &Asked<'_>) -> Rated {
    let Asked {
        question,
        terms,
        weights,
        kind,
    } = *asked;
    let fits = kind.may_answer(&sentence.text, question);
    let total: f64 = weights.iter().sum::<f64>().max(f64::MIN_POSITIVE);
    let topic = names_topic(&sentence.nearest_terms, terms);
    let title = named_share(&sentence.title_terms, terms);
    let covered: f64 = terms
        .iter()
        .zip(weights)
        .map(|(term, weight)| weight * presence(&term.term, &sentence, topic, title))
        .sum();
    let coverage = covered / total;
    let own: f64 = terms
        .iter()
        .zip(weights)
        .filter(|(term, _)| sentence.terms.contains(&term.term))
        .map(|(_, weight)| weight / total)
        .sum();
    let said: f64 = terms
        .iter()
        .zip(weights)
        .filter(|(term, _)| presence(&term.term, &sentence, topic, title) > 0.0)
        .map(|(_, weight)| weight / total)
        .sum();
    let names_all = terms.iter().filter(|term| term.specific).all(|term| {
        // What a pronoun stands for is named before; another name after it is another thing.
        let subject = if sentence.refers_terms.is_empty() {
            &sentence.terms
        } else {
            &sentence.refers_terms
        };
        let places = [
            subject,
            &sentence.nearest_terms,
            &sentence.heading_terms,
            &sentence.title_terms,
        ];
        places.iter().any(|place| place.contains(&term.term))
    });
    let defines = definition(&sentence, terms) > 0.15
        || (sentence.leads && names_topic(&sentence.nearest_terms, terms) > 0.6);
    let score = coverage
        + match kind {
            Kind::Definition | Kind::Reason => 0.0,
            _ => OWN * own,
        }
        + 0.15 * sentence.passage_score
        + 0.2 * sentence.source_score
        + place(&sentence, terms)
        + fitness(&sentence, terms, kind) * relevance_of_form(&sentence, own, kind)
        - flaws(&sentence.text, kind)
        - if sentence.asks || tells(kind) && is_of_who_asks(&sentence.text) {
            ASKING
        } else {
            0.0
        }
        - if sentence.list_item && kind != Kind::HowTo {
            0.15
        } else {
            0.0
        };
    Rated {
        sentence,
        coverage,
        own,
        said,
        defines,
        names_all,
        fits,
        score,
    }
}

/// What who has a trouble says of it is no answer to how it ends or why it is there.
fn tells(kind: Kind) -> bool {
    matches!(kind, Kind::HowTo | Kind::Reason)
}

/// An instruction is one for the question only as far as it speaks of it.
fn relevance_of_form(sentence: &Sentence, own: f64, kind: Kind) -> f64 {
    match kind {
        // The steps of a list are about what stands above it.
        Kind::HowTo if !sentence.list_item => (2.0 * own).min(1.0),
        _ => 1.0,
    }
}

/// What the heading says need not be said again by the sentence that opens its section.
fn presence(term: &str, sentence: &Sentence, topic: f64, title: f64) -> f64 {
    let holds = |terms: &[String]| terms.iter().any(|other| other == term);
    if holds(&sentence.terms) {
        1.0
    } else if holds(&sentence.nearest_terms) {
        if sentence.leads {
            0.8
        } else if topic > ON_TOPIC {
            0.75
        } else {
            0.5
        }
    } else if holds(&sentence.refers_terms) {
        0.75
    } else if title >= TITLE && holds(&sentence.title_terms) {
        0.65
    } else if holds(&sentence.heading_terms) {
        0.35
    } else if holds(&sentence.title_terms) {
        0.3
    } else {
        0.0
    }
}

fn place(sentence: &Sentence, terms: &[QueryTerm]) -> f64 {
    let named: f64 = names_topic(&sentence.nearest_terms, terms);
    let lead = if sentence.leads {
        0.1 + 0.25 * named
    } else {
        0.0
    };
    // A section named with the question's words and no other is about just that.
    let own_name = !sentence.nearest_terms.is_empty()
        && sentence
            .nearest_terms
            .iter()
            .all(|word| terms.iter().any(|term| term.term == *word));
    let lead = if sentence.leads && own_name {
        lead.max(0.3)
    } else {
        lead
    };
    let early = if sentence.position == 1 { 0.05 } else { 0.0 };
    lead + early + 0.3 * named
}

/// 0–1: the weight of the question's terms that a title has.
pub(super) fn named_share(title: &[String], terms: &[QueryTerm]) -> f64 {
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    let named = terms.iter().filter(|term| title.contains(&term.term));
    named.map(|term| term.weight).sum::<f64>() / total.max(f64::MIN_POSITIVE)
}

/// 0–1: how much of the question a heading names; half of it is the least that counts.
fn names_topic(heading: &[String], terms: &[QueryTerm]) -> f64 {
    let total: f64 = terms.iter().map(|term| term.weight).sum();
    let named: f64 = terms
        .iter()
        .filter(|term| heading.contains(&term.term))
        .map(|term| term.weight)
        .sum();
    if total <= 0.0 || named < 0.5 * total {
        return 0.0;
    }
    let is_term = |word: &&String| terms.iter().any(|term| term.term == **word);
    // A signature names its function first; a heading that mentions it last is about more.
    let early = heading.iter().take(2).any(|word| is_term(&word));
    let identifier = heading
        .iter()
        .filter(is_term)
        .any(|word| word.contains(['.', '_']));
    let own = heading.iter().filter(is_term).count();
    let focus = match (early, identifier) {
        (true, true) => 1.0,
        (true, false) => ratio(own, heading.len()).max(0.4),
        (false, _) => 0.4,
    };
    (named / total) * focus
}

fn ratio(part: usize, whole: usize) -> f64 {
    let number = |count| f64::from(u32::try_from(count).unwrap_or(u32::MAX));
    number(part) / number(whole.max(1))
}

fn fitness(sentence: &Sentence, terms: &[QueryTerm], kind: Kind) -> f64 {
    let figure = has_figure(&sentence.text);
    match kind {
        Kind::Definition => definition(sentence, terms),
        Kind::HowTo => instruction(sentence),
        Kind::Quantity if figure => 0.3,
        Kind::Time if has_date(&sentence.text) => 0.35,
        Kind::Time if figure => 0.1,
        Kind::Reason if contains_word(&sentence.text, REASONS) => 0.25,
        Kind::Comparison if contains_word(&sentence.text, CONTRASTS) => 0.25,
        Kind::Comparison => 0.5 * definition(sentence, terms),
        Kind::Quantity
        | Kind::Time
        | Kind::Reason
        | Kind::Person
        | Kind::Whether
        | Kind::General => 0.0,
    }
}

/// Whether it sets one thing against another.
pub(super) fn compares(text: &str) -> bool {
    contains_word(text, CONTRASTS)
}

/// "X is …" with X the thing that is asked for, and little before the verb but X.
fn definition(sentence: &Sentence, terms: &[QueryTerm]) -> f64 {
    let lower = sentence.text.to_lowercase();
    let words: Vec<&str> = lower.split_whitespace().take(14).collect();
    // "What is a transaction in Pella?" On a page about Pella, the transaction is defined.
    let in_title = |term: &&QueryTerm| term.specific && sentence.title_terms.contains(&term.term);
    let things: Vec<QueryTerm> = terms
        .iter()
        .filter(|term| !in_title(term))
        .cloned()
        .collect();
    let terms = if things.is_empty() { terms } else { &things };
    if is_naming(&lower, terms) {
        return 0.5;
    }
    if words.first().is_some_and(|word| SUBORDINATE.contains(word)) {
        return 0.0;
    }
    let Some(verb) = words.iter().position(|word| COPULAS.contains(word)) else {
        return 0.0;
    };
    let heavy = terms.iter().map(|term| term.weight).fold(0.0, f64::max);
    let front: Vec<&String> = sentence.terms.iter().take(verb + 2).collect();
    let subject = terms
        .iter()
        .filter(|term| term.weight >= heavy)
        .all(|term| front.contains(&&term.term));
    if !subject {
        return 0.0;
    }
    let named = terms
        .iter()
        .filter(|term| front.contains(&&term.term))
        .count();
    let opening = words.first().is_some_and(|word| OPENINGS.contains(word));
    let others = verb.saturating_sub(named + usize::from(opening));
    let article = words
        .iter()
        .skip(verb + 1)
        .take(2)
        .any(|word| ARTICLES.contains(word));
    // "The patch decorators are" speaks of some decorators, not of what one is.
    let before = usize::from(opening);
    let narrower = sentence
        .terms
        .get(before)
        .is_some_and(|first| verb > 0 && !terms.iter().any(|term| term.term == *first))
        && others > 0;
    if narrower {
        return 0.0;
    }
    let share = if article { 1.0 } else { 0.5 };
    match others {
        0 => 0.5 * share,
        1 | 2 => 0.3 * share,
        3 | 4 => 0.2 * share,
        _ => 0.0,
    }
}

/// "… is known as X": the name comes last, and yet it is said what has it.
fn is_naming(lower: &str, terms: &[QueryTerm]) -> bool {
    let Some(after) = NAMING
        .iter()
        .find_map(|phrase| lower.split_once(phrase))
        .map(|(_, after)| after)
    else {
        return false;
    };
    let named: Vec<&str> = after
        .split(|c: char| !c.is_alphanumeric() && c != '_' && c != '.')
        .filter(|word| !word.is_empty())
        .take(terms.len() + 2)
        .collect();
    terms.iter().all(|term| {
        // Stems are beginnings of their words, but for a letter that changes.
        let stem = term.term.strip_suffix(['i', 'e']).unwrap_or(&term.term);
        named.iter().any(|word| word.starts_with(stem))
    })
}

/// Whether a sentence only says since when something is so: of use to who asks when.
pub(super) fn is_history(text: &str) -> bool {
    let lower = text.to_lowercase();
    HISTORY.iter().any(|start| lower.contains(start))
}

pub(super) fn has_figure(text: &str) -> bool {
    text.chars().any(|c| c.is_numeric()) || contains_word(text, NUMERALS)
}

pub(super) fn has_date(text: &str) -> bool {
    let year = text.split(|c: char| !c.is_ascii_digit()).any(|digits| {
        digits.len() == 4 && digits.starts_with(['1', '2']) && !digits.starts_with("10")
    });
    year || contains_word(text, MONTHS)
}

pub(super) fn contains_word(text: &str, words: &[&str]) -> bool {
    text.to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .any(|word| words.contains(&word))
}
