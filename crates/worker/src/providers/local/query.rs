//! What a question asks for: its words without the words that only make it a question.

use super::{schema::Fields, tokens::Words};
use crate::pipeline::text::{self, stop_words};
use std::collections::{BTreeMap, HashSet};
use tantivy::{
    Searcher, Term,
    query::{
        BooleanQuery, BoostQuery, ConstScoreQuery, DisjunctionMaxQuery, Occur, Query, TermQuery,
    },
    schema::{Field, IndexRecordOption},
};

/// Words that questions are made of, whatever they are about.
const STOP_WORDS: &str = "a about an and any are as at be been by can could d did do does doing \
    for from had has have he her him his how i if in into is it its just ll many may me more much \
    must my not of on or our out re s shall she should so some t than that the their them then \
    there these they this those to us use used using ve was we were what when where which while \
    who whom whose why will with would you your please tell explain describe";

/// Words that say what kind of answer is wanted more than what it is about.
const FAINT_WORDS: &str = "difference different between purpose way best good example need want \
    make get write possible simple correct properly reason work";

/// What a faint word is worth of its weight.
const FAINT: f32 = 0.25;

/// A longer question is asked by its most telling words.
const MAX_CONCEPTS: usize = 24;

/// One thing that is asked for.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Concept {
    /// The word as written, lower-cased; names of programs are found by it.
    pub(super) raw: String,
    /// The whole form of a name with parts, such as `asyncio.gather`.
    pub(super) whole: Option<String>,
    /// Stems: one for a plain word, several for the parts of a name.
    pub(super) stems: Vec<String>,
    /// Whether it says more about the kind of answer than about the matter.
    pub(super) is_faint: bool,
    /// How telling it is in this corpus.
    pub(super) weight: f32,
}

/// A question, taken apart by the rules of one language.
pub(super) struct Question {
    /// The things that it asks for, in its order.
    pub(super) concepts: Vec<Concept>,
    /// Sum of their weights.
    pub(super) total: f32,
    /// Stems that say nothing, in questions and in headings.
    pub(super) stop: HashSet<String>,
}

impl Question {
    /// Takes `text` apart for pages in `language`, and weighs its words by how telling they are in
    /// this index.
    ///
    /// # Errors
    /// When the index cannot be read.
    pub(super) fn new(
        text: &str,
        language: &str,
        words: &Words,
        searcher: &Searcher,
        fields: &Fields,
    ) -> tantivy::Result<Self> {
        // A question need not be in the language of the page that answers it.
        let asked_in = text::language(text);
        let stop = [STOP_WORDS, stop_words::list(language)]
            .into_iter()
            .chain(asked_in.as_deref().map(stop_words::list))
            .flat_map(|list| words.of(list))
            .map(|word| word.text)
            .collect();
        let concepts = concepts(text, words, &stop, searcher, fields)?;
        let total = concepts.iter().map(|concept| concept.weight).sum();
        Ok(Self {
            concepts,
            total,
            stop,
        })
    }
}

fn concepts(
    question: &str,
    words: &Words,
    stop: &HashSet<String>,
    searcher: &Searcher,
    fields: &Fields,
) -> tantivy::Result<Vec<Concept>> {
    let faint: HashSet<String> = words
        .of(FAINT_WORDS)
        .into_iter()
        .map(|word| word.text)
        .collect();
    let all = split(question, words);
    let telling: Vec<Concept> = all
        .iter()
        .filter(|concept| {
            concept.whole.is_some() || !concept.stems.iter().all(|stem| stop.contains(stem))
        })
        .cloned()
        .collect();
    let mut concepts = if telling.is_empty() { all } else { telling };
    let mut seen = HashSet::new();
    concepts.retain(|concept| seen.insert(concept.stems.clone()));
    for concept in &mut concepts {
        concept.weight = weight(concept, searcher, fields)?;
        if concept.stems.iter().all(|stem| faint.contains(stem)) {
            concept.is_faint = true;
            concept.weight *= FAINT;
        }
    }
    if concepts.len() > MAX_CONCEPTS {
        let mut weights: Vec<f32> = concepts.iter().map(|concept| concept.weight).collect();
        weights.sort_by(|a, b| b.total_cmp(a));
        let least = weights.get(MAX_CONCEPTS - 1).copied().unwrap_or_default();
        concepts.retain(|concept| concept.weight >= least);
        concepts.truncate(MAX_CONCEPTS);
    }
    Ok(concepts)
}

