//! Spreading the sources over publishers and topics, and keeping one for each compared thing.

use super::{RankOptions, Scored, bm25::as_f64};
use crate::pipeline::{Plan, text::Analyzer};
use privachat_core::domain;
use std::collections::{HashMap, HashSet};

/// Sources of one registrable domain.
const PER_DOMAIN: usize = 3;
/// What the score counts against novelty.
const LAMBDA: f64 = 0.8;

pub(super) fn select(
    scored: Vec<Scored>,
    plan: &Plan,
    options: &RankOptions,
    analyzer: &Analyzer,
) -> Vec<Scored> {
    let entities: Vec<HashSet<usize>> = plan
        .entities
        .iter()
        .map(|entity| mentioning(&scored, entity, analyzer))
        .collect();
    let mut chosen = if options.diversity {
        spread(&scored, options.limit)
    } else {
        (0..scored.len().min(options.limit)).collect()
    };
    keep_entities(&mut chosen, &entities, options.limit);
    chosen.sort_unstable();
    let mut scored: Vec<Option<Scored>> = scored.into_iter().map(Some).collect();
    chosen
        .into_iter()
        .filter_map(|index| scored.get_mut(index).and_then(Option::take))
        .collect()
}

/// Maximal marginal relevance with a cap per domain; the order of the result means nothing.
fn spread(scored: &[Scored], limit: usize) -> Vec<usize> {
    let domains: Vec<Option<String>> = scored
        .iter()
        .map(|source| domain::registrable_domain(&source.candidate.url))
        .collect();
    let capped = domains.iter().collect::<HashSet<_>>().len() > 1;
    let words: Vec<HashSet<&String>> = scored.iter().map(words).collect();
    let mut used: HashMap<&String, usize> = HashMap::new();
    let mut chosen: Vec<usize> = Vec::new();
    let mut left: Vec<usize> = (0..scored.len()).collect();
    while chosen.len() < limit {
        let free = |index: &usize| {
            let domain = domains.get(*index).and_then(Option::as_ref);
            !capped
                || domain.is_none_or(|domain| used.get(domain).copied().unwrap_or(0) < PER_DOMAIN)
        };
        let best = left.iter().copied().filter(free).max_by(|a, b| {
            let a = gain(*a, scored, &words, &chosen);
            a.total_cmp(&gain(*b, scored, &words, &chosen))
        });
        let Some(best) = best else {
            break;
        };
        left.retain(|index| *index != best);
        chosen.push(best);
        if let Some(domain) = domains.get(best).and_then(Option::as_ref) {
            *used.entry(domain).or_insert(0) += 1;
        }
    }
    chosen
}

fn gain(index: usize, scored: &[Scored], words: &[HashSet<&String>], chosen: &[usize]) -> f64 {
    let Some((source, own)) = scored.get(index).zip(words.get(index)) else {
        return 0.0;
    };
    let nearest = chosen
        .iter()
        .filter_map(|other| words.get(*other))
        .map(|other| {
            let shared = as_f64(own.intersection(other).count());
            shared / as_f64(own.union(other).count().max(1))
        })
        .fold(0.0, f64::max);
    LAMBDA * source.score - (1.0 - LAMBDA) * nearest
}

fn words(source: &Scored) -> HashSet<&String> {
    source
        .passages
        .iter()
        .take(2)
        .flat_map(|(draft, _)| &draft.terms)
        .collect()
}

/// The sources that speak of `entity`.
fn mentioning(scored: &[Scored], entity: &str, analyzer: &Analyzer) -> HashSet<usize> {
    let wanted = analyzer.terms(entity);
    let speaks = |source: &Scored| {
        source.passages.iter().any(|(draft, _)| {
            wanted.iter().all(|term| {
                draft.terms.contains(term)
                    || draft.title_terms.contains(term)
                    || draft.heading_terms.contains(term)
            })
        })
    };
    scored
        .iter()
        .enumerate()
        .filter(|(_, source)| speaks(source))
        .map(|(index, _)| index)
        .collect()
}

/// Makes room for the best source of each entity that has none yet.
fn keep_entities(chosen: &mut Vec<usize>, entities: &[HashSet<usize>], limit: usize) {
    for mentions in entities {
        if chosen.iter().any(|index| mentions.contains(index)) {
            continue;
        }
        let Some(best) = mentions.iter().min() else {
            continue;
        };
        if chosen.len() >= limit {
            let Some(victim) = dispensable(chosen, entities) else {
                continue;
            };
            chosen.retain(|index| *index != victim);
        }
        chosen.push(*best);
    }
}

/// The worst source that is not the only one of some entity.
fn dispensable(chosen: &[usize], entities: &[HashSet<usize>]) -> Option<usize> {
    let needed = |index: usize| {
        entities.iter().any(|mentions| {
            let mut holders = chosen.iter().filter(|other| mentions.contains(other));
            holders.next() == Some(&index) && holders.next().is_none()
        })
    };
    chosen.iter().copied().filter(|index| !needed(*index)).max()
}
