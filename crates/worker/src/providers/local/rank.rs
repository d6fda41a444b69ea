//! How well a section fits a question. The index proposes sections by single words; here the
//! whole of it counts: where the words stand, how many of them, how close to each other, and
//! whether the section is *about* them or only mentions them.

use super::{
    query::{Concept, Question},
    sections::Section,
    tokens::{Word, Words},
};
use crate::pipeline::{
    BlockKind,
    text::{sentences, without_parameters},
};
use std::collections::HashSet;

/// BM25's saturation and length normalisation, and the words of an ordinary section.
const K1: f32 = 1.5;
const B: f32 = 0.6;
const USUAL_WORDS: f32 = 120.0;

/// What a word is worth by where it stands.
const IN_TITLE: f32 = 1.2;
const IN_PATH: f32 = 1.2;
const IN_HEADING: f32 = 3.0;
const AS_NAME: f32 = 8.0;

/// What a title that says what is asked is worth to a section, and more to the first ones.
const EVERYWHERE: f32 = 0.12;
const OPENING: f32 = 0.33;

/// What it is worth that the first sentence of a section already says what is asked.
const FIRST_SENTENCE: f32 = 0.35;

/// A page from which on it counts as a list of everything, such as a changelog.
const HUGE_PAGE_CHARS: f32 = 150_000.0;
/// A list of so many entries, each so short (in bytes), is a table of contents.
const FEWEST_ENTRIES: usize = 12;
const LONGEST_ENTRY: usize = 70;
/// A section that says less than this is a pointer to something else.
const SHORT_CHARS: f32 = 60.0;

/// The score of `section`, from 0; comparable for one question only.
pub(super) fn score(section: &Section, question: &Question, words: &Words) -> f32 {
    let Question {
        concepts, total, ..
    } = question;
    let total = *total;
    if total <= 0.0 {
        return 0.0;
    }
    let body = words.of(&section.body());
    let headings: Vec<Vec<Word>> = section
        .also
        .iter()
        .chain([&section.heading])
        .map(|text| words.of(&without_parameters(text)))
        .collect();
    let title = words.of(&section.title);
    let path: Vec<Word> = section
        .path
        .iter()
        .flat_map(|(_, text)| words.of(&without_parameters(text)))
        .collect();
    let body_set = set(&body);
    let (heading_set, title_set, path_set) =
        (set(headings.iter().flatten()), set(&title), set(&path));
    let norm = 1.0 - B + B * body.len() as f32 / USUAL_WORDS;

    // One word of many in a title says little about the page.
    let title_share = share(&title, question).sqrt();

    let (mut sum, mut covered, mut named) = (0.0, 0.0, 0.0_f32);
    for concept in concepts {
        let in_body = presence(concept, &body_set);
        let count = if in_body > 0.0 {
            count(concept, &body) * in_body
        } else {
            0.0
        };
        let naming = naming(section, concept)
            * if concept.whole.is_some() {
                1.0
            } else {
                (concept.weight / total).max(0.25)
            };
        let in_names = presence(concept, &heading_set);
        let evidence = count / norm
            + IN_TITLE * title_share * presence(concept, &title_set)
            + IN_PATH * presence(concept, &path_set)
            + IN_HEADING * in_names
            + AS_NAME * naming;
        sum += concept.weight * evidence / (evidence + K1);
        let presence = in_body
            .max(in_names)
            .max(presence(concept, &title_set) * 0.9)
            .max(presence(concept, &path_set) * 0.9);
        covered += concept.weight * if naming > 0.0 { 1.0 } else { presence };
        named = named.max(naming * concept.weight / total);
    }
    let coverage = covered / total;
    let about_heading = section
        .also
        .iter()
        .chain([&section.heading])
        .map(|heading| about_any(heading, question, words))
        .fold(0.0, f32::max);
    let about_title = about_any(&section.title, question, words);
    // The title speaks for the page's opening more than for its far parts.
    let opening = EVERYWHERE + OPENING / (1.0 + section.order as f32);
    let fit = sum / total * (0.3 + 0.7 * coverage * coverage)
        + 0.3 * closeness(concepts, &body, total)
        + 0.35 * about_heading
        + opening * about_title
        + FIRST_SENTENCE * first_sentence(section, question, words)
        + 0.4 * named * coverage;
    fit * substance(section)
}

/// 1 when the concept is there, less when only the parts of its name are.
fn presence(concept: &Concept, words: &HashSet<&str>) -> f32 {
    let has = |word: &String| words.contains(word.as_str());
    match &concept.whole {
        Some(whole) if has(whole) => 1.0,
        // The digits of a version say nothing on their own.
        Some(_)
            if concept
                .stems
                .iter()
                .any(|stem| stem.chars().all(char::is_numeric)) =>
        {
            0.0
        }
        Some(_) if concept.stems.iter().all(has) => 0.5,
        Some(_) => 0.0,
        None if concept.stems.iter().all(has) => 1.0,
        None => 0.0,
    }
}

fn count(concept: &Concept, words: &[Word]) -> f32 {
    let target = concept
        .whole
        .as_ref()
        .filter(|whole| words.iter().any(|word| word.text == **whole));
    let target = target.or(concept.stems.last());
    words
        .iter()
        .filter(|word| Some(&word.text) == target)
        .count() as f32
}

/// How much a heading is about the question: 1 when both say the same words.
fn about(heading: &[Word], question: &Question) -> f32 {
    let heading_set = set(heading);
    let asked: f32 = question
        .concepts
        .iter()
        .map(|concept| concept.weight * presence(concept, &heading_set))
        .sum();
    asked / question.total * share(heading, question).sqrt()
}

