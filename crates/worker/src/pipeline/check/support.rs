//! How far the text of a source carries a statement.

use super::{
    antonyms::Antonyms,
    order,
    words::{self, Kind, Word},
};
use crate::pipeline::{
    RankedSource,
    text::{Analyzer, sentences},
};
use std::collections::{HashMap, HashSet};

/// Sentences that together can carry a statement.
const WINDOW: usize = 3;
/// The most a statement can be worth when a figure or name in it is nowhere in the source.
const CAP: f64 = 0.3;
/// The same when the figure is there, but belongs to something else.
const MISPLACED: f64 = 0.45;
/// What is left when the source says that it is not so.
const CONTRADICTED: f64 = 0.4;
/// A sentence that holds so much of a statement speaks of the same.
const SAME: f64 = 0.5;
/// What holds because it stands in a title or heading is worth a little less.
const FROM_CONTEXT: f64 = 0.9;
/// The same for two sentences that do not stand together.
const APART: f64 = 0.9;

/// A claim as weighted terms.
pub(super) struct Statement {
    pub(super) words: Vec<Word>,
    terms: HashMap<String, (f64, Kind)>,
    total: f64,
}

impl Statement {
    pub(super) fn of(text: &str, analyzer: &Analyzer) -> Self {
        let words = words::of(text, analyzer);
        let terms: HashMap<String, (f64, Kind)> = words
            .iter()
            .filter(|word| word.kind != Kind::Stop)
            .map(|word| (word.term.clone(), (word.kind.weight(), word.kind)))
            .collect();
        let total = terms.values().map(|(weight, _)| weight).sum();
        Self {
            words,
            terms,
            total,
        }
    }

    fn share(&self, held: impl Fn(&str) -> f64) -> f64 {
        let held: f64 = self
            .terms
            .iter()
            .map(|(term, (weight, _))| held(term) * weight)
            .sum();
        held / self.total
    }

    /// 0–1: the weight of its terms in `sentences`.
    pub(super) fn held_by(&self, sentences: &[Sentence]) -> f64 {
        if self.total <= 0.0 {
            return 0.0;
        }
        let said = |term: &str| sentences.iter().any(|it| it.terms.contains_key(term));
        self.share(|term| f64::from(u8::from(said(term))))
    }

    pub(super) fn hard(&self, kind: Kind) -> impl Iterator<Item = &str> {
        self.terms
            .iter()
            .filter(move |(_, (_, it))| *it == kind)
            .map(|(term, _)| term.as_str())
    }
}

/// Whether a term is said, and whether it is denied.
#[derive(Debug, Clone, Copy, Default)]
struct Said {
    plainly: bool,
    denied: bool,
}

type Terms = HashMap<String, Said>;

/// A sentence of a source.
pub(super) struct Sentence {
    pub(super) text: String,
    pub(super) words: Vec<Word>,
    /// Number of the passage that it stands in.
    pub(super) passage: usize,
    terms: Terms,
}

impl Sentence {
    fn of(text: &str, passage: usize, analyzer: &Analyzer) -> Self {
        let words = words::of(text, analyzer);
        Self {
            text: text.to_owned(),
            terms: terms(&words),
            words,
            passage,
        }
    }
}

/// 0–1: how far a source carries a statement.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Support {
    /// By its words.
    pub(super) words: f64,
    /// At most, whatever words it uses: it may say the opposite, or lack a figure or name.
    pub(super) most: f64,
}

/// The text of a source, ready to be compared.
pub(super) struct Evidence {
    pub(super) sentences: Vec<Sentence>,
    /// Runs of sentences.
    windows: Vec<Terms>,
    /// Terms of headings and title, which hold for every window.
    pub(super) context: HashSet<String>,
    all: HashSet<String>,
}

