//! One look at the whole tree: how much text there is, and which elements could hold the content.

use super::{
    element::{Role, role},
    walk::{Visitor, walk},
};
use dom_query::{Element, LocalName, NodeData, NodeId, Tree, local_name};
use std::collections::HashSet;

/// What a candidate for the content is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Claim {
    /// `<main>` or `role="main"`.
    Main,
    /// `<article>`.
    Article,
    /// A class or id that publishing systems use for the content.
    Named,
}

/// An element and the length of the readable text in it, in bytes without outer white space.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) id: NodeId,
    pub(super) claim: Claim,
    pub(super) length: usize,
}

#[derive(Debug, Default)]
pub(super) struct Survey {
    /// Readable text of the page.
    pub(super) length: usize,
    pub(super) candidates: Vec<Candidate>,
    /// Elements that look like decoration, with their text.
    pub(super) decoration: Vec<(NodeId, usize)>,
    /// Scripts with JSON-LD.
    pub(super) linked_data: Vec<NodeId>,
    /// `<time>` elements of the readable part.
    pub(super) times: Vec<NodeId>,
}

/// Surveys the tree; what is in `wanted` counts even when it looks like decoration.
pub(super) fn survey(tree: &Tree, wanted: &HashSet<NodeId>) -> Survey {
    let mut surveyor = Surveyor {
        tree,
        wanted,
        found: Survey::default(),
        open: Vec::new(),
    };
    walk(tree, tree.root_id(), &mut surveyor);
    surveyor.found
}

enum Node {
    Text(usize),
    LinkedData,
    Element(Role, Option<Claim>, bool),
    Other,
}

struct Surveyor<'a> {
    tree: &'a Tree,
    wanted: &'a HashSet<NodeId>,
    found: Survey,
    /// The elements around the node that is looked at, innermost last.
    open: Vec<Open>,
}

/// An element whose children are being looked at.
struct Open {
    claim: Option<Claim>,
    is_decoration: bool,
    /// Length of the readable text so far.
    length: usize,
    /// How many candidates and times were found before it.
    candidates: usize,
    times: usize,
}

impl Visitor for Surveyor<'_> {
    fn enter(&mut self, id: NodeId) -> bool {
        let kind = self
            .tree
            .query_node_or(&id, Node::Other, |node| match &node.data {
                NodeData::Text { contents } => Node::Text(contents.trim().len()),
                NodeData::Element(element) => classify(element),
                NodeData::Document | NodeData::Fragment => {
                    Node::Element(Role::Container, None, false)
                }
                _ => Node::Other,
            });
        match kind {
            Node::Text(length) => self.add(length),
            Node::Other => {}
            Node::LinkedData => self.found.linked_data.push(id),
            Node::Element(Role::Hidden, ..) => self.look_for_linked_data(id),
            Node::Element(role, claim, is_time) => {
                if is_time {
                    self.found.times.push(id);
                }
                self.open.push(Open {
                    claim,
                    is_decoration: role == Role::Decoration && !self.wanted.contains(&id),
                    length: 0,
                    candidates: self.found.candidates.len(),
                    times: self.found.times.len(),
                });
                return true;
            }
        }
        false
    }

    fn leave(&mut self, id: NodeId) {
        let Some(open) = self.open.pop() else { return };
        let length = open.length;
        if open.is_decoration {
            self.found.candidates.truncate(open.candidates);
            self.found.times.truncate(open.times);
            self.found.decoration.push((id, length));
            return;
        }
        if let Some(claim) = open.claim {
            self.found.candidates.push(Candidate { id, claim, length });
        }
        self.add(length);
    }
}

impl Surveyor<'_> {
    fn add(&mut self, length: usize) {
        match self.open.last_mut() {
            Some(open) => open.length += length,
            None => self.found.length += length,
        }
    }

    /// The head counts as hidden, and that is where most JSON-LD is.
    fn look_for_linked_data(&mut self, id: NodeId) {
        for child in self.tree.child_ids_of_it(&id, false) {
            let found = self.tree.query_node_or(&child, false, |node| {
                node.as_element().is_some_and(is_linked_data)
            });
            if found {
                self.found.linked_data.push(child);
            }
        }
    }
}

fn classify(element: &Element) -> Node {
    if is_linked_data(element) {
        return Node::LinkedData;
    }
    let role = role(element);
    let is_time = element.name.local == local_name!("time");
    Node::Element(role, claim(element, role), is_time)
}

fn is_linked_data(element: &Element) -> bool {
    element.name.local == local_name!("script")
        && element.attr_ref(local_name!("type")) == Some("application/ld+json")
}

fn claim(element: &Element, role: Role) -> Option<Claim> {
    if role != Role::Container {
        return None;
    }
    let name: &LocalName = &element.name.local;
    if *name == local_name!("main") || element.attr_ref(local_name!("role")) == Some("main") {
        return Some(Claim::Main);
    }
    if *name == local_name!("article") {
        return Some(Claim::Article);
    }
    let class = element.attr_ref(local_name!("class")).unwrap_or_default();
    let id = element.attr_ref(local_name!("id")).unwrap_or_default();
    let named = class.split_ascii_whitespace().chain([id]).any(|token| {
        matches!(
            token,
            "content"
                | "main-content"
                | "mainContent"
                | "bodyContent"
                | "mw-content-text"
                | "mw-parser-output"
                | "markdown-body"
                | "markdown"
                | "entry-content"
                | "post-content"
                | "article-body"
                | "articleBody"
                | "article-content"
                | "story-body"
                | "document"
                | "main"
                | "docs-content"
                | "rst-content"
        )
    });
    named.then_some(Claim::Named)
}
