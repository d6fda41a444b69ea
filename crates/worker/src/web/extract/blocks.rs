//! An element's content as blocks, in reading order.

mod line;

use super::{
    element::{Role, role},
    table,
    walk::{Visitor, walk},
};
use crate::pipeline::{Block, BlockKind};
use dom_query::{NodeData, NodeId, Tree};
use line::fragment;
use std::{collections::HashSet, mem};

/// Reads `root`; what is in `wanted` is read even when it looks like decoration.
pub(super) fn read(tree: &Tree, root: NodeId, wanted: &HashSet<NodeId>) -> Vec<Block> {
    let mut reader = Reader {
        tree,
        root,
        wanted,
        blocks: Vec::new(),
        line: String::new(),
        kind: BlockKind::Paragraph,
        anchor: None,
        anchored_at: None,
        verbatim: false,
        flat: false,
        breaks: 0,
        open: Vec::new(),
    };
    walk(tree, root, &mut reader);
    reader.end_block();
    reader.blocks
}

struct Reader<'a> {
    tree: &'a Tree,
    root: NodeId,
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
    /// The elements around the node that is read, innermost last.
    open: Vec<Frame>,
}

/// What is restored or finished when an element ends.
enum Frame {
    Inline,
    Paragraph,
    Superscript {
        start: usize,
    },
    /// An element that holds blocks.
    Group {
        kind: BlockKind,
        anchor: Option<String>,
        blocks: usize,
    },
    /// A heading or a term.
    Single {
        kind: BlockKind,
        flat: bool,
    },
    Code {
        kind: BlockKind,
        verbatim: bool,
        start: usize,
    },
    /// A table row with the cells that were read.
    Row(Vec<String>),
}

impl Visitor for Reader<'_> {
    fn enter(&mut self, id: NodeId) -> bool {
        if id == self.root {
            self.open.push(Frame::Inline);
            return true;
        }
        let tree = self.tree;
        let found = tree.query_node_or(&id, None, |node| match &node.data {
            NodeData::Text { contents } => {
                self.text(contents);
                None
            }
            NodeData::Element(element) => Some((role(element), fragment(element))),
            _ => None,
        });
        let Some((role, anchor)) = found else {
            return false;
        };
        match self.begin(id, role, anchor) {
            Some(frame) => self.open.push(frame),
            None => {
                self.end_cell();
                return false;
            }
        }
        true
    }

    fn leave(&mut self, _id: NodeId) {
        if let Some(frame) = self.open.pop() {
            self.finish(frame);
            self.end_cell();
        }
    }
}

impl Reader<'_> {
    /// Begins an element; `None` when it has nothing to read inside.
    fn begin(&mut self, id: NodeId, role: Role, anchor: Option<String>) -> Option<Frame> {
        let frame = match role {
            Role::Hidden => return None,
            Role::Decoration if !self.wanted.contains(&id) => return None,
            Role::LineBreak => {
                self.line_break();
                return None;
            }
            Role::Inline => {
                self.inline_anchor(anchor);
                Frame::Inline
            }
            Role::Superscript => Frame::Superscript {
                start: self.line.len(),
            },
            Role::Heading(level) => self.single(id, BlockKind::Heading(level), anchor),
            Role::Term => self.single(id, BlockKind::Term, anchor),
            Role::Item => self.group(BlockKind::ListItem, anchor),
            Role::Quote => self.group(BlockKind::Quote, anchor),
            Role::Code => self.code(anchor),
            Role::Row if !self.flat && !table::is_layout(self.tree, id) => self.row(anchor),
            Role::Paragraph => {
                self.end_block();
                self.set_anchor(anchor);
                Frame::Paragraph
            }
            Role::Table | Role::Row | Role::Container | Role::Decoration => {
                self.group(self.kind, anchor)
            }
        };
        Some(frame)
    }

    fn group(&mut self, kind: BlockKind, anchor: Option<String>) -> Frame {
        self.end_block();
        let frame = Frame::Group {
            kind: mem::replace(&mut self.kind, kind),
            anchor: self.anchor.clone(),
            blocks: self.blocks.len(),
        };
        self.set_anchor(anchor);
        frame
    }

    /// An element that is one block. Its id counts for what follows too.
    fn single(&mut self, id: NodeId, kind: BlockKind, anchor: Option<String>) -> Frame {
        self.end_block();
        let frame = Frame::Single {
            kind: mem::replace(&mut self.kind, kind),
            flat: self.flat,
        };
        let anchor = anchor.or_else(|| self.first_id_inside(id));
        self.set_anchor(anchor);
        // A heading that was never closed holds the rest of the page, so only terms are one line.
        self.flat |= kind == BlockKind::Term;
        frame
    }

    fn code(&mut self, anchor: Option<String>) -> Frame {
        self.end_block();
        self.set_anchor(anchor);
        Frame::Code {
            kind: mem::replace(&mut self.kind, BlockKind::Code),
            verbatim: mem::replace(&mut self.verbatim, true),
            start: self.line.len(),
        }
    }

    fn row(&mut self, anchor: Option<String>) -> Frame {
        self.end_block();
        self.set_anchor(anchor);
        self.flat = true;
        Frame::Row(Vec::new())
    }

    fn finish(&mut self, frame: Frame) {
        match frame {
            Frame::Inline => {}
            Frame::Paragraph => self.end_block(),
            Frame::Superscript { start } => self.mark_power(start),
            Frame::Group {
                kind,
                anchor,
                blocks,
            } => {
                self.end_block();
                self.kind = kind;
                if !self.ends_with_title(blocks) {
                    self.anchor = anchor;
                }
            }
            Frame::Single { kind, flat } => {
                self.flat = flat;
                self.end_block();
                self.kind = kind;
            }
            Frame::Code {
                kind,
                verbatim,
                start,
            } => {
                self.verbatim = verbatim;
                if self.flat {
                    self.collapse_from(start);
                }
                self.end_block();
                self.kind = kind;
            }
            Frame::Row(cells) => self.end_row(&cells),
        }
    }

    /// An id does not reach beyond its element, unless what the element says last is a heading or
    /// a term: then it only wraps that, and what follows is still explained by it.
    fn ends_with_title(&self, blocks_before: usize) -> bool {
        self.blocks
            .get(blocks_before..)
            .and_then(<[Block]>::last)
            .is_some_and(|block| matches!(block.kind, BlockKind::Heading(_) | BlockKind::Term))
    }

    /// White space of code that stands in one line with other text.
    fn collapse_from(&mut self, start: usize) {
        let code = self.line.split_off(start.min(self.line.len()));
        for (count, word) in code.split_whitespace().enumerate() {
            if count > 0 {
                self.line.push(' ');
            }
            self.line.push_str(word);
        }
    }

    /// Each element in a row is a cell.
    fn end_cell(&mut self) {
        if let Some(Frame::Row(cells)) = self.open.last_mut() {
            cells.push(mem::take(&mut self.line).trim().to_owned());
        }
    }

    fn end_row(&mut self, cells: &[String]) {
        self.flat = false;
        self.line = table::join(cells);
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
    fn mark_power(&mut self, start: usize) {
        let is_power = self.line.get(start..).is_some_and(|added| {
            added.starts_with(|c: char| c.is_ascii_digit() || c == '-' || c == '−')
        });
        if is_power && start > 0 {
            self.line.insert(start, '^');
        }
    }
}
