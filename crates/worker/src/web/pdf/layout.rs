//! Joins the lines of a page to paragraphs.

use crate::pipeline::{Block, BlockKind};

const LONGEST_TITLE: usize = 200;

/// The paragraphs of page `number`. Words that are hyphenated at a line's end are joined.
pub(super) fn blocks(text: &str, number: usize) -> Vec<Block> {
    text.split("\n\n")
        .map(joined)
        .filter(|text| text.chars().any(char::is_alphanumeric))
        .map(|text| Block {
            kind: BlockKind::Paragraph,
            text,
            anchor: Some(format!("page={number}")),
        })
        .collect()
}

/// The first paragraph, if it is short enough for a title.
pub(super) fn title(blocks: &[Block]) -> String {
    let first = blocks.first().map(|block| block.text.as_str());
    first
        .filter(|text| text.chars().count() <= LONGEST_TITLE)
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn joined(paragraph: &str) -> String {
    let mut text = String::new();
    for line in paragraph.lines().map(collapse).filter(|it| !it.is_empty()) {
        let goes_on = line.starts_with(char::is_lowercase);
        let is_split = text
            .strip_suffix(['-', '\u{ad}'])
            .is_some_and(|word| word.ends_with(char::is_alphabetic));
        if is_split && goes_on {
            text.pop();
        } else if !text.is_empty() {
            text.push(' ');
        }
        text.push_str(&line);
    }
    text
}
