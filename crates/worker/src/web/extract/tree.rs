//! Builds the tree of an HTML document within bounds.
//!
//! A document chooses how deep it nests, how many elements its parser has to make (an unclosed
//! `<font>` is made again in each paragraph) and how many attributes they have. Only the tree
//! builder knows these numbers, because only it applies the parsing rules of the standard, so
//! they are counted where it asks for a node. At a bound the rest of the document is cut off;
//! what was read before stays.

use super::walk::{Visitor, walk};
use dom_query::{Document, NodeId};
use html5ever::{
    Attribute, ParseOpts, QualName, parse_document,
    tendril::{StrTendril, TendrilSink},
    tree_builder::{ElementFlags, NodeOrText, QuirksMode, TreeBuilderOpts, TreeSink},
};
use std::{
    borrow::Cow,
    cell::{Cell, Ref},
    rc::Rc,
};

/// Open elements below each other. Real pages stay below 100.
pub(super) const MAX_DEPTH: u32 = 400;
/// Elements, texts, comments and attributes of one document.
pub(super) const MAX_NODES: usize = 400_000;
/// Attributes of one element; the others are left out.
const MAX_ATTRIBUTES: usize = 100;
/// Bytes of an attribute's value; the rest is left out. Elements that are made again share
/// their attributes, and each is looked at.
const MAX_VALUE: usize = 4 * 1024;
/// Bytes that the parser gets between two looks at the bounds. What these bytes can still make
/// when a bound is reached is `CHUNK * MAX_DEPTH` nodes at the most.
const CHUNK: usize = 512;

/// Parses `html` as the HTML standard says, up to the point where it exceeds a bound.
pub(super) fn parse(html: &str) -> Document {
    let options = ParseOpts {
        tree_builder: TreeBuilderOpts {
            // Only without scripting is the content of `<noscript>` parsed as elements.
            scripting_enabled: false,
            ..TreeBuilderOpts::default()
        },
        ..ParseOpts::default()
    };
    let mut parser = parse_document(BoundedSink::default(), options);
    let mut rest = html;
    while !rest.is_empty() && !parser.tokenizer.sink.sink.is_full() {
        let (chunk, after) = rest.split_at(rest.ceil_char_boundary(CHUNK.min(rest.len())));
        parser.process(StrTendril::from_slice(chunk));
        rest = after;
    }
    let sink = &parser.tokenizer.sink.sink;
    let may_be_too_deep = sink.is_full() || sink.has_moved_nodes.get();
    let document = parser.finish();
    if may_be_too_deep {
        prune(&document);
    }
    document
}

/// Takes out what lies too deep: what the last chunk made, and what was moved. The depth of a node is
/// noted where it is put into the tree; when misnested tags make the parser move its ancestors, it
/// may end up deeper.
fn prune(document: &Document) {
    let mut pruner = Pruner::default();
    walk(&document.tree, document.tree.root_id(), &mut pruner);
    for id in pruner.too_deep {
        document.tree.remove_from_parent(&id);
    }
}

#[derive(Default)]
struct Pruner {
    depth: u32,
    too_deep: Vec<NodeId>,
}

impl Visitor for Pruner {
    fn enter(&mut self, id: NodeId) -> bool {
        if self.depth > MAX_DEPTH {
            self.too_deep.push(id);
            return false;
        }
        self.depth += 1;
        true
    }

    fn leave(&mut self, _id: NodeId) {
        self.depth -= 1;
    }
}

/// A node of the tree, with its depth, which the tree itself does not keep.
#[derive(Clone)]
struct Handle {
    id: NodeId,
    depth: Rc<Cell<u32>>,
}

impl Handle {
    fn new(id: NodeId) -> Self {
        let depth = Rc::default();
        Self { id, depth }
    }
}

/// Hands everything on to the tree of `dom_query` and counts it.
#[derive(Default)]
struct BoundedSink {
    document: Document,
    nodes: Cell<usize>,
    depth: Cell<u32>,
    /// Attributes that later `<html>` and `<body>` tags added.
    late_attributes: Cell<usize>,
    /// Whether nodes that stood in the tree were put elsewhere in it.
    has_moved_nodes: Cell<bool>,
}

impl BoundedSink {
    fn is_full(&self) -> bool {
        self.nodes.get() > MAX_NODES || self.depth.get() > MAX_DEPTH
    }

    fn count(&self, nodes: usize) {
        self.nodes.set(self.nodes.get() + nodes);
    }

