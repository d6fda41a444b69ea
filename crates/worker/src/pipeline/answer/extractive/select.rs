//! Choosing sentences that together make an answer, and the order they stand in.

use super::{question::Kind, score::Rated, score::is_history, sentence::Sentence};
use std::collections::{HashMap, HashSet};

/// A sentence that goes on where a chosen one ends scores at least this share of the best one.
const LEAST_SHARE_OF_NEXT: f64 = 0.4;
/// Sentences below the best so many are not looked at.
const POOL: usize = 80;
/// Share of common words that makes two sentences one.
const SAME: f64 = 0.7;
/// Share of the best coverage so far that a sentence from elsewhere needs.
const LEAST_COVERAGE_SHARE: f64 = 0.85;
/// Share of the question that such a sentence has to speak of without its headings.
const LEAST_OWN: f64 = 0.5;
/// Share of the question that a row of a table has to be about: what it leaves out, it does not say.
const WHOLE: f64 = 0.95;
const REPETITION: f64 = 0.5;
const AGREEMENT: f64 = 0.1;
const CONTINUATION: f64 = 0.2;

/// A sentence of the answer with the sources that say it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Chosen {
    pub(super) rated: Rated,
    pub(super) sources: Vec<usize>,
}

impl Chosen {
    pub(super) fn says_the_same(&self, other: &Self) -> bool {
        similarity(&self.rated.sentence, &other.rated.sentence) >= SAME
    }
}

/// At most `most` of the sentences, in the order in which they read.
pub(super) fn select(rated: &[Rated], kind: Kind, most: usize) -> Vec<Chosen> {
    let by_place: HashMap<(usize, usize, usize), &Rated> = rated
        .iter()
        .map(|rated| (place(&rated.sentence), rated))
        .collect();
    let mut pool = merged(candidates(rated, kind));
    let best_coverage = pool
        .iter()
        .map(|pick| pick.rated.coverage)
        .fold(0.0, f64::max);
    if kind == Kind::HowTo {
        pool.retain(|pick| {
            pick.rated.coverage >= LEAST_COVERAGE_SHARE * best_coverage
                || pick.rated.sentence.list_item
        });
    }
    let mut chosen: Vec<Chosen> = Vec::new();
    let mut best_score = None;
    while chosen.len() < most {
        let Some((index, gain, next)) = best_of(&pool, &chosen, kind) else {
            break;
        };
        let lonely = kind == Kind::Definition && !chosen.is_empty() && !next;
        if lonely && pool.get(index).is_some_and(|pick| !pick.rated.defines) {
            pool.swap_remove(index);
            continue;
        }
        let strays = pool
            .get(index)
            .is_some_and(|pick| !next && strays(pick, &chosen, kind));
        if strays {
            pool.swap_remove(index);
            continue;
        }
        let first = *best_score.get_or_insert(gain);
        let share = if next {
            LEAST_SHARE_OF_NEXT
        } else {
            kind.least_share()
        };
        if gain < share * first {
            break;
        }
        let pick = pool.swap_remove(index);
        let opens = chosen.is_empty();
        if !anchored(&pick, &chosen) {
            // Without the sentence before it nobody knows what "it" is.
            match antecedent(&pick, &by_place) {
                Some(before) if chosen.len() + 1 < most => {
                    pool.retain(|other| place(&other.rated.sentence) != place(&before.sentence));
                    let sources = vec![before.sentence.source];
                    chosen.push(Chosen {
                        rated: before,
                        sources,
                    });
                }
                _ => continue,
            }
        }
        if opens {
            pool.retain(|other| may_stand_with(&pick, other, kind));
        }
        chosen.push(pick);
    }
    ordered(chosen)
}

/// The best sentences; where a figure is asked for, only those that have one.
fn candidates(rated: &[Rated], kind: Kind) -> Vec<Rated> {
    let mut rated: Vec<Rated> = rated
        .iter()
        .filter(|rated| {
            rated.coverage > 0.0
                && rated.sentence.complete
                && rated.fits
                && !(kind == Kind::HowTo && rated.sentence.asks)
                && (!rated.sentence.row || rated.said >= WHOLE)
                && (kind == Kind::Time || !is_history(&rated.sentence.text))
        })
        .cloned()
        .collect();
    let figure = matches!(kind, Kind::Quantity | Kind::Time);
    if figure && rated.iter().any(|rated| rated.names_all) {
        // One that leaves a name out may tell it of another thing of that kind.
        rated.retain(|rated| rated.names_all);
    }
    rated.sort_by(|a, b| b.score.total_cmp(&a.score));
    rated.truncate(POOL);
    rated
}

/// Near-duplicate sentences become one that cites all of their sources.
fn merged(rated: Vec<Rated>) -> Vec<Chosen> {
    let mut merged: Vec<Chosen> = Vec::new();
    for rated in rated {
        let twin = merged
            .iter_mut()
            .find(|other| similarity(&other.rated.sentence, &rated.sentence) >= SAME);
        match twin {
            Some(twin) if twin.sources.contains(&rated.sentence.source) => {}
            // In like words, but without a word of the question: it says something else.
            Some(twin) if rated.own < twin.rated.own => {}
            Some(twin) => {
                twin.sources.push(rated.sentence.source);
                twin.rated.score += AGREEMENT;
            }
            None => {
                let sources = vec![rated.sentence.source];
                merged.push(Chosen { rated, sources });
            }
        }
    }
    merged
}