fn split(question: &str, words: &Words) -> Vec<Concept> {
    let mut concepts = Vec::new();
    for chunk in question
        .split(|c: char| c.is_whitespace() || matches!(c, '-' | '/' | ',' | '’' | '\'' | '"'))
    {
        let mut whole = None;
        let mut parts: BTreeMap<usize, String> = BTreeMap::new();
        for word in words.of(chunk) {
            if !word.whole {
                parts.insert(word.position, word.text);
            } else if whole.is_none() {
                whole = Some(word.text);
            }
        }
        let raw = chunk
            .trim_matches(|c: char| !c.is_alphanumeric())
            .to_lowercase();
        match whole {
            Some(whole) => concepts.push(Concept {
                raw: whole.clone(),
                whole: Some(whole),
                stems: parts.into_values().collect(),
                is_faint: false,
                weight: 0.0,
            }),
            None => concepts.extend(parts.into_values().map(|stem| Concept {
                raw: raw.clone(),
                whole: None,
                stems: vec![stem],
                is_faint: false,
                weight: 0.0,
            })),
        }
    }
    concepts
}

/// Inverse document frequency; a name is as telling as its whole form, where that occurs.
fn weight(concept: &Concept, searcher: &Searcher, fields: &Fields) -> tantivy::Result<f32> {
    let total = searcher.num_docs() as f32;
    let frequency = |word: &str| -> tantivy::Result<u64> {
        let body = searcher.doc_freq(&Term::from_field_text(fields.body, word))?;
        let heading = searcher.doc_freq(&Term::from_field_text(fields.heading, word))?;
        Ok(body.max(heading))
    };
    let mut found = match &concept.whole {
        Some(whole) => frequency(whole)?,
        None => 0,
    };
    if found == 0 {
        for stem in &concept.stems {
            let of_stem = frequency(stem)?;
            found = if found == 0 {
                of_stem
            } else {
                found.min(of_stem)
            };
        }
    }
    let found = found as f32;
    Ok((1.0 + (total - found).max(0.0) / (found + 0.5))
        .ln()
        .max(0.05))
}

/// What `proposal` finds among the pages in `language`; its scores stay.
pub(super) fn in_language(proposal: impl Query, language: &str, fields: &Fields) -> Box<dyn Query> {
    let filter = TermQuery::new(
        Term::from_field_text(fields.language, language),
        IndexRecordOption::Basic,
    );
    Box::new(BooleanQuery::new(vec![
        (Occur::Must, Box::new(proposal) as Box<dyn Query>),
        (
            Occur::Must,
            Box::new(ConstScoreQuery::new(Box::new(filter), 0.0)),
        ),
    ]))
}

/// Everything that speaks of any of `concepts`, what names them first.
pub(super) fn any_of(concepts: &[Concept], fields: &Fields) -> BooleanQuery {
    let places = [
        (fields.body, 1.0),
        (fields.heading, 2.5),
        (fields.title, 1.5),
        (fields.path, 1.0),
    ];
    BooleanQuery::union(
        concepts
            .iter()
            .map(|concept| in_fields(concept, fields, &places))
            .collect(),
    )
}

/// Everything whose name, heading or title speaks of any of `concepts`.
pub(super) fn named(concepts: &[Concept], fields: &Fields) -> BooleanQuery {
    let places = [(fields.heading, 1.5), (fields.title, 1.0)];
    BooleanQuery::union(
        concepts
            .iter()
            .map(|concept| in_fields(concept, fields, &places))
            .collect(),
    )
}

/// Everything that speaks of all of `concepts`, in whatever field; of the faint ones only when
/// there are no others.
pub(super) fn all_of(concepts: &[Concept], fields: &Fields) -> BooleanQuery {
    let places = [
        (fields.body, 1.0),
        (fields.heading, 2.0),
        (fields.title, 1.0),
        (fields.path, 1.0),
    ];
    let only_faint = concepts.iter().all(|concept| concept.is_faint);
    let clauses = concepts
        .iter()
        .filter(|concept| only_faint || !concept.is_faint)
        .map(|concept| (Occur::Must, in_fields(concept, fields, &places)))
        .collect();
    BooleanQuery::new(clauses)
}

fn in_fields(concept: &Concept, fields: &Fields, places: &[(Field, f32)]) -> Box<dyn Query> {
    let mut clauses = vec![term(fields.name, &concept.raw, 3.0)];
    for (field, boost) in places {
        let Some(whole) = &concept.whole else {
            clauses.extend(concept.stems.iter().map(|stem| term(*field, stem, *boost)));
            continue;
        };
        clauses.push(term(*field, whole, *boost * 1.5));
        clauses.extend(
            concept
                .stems
                .iter()
                .filter(|stem| stem.chars().any(char::is_alphabetic))
                .map(|stem| term(*field, stem, *boost * 0.4)),
        );
    }
    Box::new(DisjunctionMaxQuery::with_tie_breaker(clauses, 0.2))
}

fn term(field: Field, word: &str, boost: f32) -> Box<dyn Query> {
    let query = TermQuery::new(
        Term::from_field_text(field, word),
        IndexRecordOption::WithFreqs,
    );
    Box::new(BoostQuery::new(Box::new(query), boost))
}
