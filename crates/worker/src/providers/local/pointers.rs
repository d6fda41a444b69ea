//! Terms that only point to another term ("GIL: see global interpreter lock") become other names of
//! that term: the reader wants the explanation, not the way to it.

use super::sections::Section;
use std::collections::{HashMap, HashSet};

/// A pointer says little more than where it points to.
const MAX_CHARS: usize = 80;
/// Longest term that is looked for, in words.
const MAX_WORDS: usize = 6;

/// Takes the pointers out of `sections` and gives their names to the sections that they point to.
pub(super) fn resolve(sections: &mut Vec<Section>) {
    let terms: HashMap<String, usize> = sections
        .iter()
        .enumerate()
        .filter(|(_, section)| section.is_term)
        .map(|(index, section)| (section.heading.to_lowercase(), index))
        .collect();
    let targets: HashMap<usize, usize> = sections
        .iter()
        .enumerate()
        .filter_map(|(index, section)| Some((index, target(section, index, &terms)?)))
        .collect();
    let mut resolved = HashSet::new();
    for (pointer, target) in &targets {
        // A pointer to a pointer stays: there would be nobody to take the name.
        if targets.contains_key(target) {
            continue;
        }
        let Some(Section { heading, names, .. }) = sections.get(*pointer).cloned() else {
            continue;
        };
        if let Some(section) = sections.get_mut(*target) {
            section.also.push(heading);
            section.names.extend(names);
            resolved.insert(*pointer);
        }
    }
    let mut index = 0;
    sections.retain(|_| {
        index += 1;
        !resolved.contains(&(index - 1))
    });
}

/// The section whose term stands in this short one, the longest term first.
fn target(section: &Section, index: usize, terms: &HashMap<String, usize>) -> Option<usize> {
    let body = section.body();
    if !section.is_term || body.len() > MAX_CHARS {
        return None;
    }
    let lower = body.to_lowercase();
    let words: Vec<&str> = lower
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| !c.is_alphanumeric()))
        .collect();
    // Anything longer says something itself.
    if words.len() > MAX_WORDS + 2 {
        return None;
    }
    (1..=words.len().saturating_sub(1).min(MAX_WORDS))
        .rev()
        .flat_map(|length| words.windows(length))
        .find_map(|run| terms.get(&run.join(" ")))
        .copied()
        .filter(|found| *found != index)
}
