//! The line of text that is being read, and the block and anchor that it becomes.

use super::Reader;
use crate::{
    pipeline::{Block, BlockKind},
    web::extract::MAX_ANCHOR,
};
use dom_query::{Element, NodeId, local_name};
use std::mem;

/// Bytes of a line that are looked at to see whether it has text.
const START: usize = 256;
/// Nodes of a heading that are searched for an id.
const INSIDE: usize = 200;

impl Reader<'_> {
    pub(super) fn text(&mut self, text: &str) {
        if self.verbatim {
            self.line.push_str(text);
            return;
        }
        for c in text.chars() {
            if c.is_whitespace() {
                if !self.line.is_empty() && !self.line.ends_with(' ') {
                    self.line.push(' ');
                }
            } else if !matches!(c, '\u{ad}' | '\u{200b}' | '\u{feff}' | '\u{2060}')
                && !c.is_control()
            {
                self.line.push(c);
                self.breaks = 0;
            }
        }
    }

    pub(super) fn line_break(&mut self) {
        if self.verbatim {
            self.line.push('\n');
            return;
        }
        self.breaks += 1;
        if self.breaks >= 2 {
            self.end_block();
            return;
        }
        self.text(" ");
    }

    /// An inline id names the block that it starts, not the rest of one. Where several ids lead to
    /// the same block, the outermost is the section's own.
    pub(super) fn inline_anchor(&mut self, anchor: Option<String>) {
        let names_itself = matches!(self.kind, BlockKind::Heading(_) | BlockKind::Term);
        let mut start = self.line.bytes().take(START);
        let starts_block = !self.flat && start.all(|byte| byte.is_ascii_whitespace());
        if starts_block && !names_itself && self.anchored_at != Some(self.blocks.len()) {
            self.set_anchor(anchor);
        }
    }

    pub(super) fn set_anchor(&mut self, anchor: Option<String>) {
        if anchor.is_some() {
            self.anchor = anchor;
            self.anchored_at = Some(self.blocks.len());
        }
    }

    pub(super) fn first_id_inside(&self, id: NodeId) -> Option<String> {
        let mut inside = self.tree.descendant_ids_of_it(&id).take(INSIDE);
        inside.find_map(|inside| {
            self.tree.query_node_or(&inside, None, |node| {
                let element = node.as_element()?;
                let is_mark = matches!(&*element.name.local, "a" | "span");
                fragment(element).filter(|_| is_mark)
            })
        })
    }

    pub(super) fn end_block(&mut self) {
        self.breaks = 0;
        if self.flat {
            self.text(" ");
            return;
        }
        if self.verbatim {
            if !self.line.is_empty() && !self.line.ends_with('\n') {
                self.line.push('\n');
            }
            return;
        }
        let line = mem::take(&mut self.line);
        let text = if self.kind == BlockKind::Code {
            line.trim_end().trim_start_matches(['\n', '\r'])
        } else {
            line.trim()
        };
        if text.is_empty() || is_label(text) {
            return;
        }
        self.blocks.push(Block {
            kind: self.kind,
            text: text.to_owned(),
            anchor: self.anchor.clone(),
        });
        // Only the first block of an item is the item; the others are paragraphs in it.
        if self.kind == BlockKind::ListItem {
            self.kind = BlockKind::Paragraph;
        }
    }
}

/// What links to an element name: its id, or the name of an old-style anchor.
pub(super) fn fragment(element: &Element) -> Option<String> {
    // Readability wraps what it found in an element of its own.
    const INVENTED: &str = "readability-";
    let is_anchor = element.name.local == local_name!("a");
    let name = element
        .attr_ref(local_name!("id"))
        .or_else(|| element.attr_ref(local_name!("name")).filter(|_| is_anchor))?;
    let has_length = (1..=MAX_ANCHOR).contains(&name.len());
    let can_be_linked = has_length && !name.contains(char::is_whitespace);
    (can_be_linked && !name.starts_with(INVENTED)).then(|| name.to_owned())
}

/// The title bar of a note, and marks that stand alone: they say nothing.
fn is_label(text: &str) -> bool {
    const LABELS: [&str; 11] = [
        "note",
        "warning",
        "tip",
        "important",
        "caution",
        "hint",
        "see also",
        "advertisement",
        "copy",
        "expand description",
        "read more",
    ];
    LABELS.iter().any(|label| label.eq_ignore_ascii_case(text))
        || !text.contains(char::is_alphanumeric) && text.chars().count() <= 2
}
