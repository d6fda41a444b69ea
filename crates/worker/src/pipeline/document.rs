//! Readable content, wherever it came from: a web page, a local file, an encyclopedia.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The main content of a page or file, in reading order, without navigation and decoration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Its title; empty when it has none.
    pub title: String,
    /// Its content.
    pub blocks: Vec<Block>,
    /// When it was published, if it says so.
    pub published: Option<DateTime<Utc>>,
    /// Two-letter language code, if it says so.
    pub language: Option<String>,
}

/// A run of text of one kind. Text is plain, its white space collapsed (not in code).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    /// What kind of text it is.
    pub kind: BlockKind,
    /// The text.
    pub text: String,
    /// The fragment that leads to it (the nearest id at or above it), without `#`.
    pub anchor: Option<String>,
}

/// What a block is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// A heading of level 1–6.
    Heading(u8),
    /// Running text.
    Paragraph,
    /// One item of a list.
    ListItem,
    /// A term or signature that the text after it explains (`<dt>`), such as an API entry.
    Term,
    /// A quotation.
    Quote,
    /// One row of a table, cells joined with " | ".
    TableRow,
    /// Source code or terminal output, line breaks kept.
    Code,
}

impl Document {
    /// All text, blocks separated by blank lines.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self
            .blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect();
        parts.join("\n\n")
    }

    /// Number of characters in all blocks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.text.chars().count())
            .sum()
    }

    /// Whether there is no text at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| block.text.trim().is_empty())
    }
}