    /// Notes that `child` is put below `parent`.
    fn place(&self, parent: &Handle, child: NodeOrText<Handle>) -> NodeOrText<NodeId> {
        self.place_at(parent.depth.get() + 1, child)
    }

    fn place_at(&self, depth: u32, child: NodeOrText<Handle>) -> NodeOrText<NodeId> {
        match child {
            NodeOrText::AppendNode(node) => {
                node.depth.set(depth);
                self.depth.set(self.depth.get().max(depth));
                NodeOrText::AppendNode(node.id)
            }
            NodeOrText::AppendText(text) => {
                self.count(1);
                NodeOrText::AppendText(text)
            }
        }
    }
}

impl TreeSink for BoundedSink {
    type Handle = Handle;
    type Output = Document;
    type ElemName<'a> = Ref<'a, QualName>;

    fn finish(self) -> Document {
        self.document
    }

    /// Errors are not kept: there can be one for each byte.
    fn parse_error(&self, _message: Cow<'static, str>) {}

    fn get_document(&self) -> Handle {
        Handle::new(self.document.get_document())
    }

    fn elem_name<'a>(&'a self, target: &'a Handle) -> Ref<'a, QualName> {
        self.document.elem_name(&target.id)
    }

    fn create_element(
        &self,
        name: QualName,
        mut attributes: Vec<Attribute>,
        flags: ElementFlags,
    ) -> Handle {
        bound(&mut attributes, MAX_ATTRIBUTES);
        self.count(1 + attributes.len());
        Handle::new(self.document.create_element(name, attributes, flags))
    }

    /// Comments are never read, so their text is not kept.
    fn create_comment(&self, _text: StrTendril) -> Handle {
        self.count(1);
        Handle::new(self.document.create_comment(StrTendril::new()))
    }

    fn create_pi(&self, _target: StrTendril, _data: StrTendril) -> Handle {
        self.create_comment(StrTendril::new())
    }

    fn append(&self, parent: &Handle, child: NodeOrText<Handle>) {
        let child = self.place(parent, child);
        self.document.append(&parent.id, child);
    }

    fn append_before_sibling(&self, sibling: &Handle, child: NodeOrText<Handle>) {
        let child = self.place_at(sibling.depth.get(), child);
        self.document.append_before_sibling(&sibling.id, child);
    }

    fn append_based_on_parent_node(
        &self,
        element: &Handle,
        previous: &Handle,
        child: NodeOrText<Handle>,
    ) {
        let child = self.place(previous, child);
        self.document
            .append_based_on_parent_node(&element.id, &previous.id, child);
    }

    fn append_doctype_to_document(&self, name: StrTendril, public: StrTendril, system: StrTendril) {
        self.document
            .append_doctype_to_document(name, public, system);
    }

    fn get_template_contents(&self, target: &Handle) -> Handle {
        Handle {
            id: self.document.get_template_contents(&target.id),
            depth: Rc::clone(&target.depth),
        }
    }

    fn same_node(&self, one: &Handle, other: &Handle) -> bool {
        one.id == other.id
    }

    fn set_quirks_mode(&self, mode: QuirksMode) {
        self.document.set_quirks_mode(mode);
    }

    fn add_attrs_if_missing(&self, target: &Handle, mut attributes: Vec<Attribute>) {
        let before = self.late_attributes.get();
        bound(&mut attributes, MAX_ATTRIBUTES.saturating_sub(before));
        if attributes.is_empty() {
            return;
        }
        self.late_attributes.set(before + attributes.len());
        self.document.add_attrs_if_missing(&target.id, attributes);
    }

    fn remove_from_parent(&self, target: &Handle) {
        self.has_moved_nodes.set(true);
        self.document.remove_from_parent(&target.id);
    }

    fn reparent_children(&self, node: &Handle, new_parent: &Handle) {
        self.has_moved_nodes.set(true);
        self.document.reparent_children(&node.id, &new_parent.id);
    }

    fn is_mathml_annotation_xml_integration_point(&self, target: &Handle) -> bool {
        self.document
            .is_mathml_annotation_xml_integration_point(&target.id)
    }
}

fn bound(attributes: &mut Vec<Attribute>, most: usize) {
    attributes.truncate(most);
    for attribute in attributes {
        let end = attribute.value.floor_char_boundary(MAX_VALUE);
        if let Some((kept, rest)) = attribute.value.split_at_checked(end)
            && !rest.is_empty()
        {
            attribute.value = StrTendril::from_slice(kept);
        }
    }
}

#[cfg(test)]
mod tests;
