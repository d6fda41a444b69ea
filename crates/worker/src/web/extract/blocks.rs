//! An element's content as blocks, in reading order.

use super::{
    element::{Role, role},
    table,
};
use crate::pipeline::{Block, BlockKind};
use dom_query::{Element, NodeData, NodeId, Tree, local_name};
use std::{collections::HashSet, mem};

/// Reads `root`; what is in `wanted` is read even when it looks like decoration.
pub(super) fn read(tree: &Tree, root: NodeId, wanted: &HashSet<NodeId>) -> Vec<Block> {
    let mut reader = Reader {
        tree,
        wanted,
        blocks: Vec::new(),
        line: String::new(),
        kind: BlockKind::Paragraph,
        anchor: None,
        anchored_at: None,
        verbatim: false,
        flat: false,
        breaks: 0,
    };
    reader.children(root);
    reader.end_block();
    reader.blocks
}

struct Reader<'a> {
    tree: &'a Tree,
    wanted: &'a HashSet<NodeId>,
    blocks: Vec<Block>,
    /// The text of the block being read.
    line: String,
    kind: BlockKind,
    anchor: Option<String>,
    /// How many blocks there were when the anchor was set.
    anchored_at: Option<usize>,
    /// Inside `<pre>`.
    verbatim: bool,
    /// Inside a table row or a term: block borders are only spaces there.
    flat: bool,
    /// Line breaks since the last text.
    breaks: u8,
}

