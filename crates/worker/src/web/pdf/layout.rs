//! Joins the lines of a page to paragraphs.

use crate::pipeline::{Block, BlockKind};

const MAX_TITLE_CHARS: usize = 200;

/// The paragraphs of page `number`. Words that are hyphenated at a line's end are joined.
pub(super) fn blocks(text: &str, number: usize) -> Vec<Block> {
    text.split("\n\n")
        .map(join_lines)
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
        .filter(|text| text.chars().count() <= MAX_TITLE_CHARS)
        .unwrap_or_default()
        .to_owned()
}

pub(super) fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn join_lines(paragraph: &str) -> String {
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
