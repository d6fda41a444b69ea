//! The readable content of a web page, a local file or an encyclopedia article.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// The main content of a page or file, in reading order, without navigation and decoration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Empty if there is none.
    pub title: String,
    pub blocks: Vec<Block>,
    /// When it was published, if it says so.
    pub published: Option<DateTime<Utc>>,
    /// Two-letter code of the language that it declares.
    pub language: Option<String>,
}

/// A run of text of one kind.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Block {
    pub kind: BlockKind,
    /// Plain text, its white space collapsed except in code.
    pub text: String,
    /// The URL fragment of the nearest id at or above it, without `#`.
    pub anchor: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum BlockKind {
    /// With its level, 1–6.
    Heading(u8),
    Paragraph,
    ListItem,
    /// A term or signature that the text after it explains (`<dt>`), such as an API entry.
    Term,
    Quote,
    /// One row; cells are joined with " | ".
    TableRow,
    /// Source code or terminal output with its line breaks.
    Code,
}

impl Document {
    /// The text of all blocks, separated by blank lines.
    #[must_use]
    pub fn text(&self) -> String {
        let parts: Vec<&str> = self
            .blocks
            .iter()
            .map(|block| block.text.as_str())
            .collect();
        parts.join("\n\n")
    }

    /// Characters in all blocks.
    #[must_use]
    pub fn len(&self) -> usize {
        self.blocks
            .iter()
            .map(|block| block.text.chars().count())
            .sum()
    }

    /// Whether all blocks are blank.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.blocks.iter().all(|block| block.text.trim().is_empty())
    }
}
