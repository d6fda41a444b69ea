//! Cutting a document into the pieces that are searched for: what stands under one heading, or
//! explains one term.

use super::pointers;
use crate::{
    cleaning,
    pipeline::{Block, BlockKind, Document, text::language},
};
use serde::{Deserialize, Serialize};

/// A longer piece is cut again between blocks, so that it stays about one thing.
const MAX_SECTION_CHARS: usize = 2_500;
/// Bytes of a heading that the sections below it repeat. An unclosed one holds the rest of a page.
const MAX_REPEATED_HEADING: usize = 300;
/// Characters of a title, which the name of the file stands in for.
const MAX_TITLE_CHARS: usize = 300;
/// How much prose (in bytes) tells the language of a page that does not say it.
const DETECTED_BY_LEAST: usize = 80;
const DETECTED_BY_MOST: usize = 4_000;

/// A piece of a page, with all that is needed to show it without the page.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Section {
    /// Title of the page.
    pub(super) title: String,
    /// Language of the page: what it says, or what its text looks like.
    pub(super) language: Option<String>,
    /// Headings above, outermost first, with their levels.
    pub(super) path: Vec<(u8, String)>,
    /// Its own heading, or the terms that it explains.
    pub(super) heading: String,
    /// Terms elsewhere on the page that only point here, such as "GIL: see global interpreter lock".
    pub(super) also: Vec<String>,
    /// Whether `heading` is made of terms, which then stand in `blocks` too.
    pub(super) is_term: bool,
    /// Names that it defines, such as `asyncio.gather`.
    pub(super) names: Vec<String>,
    /// The fragment that leads to it.
    pub(super) anchor: Option<String>,
    /// Its place in the page, from 0.
    pub(super) order: usize,
    /// Characters of the whole page.
    pub(super) page_chars: usize,
    /// Its content.
    pub(super) blocks: Vec<StoredBlock>,
}

/// A block as it is kept in the index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct StoredBlock(Kind, pub(super) String, Option<String>);

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
enum Kind {
    #[serde(rename = "p")]
    Paragraph,
    #[serde(rename = "l")]
    ListItem,
    #[serde(rename = "d")]
    Term,
    #[serde(rename = "q")]
    Quote,
    #[serde(rename = "r")]
    TableRow,
    #[serde(rename = "c")]
    Code,
}

impl StoredBlock {
    fn of(block: &Block) -> Self {
        let kind = match block.kind {
            BlockKind::Heading(_) | BlockKind::Paragraph => Kind::Paragraph,
            BlockKind::ListItem => Kind::ListItem,
            BlockKind::Term => Kind::Term,
            BlockKind::Quote => Kind::Quote,
            BlockKind::TableRow => Kind::TableRow,
            BlockKind::Code => Kind::Code,
        };
        Self(kind, block.text.clone(), block.anchor.clone())
    }

    pub(super) fn kind(&self) -> BlockKind {
        match self.0 {
            Kind::Paragraph => BlockKind::Paragraph,
            Kind::ListItem => BlockKind::ListItem,
            Kind::Term => BlockKind::Term,
            Kind::Quote => BlockKind::Quote,
            Kind::TableRow => BlockKind::TableRow,
            Kind::Code => BlockKind::Code,
        }
    }

    pub(super) fn to_block(&self) -> Block {
        Block {
            kind: self.kind(),
            text: self.1.clone(),
            anchor: self.2.clone(),
        }
    }
}

impl Section {
    /// All that it says, without its terms when `heading` has them already.
    pub(super) fn body(&self) -> String {
        let parts: Vec<&str> = self
            .blocks
            .iter()
            .filter(|block| !(self.is_term && block.kind() == BlockKind::Term))
            .map(|block| block.1.as_str())
            .collect();
        parts.join("\n")
    }

    fn chars(&self) -> usize {
        self.blocks.iter().map(|block| block.1.len()).sum()
    }

