//! Markdown files, as GitHub renders them.

use super::{MAX_ANCHOR, marks::bounded};
use crate::pipeline::{Block, BlockKind, Document};
use pulldown_cmark::{Event, HeadingLevel, Options, Parser, Tag, TagEnd};
use std::{collections::HashMap, mem};

/// Reads Markdown. Headings get the anchors that GitHub gives them; the title is the first heading
/// of level 1, or else the first one.
#[must_use]
pub fn markdown(text: &str) -> Document {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_DEFINITION_LIST
        | Options::ENABLE_YAML_STYLE_METADATA_BLOCKS;
    let mut reader = Reader::default();
    for event in Parser::new_ext(bounded(text), options) {
        reader.event(event);
    }
    reader.end_block();
    let heading = |level: fn(u8) -> bool| {
        reader
            .blocks
            .iter()
            .find(|block| matches!(block.kind, BlockKind::Heading(n) if level(n)))
            .map(|block| block.text.clone())
    };
    let title = heading(|level| level == 1).or_else(|| heading(|_| true));
    Document {
        title: title.unwrap_or_default(),
        blocks: reader.blocks,
        ..Document::default()
    }
}

#[derive(Default)]
struct Reader {
    blocks: Vec<Block>,
    line: String,
    /// The kinds of the open blocks, innermost last.
    open: Vec<BlockKind>,
    anchor: Option<String>,
    stated_anchor: Option<String>,
    /// How often each anchor was given.
    given: HashMap<String, usize>,
    cells: Option<Vec<String>>,
    html: Option<String>,
    in_metadata: bool,
}

impl Reader {
    fn event(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Html(html) => {
                if let Some(block) = &mut self.html {
                    block.push_str(&html);
                }
            }
            Event::Text(text)
            | Event::Code(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text) => {
                if !self.in_metadata {
                    self.line.push_str(&text);
                }
            }
            Event::SoftBreak | Event::HardBreak => self.line.push(' '),
            Event::Rule => self.end_block(),
            Event::InlineHtml(tag) => {
                if tag.starts_with("<br") {
                    self.line.push(' ');
                }
            }
            Event::FootnoteReference(_) | Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Heading { level, id, .. } => {
                self.stated_anchor = id.map(|id| id.to_string());
                self.open(BlockKind::Heading(level_number(level)));
            }
            Tag::Paragraph => self.end_block(),
            Tag::Item => self.open(BlockKind::ListItem),
            Tag::BlockQuote(_) => self.open(BlockKind::Quote),
            Tag::CodeBlock(_) => self.open(BlockKind::Code),
            Tag::DefinitionListTitle => self.open(BlockKind::Term),
            Tag::DefinitionListDefinition => self.open(BlockKind::Paragraph),
            Tag::List(_) | Tag::Table(_) => self.end_block(),
            Tag::TableHead | Tag::TableRow => {
                self.end_block();
                self.cells = Some(Vec::new());
            }
            Tag::HtmlBlock => {
                self.end_block();
                self.html = Some(String::new());
            }
            Tag::MetadataBlock(_) => self.in_metadata = true,
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_)
            | TagEnd::Item
            | TagEnd::BlockQuote(_)
            | TagEnd::CodeBlock
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => {
                self.end_block();
                self.open.pop();
            }
            TagEnd::Paragraph => self.end_block(),
            TagEnd::TableCell => {
                let cell = collapse(&mem::take(&mut self.line));
                self.cells.get_or_insert_default().push(cell);
            }
            TagEnd::TableHead | TagEnd::TableRow => {
                let row = super::table::join(&self.cells.take().unwrap_or_default());
                self.push(BlockKind::TableRow, row);
            }
            TagEnd::HtmlBlock => {
                let html = self.html.take().unwrap_or_default();
                for block in super::html(&html, None).blocks {
                    self.push(block.kind, block.text);
                }
            }
            TagEnd::MetadataBlock(_) => self.in_metadata = false,
            _ => {}
        }
    }

    fn open(&mut self, kind: BlockKind) {
        self.end_block();
        self.open.push(kind);
    }

    fn end_block(&mut self) {
        let line = mem::take(&mut self.line);
        let kind = self.open.last().copied().unwrap_or(BlockKind::Paragraph);
        let text = if kind == BlockKind::Code {
            line.trim_end().to_owned()
        } else {
            collapse(&line)
        };
        if matches!(kind, BlockKind::Heading(_)) && !text.is_empty() {
            let anchor = self
                .stated_anchor
                .take()
                .unwrap_or_else(|| self.anchor_for(&text));
            // A link to an id that is cut would lead nowhere.
            self.anchor = Some(anchor).filter(|anchor| anchor.len() <= MAX_ANCHOR);
        }
        self.push(kind, text);
    }

    fn push(&mut self, kind: BlockKind, text: String) {
        if text.is_empty() {
            return;
        }
        // Only the first block of an item is the item; the others are paragraphs in it.
        if let Some(open) = self
            .open
            .last_mut()
            .filter(|open| **open == BlockKind::ListItem)
        {
            *open = BlockKind::Paragraph;
        }
        self.blocks.push(Block {
            kind,
            text,
            anchor: self.anchor.clone(),
        });
    }

    /// Lower case, punctuation dropped, spaces as hyphens, a number when it was given before.
    fn anchor_for(&mut self, heading: &str) -> String {
        let slug: String = heading
            .to_lowercase()
            .chars()
            .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect();
        let before = self.given.entry(slug.clone()).or_insert(0);
        *before += 1;
        match *before - 1 {
            0 => slug,
            n => format!("{slug}-{n}"),
        }
    }
}

fn level_number(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn collapse(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
