//! Who does what to whom: the order of names in a claim and in its source.

use super::words::{Kind, Word};
use std::collections::HashSet;

/// Of the words between two names, so many must stand between them in the source too: otherwise it
/// says something else of them.
const SAME_MATTER: f64 = 0.5;

/// Whether `source` says of two things in `claim` what the claim says of them the other way round.
pub(super) fn is_reversed(claim: &[Word], source: &[Word]) -> bool {
    reversed_names(claim, source) || reversed_comparison(claim, source)
}

/// Whether two names stand in `source` the other way round than in `claim`, whatever it says of them:
/// in other words, nothing tells who does what.
pub(super) fn may_be_reversed(claim: &[Word], source: &[Word]) -> bool {
    let related = |claimed: &[Word], _: &[Word]| claimed.iter().any(|it| it.kind.weight() > 0.0);
    swapped_names(claim, source, related) || reversed_comparison(claim, source)
}

fn reversed_names(claim: &[Word], source: &[Word]) -> bool {
    swapped_names(claim, source, same_matter)
}

/// Whether names stand the other way round and what is between them passes `is_same`.
fn swapped_names(
    claim: &[Word],
    source: &[Word],
    is_same: impl Fn(&[Word], &[Word]) -> bool,
) -> bool {
    let names = names(claim);
    names.windows(2).any(|pair| {
        let [one, other] = pair else {
            return false;
        };
        let Some(between) = claim.get(one.end + 1..other.start) else {
            return false;
        };
        let places = (place(source, one), place(source, other));
        let (Some(left), Some(right)) = places else {
            return false;
        };
        let said = source.get(right + 1..left).unwrap_or_default();
        left > right && is_same(between, said) && is_passive(between) == is_passive(said)
    })
}

/// A run of capitalised words, and where it stands.
struct Name<'w> {
    terms: HashSet<&'w str>,
    start: usize,
    end: usize,
}

fn names(claim: &[Word]) -> Vec<Name<'_>> {
    let mut names: Vec<Name<'_>> = Vec::new();
    for (at, word) in claim.iter().enumerate() {
        let first = at == 0 && word.capital && word.kind == Kind::Plain;
        if word.kind != Kind::Name && !first {
            continue;
        }
        match names.last_mut() {
            Some(name) if name.end + 1 == at => {
                name.terms.insert(&word.term);
                name.end = at;
            }
            _ => names.push(Name {
                terms: HashSet::from([word.term.as_str()]),
                start: at,
                end: at,
            }),
        }
    }
    names
}

fn place(words: &[Word], name: &Name<'_>) -> Option<usize> {
    words
        .iter()
        .position(|word| name.terms.contains(word.term.as_str()))
}

fn same_matter(claimed: &[Word], said: &[Word]) -> bool {
    let content = |words: &[Word]| -> HashSet<String> {
        let content = words.iter().filter(|word| word.kind.weight() > 0.0);
        content.map(|word| word.term.clone()).collect()
    };
    let (claimed, said) = (content(claimed), content(said));
    let count = |n: usize| f64::from(u32::try_from(n).unwrap_or(u32::MAX));
    let common = claimed.intersection(&said).count();
    common > 0 && count(common) >= SAME_MATTER * count(claimed.len())
}

/// "Was lent by" turns the order round.
fn is_passive(between: &[Word]) -> bool {
    between.iter().any(|word| word.term == "by")
}

/// "Air is warmer than ground", where no names tell.
fn reversed_comparison(claim: &[Word], source: &[Word]) -> bool {
    let (Some((left, right)), Some((said_left, said_right))) = (sides(claim), sides(source)) else {
        return false;
    };
    let meets = |one: &HashSet<&str>, other: &HashSet<&str>| !one.is_disjoint(other);
    let swapped = meets(&left, &said_right) && meets(&right, &said_left);
    let straight = meets(&left, &said_left) || meets(&right, &said_right);
    swapped && !straight
}

/// The things on either side of "than" in its clause: what the other side has too is none.
fn sides<'w>(words: &'w [Word]) -> Option<(HashSet<&'w str>, HashSet<&'w str>)> {
    let at = words.iter().position(|word| word.term == "than")?;
    let clause = words.get(at)?.clause;
    let things = |words: &'w [Word]| -> HashSet<&'w str> {
        words
            .iter()
            .filter(|word| word.clause == clause && word.kind.weight() > 0.0)
            .map(|word| word.term.as_str())
            .collect()
    };
    let (before, after) = words.split_at_checked(at)?;
    let (left, right) = (things(before), things(after));
    let only_left: HashSet<&str> = left.difference(&right).copied().collect();
    let only_right: HashSet<&str> = right.difference(&left).copied().collect();
    (!only_left.is_empty() && !only_right.is_empty()).then_some((only_left, only_right))
}