impl Reader<'_> {
    fn children(&mut self, id: NodeId) {
        let mut next = self.tree.query_node_or(&id, None, |node| node.first_child);
        while let Some(child) = next {
            self.visit(child);
            next = self
                .tree
                .query_node_or(&child, None, |node| node.next_sibling);
        }
    }

    fn visit(&mut self, id: NodeId) {
        let tree = self.tree;
        let found = tree.query_node_or(&id, None, |node| match &node.data {
            NodeData::Text { contents } => {
                self.text(contents);
                None
            }
            NodeData::Element(element) => {
                let anchor = fragment(element);
                Some((role(element), anchor))
            }
            _ => None,
        });
        if let Some((role, anchor)) = found {
            self.element(id, role, anchor);
        }
    }

    fn element(&mut self, id: NodeId, role: Role, anchor: Option<String>) {
        match role {
            Role::Hidden => {}
            Role::Decoration if !self.wanted.contains(&id) => {}
            Role::LineBreak => self.line_break(),
            Role::Inline => {
                self.inline_anchor(anchor);
                self.children(id);
            }
            Role::Superscript => self.superscript(id),
            Role::Heading(level) => self.single(id, BlockKind::Heading(level), anchor),
            Role::Term => self.single(id, BlockKind::Term, anchor),
            Role::Item => self.group(id, BlockKind::ListItem, anchor),
            Role::Quote => self.group(id, BlockKind::Quote, anchor),
            Role::Code => self.code(id, anchor),
            Role::Table => self.group(id, self.kind, anchor),
            Role::Row => self.row(id, anchor),
            Role::Paragraph => {
                self.end_block();
                self.set_anchor(anchor);
                self.children(id);
                self.end_block();
            }
            Role::Container | Role::Decoration => self.group(id, self.kind, anchor),
        }
    }

    /// An element that holds blocks. Its id does not reach beyond it, unless what it says last is a
    /// heading or a term: then it only wraps that, and what follows is still explained by it.
    fn group(&mut self, id: NodeId, kind: BlockKind, anchor: Option<String>) {
        self.end_block();
        let outer_kind = mem::replace(&mut self.kind, kind);
        let outer_anchor = self.anchor.clone();
        let before = self.blocks.len();
        self.set_anchor(anchor);
        self.children(id);
        self.end_block();
        self.kind = outer_kind;
        let ends_with_title = self
            .blocks
            .get(before..)
            .and_then(<[Block]>::last)
            .is_some_and(|block| matches!(block.kind, BlockKind::Heading(_) | BlockKind::Term));
        if !ends_with_title {
            self.anchor = outer_anchor;
        }
    }

    /// An element that is one block: a heading or a term. Its id counts for what follows too.
    fn single(&mut self, id: NodeId, kind: BlockKind, anchor: Option<String>) {
        self.end_block();
        let outer_kind = mem::replace(&mut self.kind, kind);
        let anchor = anchor.or_else(|| self.first_id_inside(id));
        self.set_anchor(anchor);
        // A heading that was never closed holds the rest of the page, so only terms are one line.
        let outer_flat = self.flat;
        self.flat |= kind == BlockKind::Term;
        self.children(id);
        self.flat = outer_flat;
        self.end_block();
        self.kind = outer_kind;
    }

    fn code(&mut self, id: NodeId, anchor: Option<String>) {
        self.end_block();
        let outer_kind = mem::replace(&mut self.kind, BlockKind::Code);
        self.set_anchor(anchor);
        let outer_verbatim = mem::replace(&mut self.verbatim, true);
        self.children(id);
        self.verbatim = outer_verbatim;
        if self.flat {
            self.line = self.line.split_whitespace().collect::<Vec<_>>().join(" ");
        }
        self.end_block();
        self.kind = outer_kind;
    }

    fn row(&mut self, id: NodeId, anchor: Option<String>) {
        if self.flat || table::is_layout(self.tree, id) {
            self.group(id, self.kind, anchor);
            return;
        }
        self.end_block();
        self.set_anchor(anchor);
        self.flat = true;
        let mut cells = Vec::new();
        let mut next = self.tree.query_node_or(&id, None, |node| node.first_child);
        while let Some(cell) = next {
            self.visit(cell);
            if self
                .tree
                .query_node_or(&cell, false, |node| node.is_element())
            {
                cells.push(mem::take(&mut self.line).trim().to_owned());
            }
            next = self
                .tree
                .query_node_or(&cell, None, |node| node.next_sibling);
        }
        self.flat = false;
        self.line = table::join(&cells);
        let kind = if cells.len() > 1 {
            BlockKind::TableRow
        } else {
            self.kind
        };
        let outer_kind = mem::replace(&mut self.kind, kind);
        self.end_block();
        self.kind = outer_kind;
    }

    /// `10<sup>23</sup>` must not become 1023.
    fn superscript(&mut self, id: NodeId) {
        let start = self.line.len();
        self.children(id);
        let is_power = self.line.get(start..).is_some_and(|added| {
            added.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '−')
        });
        if is_power && start > 0 {
            self.line.insert(start, '^');
        }
    }

    fn text(&mut self, text: &str) {
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

    fn line_break(&mut self) {
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
    fn inline_anchor(&mut self, anchor: Option<String>) {
        let names_itself = matches!(self.kind, BlockKind::Heading(_) | BlockKind::Term);
        let starts_block = self.line.trim().is_empty() && !self.flat;
        if starts_block && !names_itself && self.anchored_at != Some(self.blocks.len()) {
            self.set_anchor(anchor);
        }
    }

    fn set_anchor(&mut self, anchor: Option<String>) {
        if anchor.is_some() {
            self.anchor = anchor;
            self.anchored_at = Some(self.blocks.len());
        }
    }

    fn first_id_inside(&self, id: NodeId) -> Option<String> {
        self.tree.descendant_ids_of_it(&id).find_map(|inside| {
            self.tree.query_node_or(&inside, None, |node| {
                let element = node.as_element()?;
                let is_mark = matches!(&*element.name.local, "a" | "span");
                fragment(element).filter(|_| is_mark)
            })
        })
    }

    fn end_block(&mut self) {
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
fn fragment(element: &Element) -> Option<String> {
    // Readability wraps what it found in an element of its own.
    const INVENTED: &str = "readability-";
    let is_anchor = element.name.local == local_name!("a");
    let name = element
        .attr_ref(local_name!("id"))
        .or_else(|| element.attr_ref(local_name!("name")).filter(|_| is_anchor))?;
    let can_be_linked = !name.is_empty() && !name.contains(char::is_whitespace);
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
