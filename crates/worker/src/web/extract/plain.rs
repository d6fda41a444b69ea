//! Plain text files.

use crate::pipeline::{Block, BlockKind, Document};

/// Reads plain text: paragraphs are separated by blank lines. The first line is the title when it
/// stands alone and is short.
#[must_use]
pub fn plain_text(text: &str) -> Document {
    let mut blocks = Vec::new();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines().chain(std::iter::once("")) {
        if !line.trim().is_empty() {
            lines.push(line);
            continue;
        }
        if let Some(block) = paragraph(&lines) {
            blocks.push(block);
        }
        lines.clear();
    }
    let title = blocks
        .first()
        .filter(|block| block.text.chars().count() <= 100 && blocks.len() > 1)
        .map(|block| block.text.clone())
        .unwrap_or_default();
    Document {
        title,
        blocks,
        ..Document::default()
    }
}

fn paragraph(lines: &[&str]) -> Option<Block> {
    let words: Vec<&str> = lines
        .iter()
        .flat_map(|line| line.split_whitespace())
        .collect();
    (!words.is_empty()).then(|| Block {
        kind: BlockKind::Paragraph,
        text: words.join(" "),
        anchor: None,
    })
}
