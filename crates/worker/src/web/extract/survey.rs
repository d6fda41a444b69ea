//! One look at the whole tree: how much text there is, and which elements could hold the content.

use super::element::{Role, role};
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
    let mut survey = Survey::default();
    survey.length = survey.measure(tree, tree.root_id(), wanted);
    survey
}

enum Node {
    Text(usize),
    LinkedData,
    Element(Role, Option<Claim>, bool),
    Other,
}

impl Survey {
    fn measure(&mut self, tree: &Tree, id: NodeId, wanted: &HashSet<NodeId>) -> usize {
        let kind = tree.query_node_or(&id, Node::Other, |node| match &node.data {
            NodeData::Text { contents } => Node::Text(contents.trim().len()),
            NodeData::Element(element) => classify(element),
            NodeData::Document | NodeData::Fragment => Node::Element(Role::Container, None, false),
            _ => Node::Other,
        });
        match kind {
            Node::Text(length) => length,
            Node::Other => 0,
            Node::LinkedData => {
                self.linked_data.push(id);
                0
            }
            Node::Element(Role::Hidden, ..) => {
                self.look_for_linked_data(tree, id);
                0
            }
            Node::Element(role, claim, is_time) => {
                if is_time {
                    self.times.push(id);
                }
                let is_decoration = role == Role::Decoration && !wanted.contains(&id);
                let (candidates, times) = (self.candidates.len(), self.times.len());
                let length = self.measure_children(tree, id, wanted);
                if is_decoration {
                    self.candidates.truncate(candidates);
                    self.times.truncate(times);
                    self.decoration.push((id, length));
                    return 0;
                }
                if let Some(claim) = claim {
                    self.candidates.push(Candidate { id, claim, length });
                }
                length
            }
        }
    }

    fn measure_children(&mut self, tree: &Tree, id: NodeId, wanted: &HashSet<NodeId>) -> usize {
        let mut length = 0;
        let mut next = tree.query_node_or(&id, None, |node| node.first_child);
        while let Some(child) = next {
            length += self.measure(tree, child, wanted);
            next = tree.query_node_or(&child, None, |node| node.next_sibling);
        }
        length
    }

    /// The head counts as hidden, and that is where most JSON-LD is.
    fn look_for_linked_data(&mut self, tree: &Tree, id: NodeId) {
        for child in tree.child_ids_of_it(&id, false) {
            let found = tree.query_node_or(&child, false, |node| {
                node.as_element().is_some_and(is_linked_data)
            });
            if found {
                self.linked_data.push(child);
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