/// The share of a heading's telling words that the question has too. Section numbers tell nothing.
fn share(heading: &[Word], question: &Question) -> f32 {
    let (mut known, mut all) = (0.0_f32, 0.0_f32);
    for word in heading.iter().filter(|word| !word.whole) {
        let asked = question
            .concepts
            .iter()
            .any(|concept| concept.stems.contains(&word.text));
        let is_number = word.text.chars().all(char::is_numeric);
        if asked {
            known += 1.0;
        }
        if asked || !(is_number || question.stop.contains(&word.text)) {
            all += 1.0;
        }
    }
    known / all.max(1.0)
}

/// How much a heading or a part of it is about the question: "csv — reading and writing" is about
/// csv as much as about all of it, and a signature is about its name.
fn about_any(heading: &str, question: &Question, words: &Words) -> f32 {
    let parts = [" — ", " – ", " - ", ": ", "("]
        .into_iter()
        .find_map(|separator| heading.split_once(separator))
        .into_iter()
        .flat_map(|(before, after)| [before, after]);
    parts
        .chain([heading])
        .map(|part| about(&words.of(part), question))
        .fold(0.0, f32::max)
}

/// How well the section's names answer to a concept: 1 for the name itself, less for the end of one
/// and for a short form of a plain word (`len` for "length").
fn naming(section: &Section, concept: &Concept) -> f32 {
    let name = concept.raw.as_str();
    let short = section
        .names
        .iter()
        .any(|own| own.len() >= 3 && own.len() < name.len() && name.starts_with(own.as_str()));
    let exact = section
        .names
        .binary_search_by(|own| own.as_str().cmp(name))
        .is_ok();
    let is_end = section.names.iter().any(|own| {
        own.strip_suffix(name)
            .is_some_and(|before| before.ends_with('.'))
    });
    match (exact, is_end) {
        (true, false) => 1.0,
        (true, true) if concept.whole.is_some() => 0.6,
        (true, true) => 0.3,
        (false, _) if short && section.names.len() == 1 => 0.8,
        (false, _) => 0.0,
    }
}

/// How close neighbouring words of the question stand in the text: 1 when all are side by side.
fn closeness(concepts: &[Concept], body: &[Word], total: f32) -> f32 {
    if concepts.len() < 2 {
        return 0.0;
    }
    let places: Vec<Vec<usize>> = concepts
        .iter()
        .map(|concept| {
            let target = concept.stems.last();
            body.iter()
                .filter(|word| Some(&word.text) == target)
                .map(|word| word.position)
                .collect()
        })
        .collect();
    let mut sum = 0.0;
    for (pair, weights) in places.windows(2).zip(concepts.windows(2)) {
        let [left, right] = pair else { continue };
        let [a, b] = weights else { continue };
        let gap = left
            .iter()
            .flat_map(|from| right.iter().map(move |to| to.abs_diff(*from)))
            .min();
        let near = match gap {
            Some(0..=2) => 1.0,
            Some(3..=6) => 0.6,
            Some(7..=15) => 0.3,
            _ => 0.0,
        };
        sum += near * a.weight.min(b.weight);
    }
    sum / total
}

/// How much of the question the section's first sentence speaks of, with the names it explains:
/// what a section is about is said there. Squared, because half of a question is another one.
fn first_sentence(section: &Section, question: &Question, words: &Words) -> f32 {
    let Some(first) = section
        .blocks
        .iter()
        .find(|block| block.kind() == BlockKind::Paragraph)
        .and_then(|block| sentences(&block.1).into_iter().next())
    else {
        return 0.0;
    };
    let spoken = words.of(&format!("{} {first}", without_parameters(&section.heading)));
    let said = set(&spoken);
    let covered: f32 = question
        .concepts
        .iter()
        .map(|concept| concept.weight * presence(concept, &said))
        .sum();
    (covered / question.total).powi(2)
}

/// A run of links or names, such as a table of contents: it says where something is said.
pub(super) fn is_contents(section: &Section) -> bool {
    let (mut items, mut in_items, mut all) = (0_usize, 0_usize, 0_usize);
    for block in &section.blocks {
        let chars = block.1.len();
        all += chars;
        // What ends like a sentence says something itself.
        if block.kind() == BlockKind::ListItem && !block.1.trim_end().ends_with('.') {
            items += 1;
            in_items += chars;
        }
    }
    items >= FEWEST_ENTRIES && in_items * 10 >= all * 9 && in_items < items * LONGEST_ENTRY
}

/// What the section is worth as reading matter, 0–1: prose over lists of links, explanations over
/// pointers, pages about one thing over lists of everything.
fn substance(section: &Section) -> f32 {
    let (mut prose, mut all) = (0.0_f32, 0.0_f32);
    for block in &section.blocks {
        let chars = block.1.len() as f32;
        match block.kind() {
            BlockKind::Paragraph | BlockKind::Quote => prose += chars,
            BlockKind::ListItem if chars > 80.0 => prose += chars * 0.8,
            BlockKind::Term if section.is_term => continue,
            _ => {}
        }
        all += chars;
    }
    let share = if all > 0.0 { prose / all } else { 0.0 };
    let length = (prose / SHORT_CHARS).min(1.0);
    let page = (section.page_chars as f32 / HUGE_PAGE_CHARS)
        .max(1.0)
        .log2();
    (0.7 + 0.3 * share) * (0.6 + 0.4 * length) / (1.0 + 0.15 * page)
}

fn set<'a>(words: impl IntoIterator<Item = &'a Word>) -> HashSet<&'a str> {
    words.into_iter().map(|word| word.text.as_str()).collect()
}
