//! The few sentences that show what a section says about a question.

use super::{query::Concept, sections::Section, tokens::Words};
use crate::pipeline::BlockKind;
use std::collections::HashSet;
use unicode_segmentation::UnicodeSegmentation;

/// Longest snippet, in characters.
pub(super) const MAX_CHARS: usize = 400;

/// A run should begin with a sentence that speaks of the matter itself, and early: what that is
/// worth beside the share of the question that the run speaks of.
const OPENS: f32 = 0.25;
const LATER: f32 = 0.04;
const LATEST: usize = 6;

/// The run of sentences of `section` that speaks of most of `concepts`, the earliest among
/// equals. Code is never part of it; a section of nothing but code has its heading as snippet.
pub(super) fn snippet(section: &Section, concepts: &[Concept], words: &Words) -> String {
    let sentences = sentences(section);
    if sentences.is_empty() {
        return cut(&section.heading.replace('\n', " "));
    }
    // What the heading says already, the text need not repeat: then it is best from its beginning.
    let heading = format!("{} {}", section.also.join(" "), section.heading);
    let said = mentioned(&heading, concepts, words);
    let total: f32 = concepts.iter().map(|concept| concept.weight).sum();
    let found: Vec<HashSet<usize>> = sentences
        .iter()
        .map(|sentence| &mentioned(sentence, concepts, words) - &said)
        .collect();
    let mut best = (f32::MIN, 0..1);
    for start in 0..sentences.len() {
        let end = end_of_run(&sentences, start);
        let seen: HashSet<usize> = found
            .get(start..end)
            .into_iter()
            .flatten()
            .flatten()
            .copied()
            .collect();
        let worth: f32 = seen
            .iter()
            .filter_map(|index| concepts.get(*index))
            .map(|concept| concept.weight)
            .sum();
        let opens = found.get(start).is_some_and(|set| !set.is_empty());
        let score = worth / total.max(f32::EPSILON) + if opens { OPENS } else { 0.0 }
            - LATER * start.min(LATEST) as f32;
        if score > best.0 {
            best = (score, start..end);
        }
    }
    cut(&sentences.get(best.1).unwrap_or_default().join(" "))
}

/// The sentences of `section`; rows of tables where there are none.
fn sentences(section: &Section) -> Vec<&str> {
    let of = |kinds: &[BlockKind]| -> Vec<&str> {
        section
            .blocks
            .iter()
            .filter(|block| kinds.contains(&block.kind()))
            .flat_map(|block| block.1.unicode_sentences())
            .map(str::trim)
            .filter(|sentence| !sentence.is_empty())
            .collect()
    };
    let text = of(&[BlockKind::Paragraph, BlockKind::ListItem, BlockKind::Quote]);
    let whole: Vec<&str> = text
        .iter()
        .copied()
        .filter(|sentence| !is_label(sentence))
        .collect();
    if !whole.is_empty() {
        return whole;
    }
    if !text.is_empty() {
        return text;
    }
    of(&[BlockKind::TableRow])
}

/// Bylines, dates and file names stand alone and end without a mark.
fn is_label(sentence: &str) -> bool {
    sentence.chars().count() < 50
        && !sentence.ends_with(['.', '!', '?', ':', '…', '。', '！', '？', ')', '”'])
}

fn mentioned(sentence: &str, concepts: &[Concept], words: &Words) -> HashSet<usize> {
    let here: HashSet<String> = words
        .of(sentence)
        .into_iter()
        .map(|word| word.text)
        .collect();
    concepts
        .iter()
        .enumerate()
        .filter(|(_, concept)| concept.stems.iter().all(|stem| here.contains(stem)))
        .map(|(index, _)| index)
        .collect()
}

fn end_of_run(sentences: &[&str], start: usize) -> usize {
    let mut chars = 0;
    let mut end = start;
    for sentence in sentences.iter().skip(start) {
        chars += sentence.chars().count() + 1;
        if end > start && chars > MAX_CHARS {
            break;
        }
        end += 1;
    }
    end
}

/// At most [`MAX_CHARS`], cut after a word.
fn cut(text: &str) -> String {
    if text.chars().count() <= MAX_CHARS {
        return text.to_owned();
    }
    let head: String = text.chars().take(MAX_CHARS - 1).collect();
    let whole = head
        .rsplit_once(char::is_whitespace)
        .map_or(head.as_str(), |(words, _)| words);
    format!("{}…", whole.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        pipeline::{Block, Document},
        providers::local::sections::split,
    };

    fn section(blocks: Vec<(BlockKind, String)>) -> Section {
        let blocks = blocks
            .into_iter()
            .map(|(kind, text)| Block {
                kind,
                text,
                anchor: None,
            })
            .collect();
        split(
            &Document {
                blocks,
                ..Document::default()
            },
            "file",
        )
        .remove(0)
    }

    fn concept(stem: &str) -> Concept {
        Concept {
            raw: stem.to_owned(),
            whole: None,
            stems: vec![stem.to_owned()],
            is_faint: false,
            weight: 1.0,
        }
    }

    #[test]
    fn the_sentences_that_answer_are_shown_and_code_is_not() {
        let section = section(vec![
            (BlockKind::Paragraph, "Nothing to see. ".repeat(30)),
            (BlockKind::Code, "walrus()".to_owned()),
            (
                BlockKind::Paragraph,
                "The walrus swims. It is large.".to_owned(),
            ),
        ]);
        assert_eq!(
            snippet(&section, &[concept("walrus")], &Words::of_language("en")),
            "The walrus swims. It is large."
        );
    }

    #[test]
    fn a_long_sentence_is_cut_after_a_word() {
        let section = section(vec![(BlockKind::Paragraph, "größe ".repeat(200))]);
        let text = snippet(&section, &[], &Words::of_language("en"));
        assert!(
            text.chars().count() <= MAX_CHARS && text.ends_with("größe…"),
            "{text}"
        );
    }
}