/// The best next sentence, what it adds, and whether it goes on where a chosen one ends.
fn best_of(pool: &[Chosen], chosen: &[Chosen], kind: Kind) -> Option<(usize, f64, bool)> {
    pool.iter()
        .enumerate()
        .map(|(index, candidate)| {
            let repeated = chosen
                .iter()
                .map(|other| similarity(&other.rated.sentence, &candidate.rated.sentence))
                .fold(0.0, f64::max);
            let next = follows(candidate, chosen, kind);
            let bonus = if next { CONTINUATION } else { 0.0 };
            let here = &candidate.rated.sentence;
            let lone = if chosen.is_empty() && here.dangling {
                if !here.refers_terms.is_empty() {
                    0.1
                } else {
                    0.25
                }
            } else {
                0.0
            };
            let gain = candidate.rated.score + bonus - REPETITION * repeated - lone;
            (index, gain, next)
        })
        .max_by(|a, b| a.1.total_cmp(&b.1))
}

fn follows(candidate: &Chosen, chosen: &[Chosen], kind: Kind) -> bool {
    let here = &candidate.rated.sentence;
    chosen.iter().any(|other| {
        let there = &other.rated.sentence;
        let same_passage = there.source == here.source && there.passage == here.passage;
        let same_paragraph = same_passage && there.line == here.line;
        let next_step = match kind {
            Kind::HowTo => same_passage && here.list_item,
            Kind::Definition => same_passage && !here.list_item,
            _ => false,
        };
        if kind == Kind::HowTo && !here.list_item && candidate.rated.own <= 0.0 {
            return false;
        }
        here.position == there.position + 1 && (same_paragraph || next_step)
    })
}

/// Whether a sentence speaks of less of the question than the first one does, in a place that is
/// about something else. Where two things are compared, one that speaks of one of them strays too,
/// unless it says what that is.
fn strays(pick: &Chosen, chosen: &[Chosen], kind: Kind) -> bool {
    let Some(first) = chosen
        .iter()
        .max_by(|a, b| a.rated.coverage.total_cmp(&b.rated.coverage))
    else {
        return false;
    };
    let (here, there) = (&pick.rated.sentence, &first.rated.sentence);
    let same_place = here.source == there.source && here.nearest_terms == there.nearest_terms;
    let least = match (kind, same_place) {
        (Kind::Comparison, _) if pick.rated.defines => 0.4,
        (_, true) => 0.6,
        _ => LEAST_COVERAGE_SHARE,
    };
    let elsewhere = !same_place && kind != Kind::Comparison && pick.rated.own < LEAST_OWN;
    elsewhere || pick.rated.coverage < least * first.rated.coverage
}

/// Whether a sentence can be understood with what is chosen already.
fn anchored(pick: &Chosen, chosen: &[Chosen]) -> bool {
    let here = &pick.rated.sentence;
    !here.dangling
        || chosen.iter().any(|other| {
            let there = &other.rated.sentence;
            (there.source, there.passage) == (here.source, here.passage)
                && here.position == there.position + 1
        })
}

/// Whether `other` can stand in an answer that begins with `first`: not what comes before it in the
/// same passage (but for steps), and in a definition only what defines the thing or goes on.
fn may_stand_with(first: &Chosen, other: &Chosen, kind: Kind) -> bool {
    let (here, there) = (&first.rated.sentence, &other.rated.sentence);
    if (here.source, here.passage) == (there.source, there.passage) {
        let step = kind == Kind::HowTo && there.list_item;
        return step || there.position > here.position || other.rated.own >= first.rated.own;
    }
    kind != Kind::Definition || other.rated.defines
}

fn antecedent(pick: &Chosen, by_place: &HashMap<(usize, usize, usize), &Rated>) -> Option<Rated> {
    let (source, passage, position) = place(&pick.rated.sentence);
    by_place
        .get(&(source, passage, position.checked_sub(1)?))
        .filter(|before| !before.sentence.dangling && !before.sentence.row)
        .map(|before| (*before).clone())
}

/// Best first, then by source; sentences of one passage in the order they have there.
fn ordered(chosen: Vec<Chosen>) -> Vec<Chosen> {
    let mut groups: Vec<((usize, usize), Vec<Chosen>)> = Vec::new();
    for pick in chosen {
        let key = (pick.rated.sentence.source, pick.rated.sentence.passage);
        match groups.iter_mut().find(|(other, _)| *other == key) {
            Some((_, group)) => group.push(pick),
            None => groups.push((key, vec![pick])),
        }
    }
    if let Some((_, others)) = groups.split_first_mut() {
        others.sort_by_key(|(key, _)| *key);
    }
    for (_, group) in &mut groups {
        group.sort_by_key(|pick| pick.rated.sentence.position);
    }
    groups.into_iter().flat_map(|(_, group)| group).collect()
}

fn place(sentence: &Sentence) -> (usize, usize, usize) {
    (sentence.source, sentence.passage, sentence.position)
}

/// 0–1: share of the smaller sentence's words that both have, not counting those that only hold a
/// sentence together.
pub(super) fn similarity(a: &Sentence, b: &Sentence) -> f64 {
    let left: HashSet<&String> = a.content.iter().collect();
    let right: HashSet<&String> = b.content.iter().collect();
    let shared = left.intersection(&right).count();
    let union = left.union(&right).count().max(1);
    let ratio = |part: usize, whole: usize| {
        f64::from(u32::try_from(part).unwrap_or(u32::MAX))
            / f64::from(u32::try_from(whole).unwrap_or(u32::MAX))
    };
    let smaller = left.len().min(right.len()).max(1);
    if smaller < 5 {
        ratio(shared, union)
    } else {
        ratio(shared, union).max(0.85 * ratio(shared, smaller))
    }
}