    /// Whether `block` stands on the next page of a PDF file: a link to the page before would show
    /// something else.
    fn ends_before(&self, block: &Block) -> bool {
        let is_page = |anchor: &&String| anchor.starts_with("page=");
        let next = block.anchor.as_ref().filter(is_page);
        next.is_some() && next != self.anchor.as_ref()
    }

    /// Whether `block` stands after the list of terms that this section belongs to: under an
    /// anchor of its own, and not one of the numbered ones that generators sprinkle over text.
    fn leaves_term(&self, block: &Block) -> bool {
        let (true, Some(anchor)) = (self.is_term, &block.anchor) else {
            return false;
        };
        let numbered = anchor
            .trim_start_matches(char::is_alphabetic)
            .chars()
            .all(|c| c.is_ascii_digit() || c == '-' || c == '_');
        !numbered
            && !self
                .blocks
                .iter()
                .any(|own| own.kind() == BlockKind::Term && own.2.as_ref() == Some(anchor))
    }

    fn is_only_terms(&self) -> bool {
        self.is_term
            && self
                .blocks
                .iter()
                .all(|block| block.kind() == BlockKind::Term)
    }
}

/// The sections of `document`, in reading order. `name` stands in for a missing title.
pub(super) fn split(document: &Document, name: &str) -> Vec<Section> {
    let document = &cleaned(document);
    let title = cleaning::clean_line(&title(document, name), MAX_TITLE_CHARS);
    let language = document.language.clone().or_else(|| detected(document));
    let page_chars = document.blocks.iter().map(|block| block.text.len()).sum();
    let empty = |path: &[(u8, String)]| Section {
        title: title.clone(),
        language: language.clone(),
        path: path.to_vec(),
        page_chars,
        ..Section::default()
    };
    let mut sections = Vec::new();
    let mut path: Vec<(u8, String)> = Vec::new();
    let mut current = empty(&path);
    for block in &document.blocks {
        match block.kind {
            BlockKind::Heading(level) => {
                finish(&mut sections, std::mem::replace(&mut current, empty(&[])));
                path.retain(|(above, _)| *above < level);
                current = empty(&path);
                current.heading.clone_from(&block.text);
                current.anchor.clone_from(&block.anchor);
                current.names = names(&block.text, block.anchor.as_deref());
                path.push((level, short(&block.text).to_owned()));
            }
            BlockKind::Term if !block.text.ends_with(':') => {
                if !current.is_only_terms() {
                    finish(&mut sections, std::mem::replace(&mut current, empty(&path)));
                    current.is_term = true;
                    current.anchor.clone_from(&block.anchor);
                }
                if !current.heading.is_empty() {
                    current.heading.push('\n');
                }
                current.heading.push_str(&block.text);
                current
                    .names
                    .extend(names(&block.text, block.anchor.as_deref()));
                current.blocks.push(StoredBlock::of(block));
            }
            _ => {
                if current.leaves_term(block) {
                    finish(&mut sections, std::mem::replace(&mut current, empty(&[])));
                    current = back_under_heading(empty(&path), block);
                }
                let is_full = current.chars() + block.text.len() > MAX_SECTION_CHARS;
                if !current.blocks.is_empty() && (is_full || current.ends_before(block)) {
                    let mut rest = empty(&current.path);
                    rest.heading = short(&current.heading).to_owned();
                    rest.is_term = current.is_term;
                    rest.anchor = block.anchor.clone().or_else(|| current.anchor.clone());
                    finish(&mut sections, std::mem::replace(&mut current, rest));
                }
                if current.anchor.is_none() {
                    current.anchor.clone_from(&block.anchor);
                }
                current.blocks.push(StoredBlock::of(block));
            }
        }
    }
    finish(&mut sections, current);
    pointers::resolve(&mut sections);
    for (order, section) in sections.iter_mut().enumerate() {
        section.order = order;
        section.names.sort();
        section.names.dedup();
    }
    sections
}