impl Evidence {
    pub(super) fn of(source: &RankedSource, analyzer: &Analyzer) -> Self {
        let mut evidence = Self {
            sentences: Vec::new(),
            windows: Vec::new(),
            context: HashSet::new(),
            all: HashSet::new(),
        };
        let headings = source.passages.iter().flat_map(|passage| &passage.headings);
        for text in headings.chain([&source.candidate.title]) {
            let words = words::of(text, analyzer);
            evidence.context.extend(words.into_iter().map(|it| it.term));
        }
        let texts = source.passages.iter().map(|passage| passage.text.as_str());
        let texts = texts.chain([source.candidate.snippet.as_str()]);
        for (passage, text) in texts.enumerate() {
            evidence.take(text, passage, analyzer);
        }
        evidence.all.clone_from(&evidence.context);
        for Sentence { terms, .. } in &evidence.sentences {
            evidence.all.extend(terms.keys().cloned());
        }
        evidence
    }

    fn take(&mut self, text: &str, passage: usize, analyzer: &Analyzer) {
        let mut found: Vec<Sentence> = sentences(text)
            .into_iter()
            .map(|sentence| Sentence::of(sentence, passage, analyzer))
            .collect();
        // Code has no sentences, and yet names and figures in it count.
        if found.is_empty() {
            found.push(Sentence::of(text, passage, analyzer));
        }
        for size in 2..=WINDOW.min(found.len()) {
            for run in found.windows(size) {
                let mut terms = Terms::new();
                run.iter().for_each(|it| merge(&mut terms, &it.terms));
                self.windows.push(terms);
            }
        }
        self.sentences.extend(found);
    }

    /// The weight of the statement's terms in the window that holds most of them, less when a
    /// sentence says the opposite or a figure belongs elsewhere.
    pub(super) fn support(&self, statement: &Statement, antonyms: &Antonyms) -> Support {
        if statement.total <= 0.0 {
            return Support::default();
        }
        let mut best = 0.0_f64;
        let (mut agreeing, mut opposing) = (0.0_f64, 0.0_f64);
        for Sentence { words, terms, .. } in &self.sentences {
            let own = statement.share(|term| f64::from(u8::from(terms.contains_key(term))));
            let flips = self.flips(statement, words, terms, own, antonyms);
            let mut held = self.held(statement, terms);
            match flips {
                Flips::None => agreeing = agreeing.max(own),
                // Denying the opposite is saying it.
                Flips::Even(weight) => {
                    held = (held + weight / statement.total).min(1.0);
                    agreeing = agreeing.max(own + weight / statement.total);
                }
                Flips::Odd(weight) => {
                    held *= CONTRADICTED;
                    opposing = opposing.max(own + weight / statement.total);
                }
            }
            best = best.max(held);
        }
        for terms in &self.windows {
            let held = self.held(statement, terms);
            let denied = self.is_denied(statement, terms);
            best = best.max(if denied { CONTRADICTED * held } else { held });
        }
        let mut most = 1.0_f64;
        if opposing >= SAME && opposing >= agreeing {
            most = CONTRADICTED;
        }
        let lacks = |term: &str| !self.all.contains(term);
        if statement.hard(Kind::Name).any(lacks) || statement.hard(Kind::Figure).any(lacks) {
            most = most.min(CAP);
        }
        Support {
            words: best.min(most),
            most,
        }
    }

    /// The share of the statement in `terms`, with what headings say; figures have to be near.
    fn held(&self, statement: &Statement, terms: &Terms) -> f64 {
        let worth = |terms: &Terms, term: &str| {
            if terms.contains_key(term) {
                1.0
            } else if self.context.contains(term) {
                FROM_CONTEXT
            } else {
                0.0
            }
        };
        let held = statement.share(|term| worth(terms, term));
        let missing: Vec<&str> = statement
            .hard(Kind::Figure)
            .filter(|term| worth(terms, term) == 0.0)
            .collect();
        if missing.is_empty() || held < CAP {
            return held;
        }
        // A claim may put together what stands apart, such as two figures of one thing.
        let together = self
            .sentences
            .iter()
            .map(|sentence| &sentence.terms)
            .filter(|more| missing.iter().all(|term| more.contains_key(*term)))
            .filter(|more| {
                let fits = |term: &&String| {
                    more.contains_key(*term)
                        && !terms.contains_key(*term)
                        && !missing.contains(&term.as_str())
                };
                statement.terms.keys().any(|term| fits(&term))
            })
            .map(|more| {
                let mut both = terms.clone();
                merge(&mut both, more);
                APART * statement.share(|term| worth(&both, term))
            })
            .fold(0.0, f64::max);
        held.min(MISPLACED).max(together)
    }