/// `document` without what no reader sees.
fn cleaned(document: &Document) -> Document {
    let mut document = document.clone();
    document
        .blocks
        .iter_mut()
        .for_each(|block| cleaning::clean_in_place(&mut block.text));
    document
}

/// The language that the beginning of a page is in. Code says nothing about it, and a few words not
/// enough.
fn detected(document: &Document) -> Option<String> {
    let mut text = String::new();
    for block in &document.blocks {
        if matches!(block.kind, BlockKind::Paragraph | BlockKind::ListItem) {
            text.push_str(&block.text);
            text.push('\n');
        }
        if text.len() > DETECTED_BY_MOST {
            break;
        }
    }
    (text.len() >= DETECTED_BY_LEAST)
        .then(|| language(&text))
        .flatten()
}

/// The text after a list of terms belongs to the heading above the list again.
fn back_under_heading(mut section: Section, block: &Block) -> Section {
    if let Some((_, heading)) = section.path.pop() {
        section.heading = heading;
    }
    section.anchor.clone_from(&block.anchor);
    section
}

fn finish(sections: &mut Vec<Section>, section: Section) {
    if section.blocks.iter().all(|block| block.1.trim().is_empty()) {
        return;
    }
    sections.push(section);
}

/// The page's title without the name of its site, which pages put behind a separator. What is
/// left must be a heading of the page, or the last part is no site name.
fn title(document: &Document, name: &str) -> String {
    let mut headings = document
        .blocks
        .iter()
        .filter(|block| matches!(block.kind, BlockKind::Heading(_)));
    let title = document.title.trim();
    let Some(first) = headings.next() else {
        return if title.is_empty() { name } else { title }.to_owned();
    };
    if title.is_empty() {
        return first.text.clone();
    }
    let same = |text: &str| letters(text) == letters(&first.text);
    for separator in [" — ", " – ", " - ", " | ", " :: ", " · ", " » "] {
        if let Some((page, _site)) = title.rsplit_once(separator)
            && !page.trim().is_empty()
            && same(page)
        {
            return page.trim().to_owned();
        }
    }
    title.to_owned()
}

fn short(heading: &str) -> &str {
    let end = heading.floor_char_boundary(MAX_REPEATED_HEADING);
    heading.get(..end).unwrap_or(heading)
}

fn letters(text: &str) -> String {
    text.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn is_edge(c: char) -> bool {
    !c.is_alphanumeric() && c != '+' && c != '#'
}

/// The names that a heading or a signature defines: `asyncio.gather` and `gather` of
/// "awaitable asyncio.gather(*aws)" under the anchor `asyncio.gather`.
fn names(text: &str, anchor: Option<&str>) -> Vec<String> {
    let lower = short(text).to_lowercase();
    // "pathlib — object-oriented paths" defines pathlib.
    let lower = lower.split(" — ").next().unwrap_or_default();
    let before_call = lower.split('(').next().unwrap_or_default();
    let mut words = before_call.split_whitespace();
    let spoken = match (lower.contains('('), words.next_back(), words.next()) {
        (true, Some(last), _) | (false, Some(last), None) => Some(last),
        _ => None,
    };
    let anchor = anchor
        .map(|anchor| anchor.to_lowercase().replace("::", "."))
        .filter(|anchor| {
            let last = anchor.rsplit('.').next().unwrap_or_default();
            !last.is_empty() && before_call.contains(last) && anchor.contains('.')
        });
    let mut names = Vec::new();
    for name in spoken.map(str::to_owned).into_iter().chain(anchor) {
        let name = name.replace("::", ".");
        let name = name.trim_matches(is_edge);
        if name.is_empty() {
            continue;
        }
        for (dot, _) in name.match_indices('.') {
            let end = name.get(dot..).unwrap_or_default();
            names.push(end.trim_matches(is_edge).to_owned());
        }
        names.push(name.to_owned());
    }
    names
}

#[cfg(test)]
mod tests;