    /// Whether most of what is said here is said the other way round. What comes late in a
    /// statement counts more: it is what is said, not of what.
    fn is_denied(&self, statement: &Statement, terms: &Terms) -> bool {
        let soft = |word: &&Word| matches!(word.kind, Kind::Plain | Kind::Weak);
        let topic = |word: &&Word| self.context.contains(&word.term);
        let mut judged: Vec<&Word> = statement.words.iter().filter(soft).collect();
        if judged.iter().any(|word| !topic(word)) {
            judged.retain(|word| !topic(word));
        }
        let last = f64::from(u32::try_from(judged.len().max(2) - 1).unwrap_or(u32::MAX));
        let (mut held, mut against) = (0.0, 0.0);
        for (at, word) in (0_u32..).zip(judged) {
            let Some(said) = terms.get(&word.term) else {
                continue;
            };
            let weight = 1.0 + 2.0 * f64::from(at) / last;
            held += weight;
            let agrees = if word.denied {
                said.denied
            } else {
                said.plainly
            };
            against += if agrees { 0.0 } else { weight };
        }
        against > 0.5 * held
    }

    fn flips(
        &self,
        statement: &Statement,
        words: &[Word],
        terms: &Terms,
        own: f64,
        antonyms: &Antonyms,
    ) -> Flips {
        let mut flips = u8::from(self.is_denied(statement, terms));
        flips += u8::from(order::is_reversed(&statement.words, words));
        let mut weight = 0.0;
        for word in &statement.words {
            let worth = word.kind.weight();
            if let Some(opposites) = antonyms.of(&word.term)
                && own + worth / statement.total >= SAME
                && is_opposed(statement, word, words, opposites)
            {
                flips += 1;
                if !terms.contains_key(&word.term) {
                    weight += worth;
                }
            }
        }
        match flips {
            0 => Flips::None,
            even if even % 2 == 0 => Flips::Even(weight),
            _ => Flips::Odd(weight),
        }
    }
}

/// How often a sentence turns a statement round, and the weight of the words that it says by their
/// opposites.
enum Flips {
    None,
    Even(f64),
    Odd(f64),
}

/// Whether the clause with an opposite of `word` has more of the statement than the clauses that
/// have the word itself.
fn is_opposed(
    statement: &Statement,
    word: &Word,
    source: &[Word],
    opposites: &HashSet<String>,
) -> bool {
    let claimed = |term: &String| statement.words.iter().any(|word| word.term == *term);
    if opposites.iter().any(claimed) {
        return false;
    }
    let beside = |is: &dyn Fn(&Word) -> bool| {
        let clauses: Vec<usize> = source
            .iter()
            .filter(|word| is(word))
            .map(|it| it.clause)
            .collect();
        let held = |clause: &usize| -> f64 {
            let mut seen = HashSet::new();
            source
                .iter()
                .filter(|it| it.clause == *clause && it.term != word.term)
                .filter(|it| seen.insert(&it.term))
                .filter_map(|it| Some(statement.terms.get(&it.term)?.0))
                .sum()
        };
        clauses.iter().map(held).reduce(f64::max)
    };
    let opposed = beside(&|it| opposites.contains(&it.term));
    let same = beside(&|it| it.term == word.term);
    match (opposed, same) {
        (Some(opposed), Some(same)) => opposed > same,
        (Some(opposed), None) => opposed > 0.0,
        (None, _) => false,
    }
}

fn terms(words: &[Word]) -> Terms {
    let mut terms = Terms::new();
    for word in words {
        let said = terms.entry(word.term.clone()).or_default();
        said.plainly |= !word.denied;
        said.denied |= word.denied;
    }
    terms
}

fn merge(terms: &mut Terms, more: &Terms) {
    for (term, said) in more {
        let entry = terms.entry(term.clone()).or_default();
        entry.plainly |= said.plainly;
        entry.denied |= said.denied;
    }
}
