//! Walking a tree in document order, without a call for each level of it.

use dom_query::{NodeId, Tree};

/// What is done at each node.
pub(super) trait Visitor {
    /// Called before the node's children; `false` skips them, and then [`Visitor::leave`] is not
    /// called for this node.
    fn enter(&mut self, id: NodeId) -> bool;
    /// Called after the node's children.
    fn leave(&mut self, id: NodeId);
}

/// Visits `root` and what is below it.
pub(super) fn walk(tree: &Tree, root: NodeId, visitor: &mut impl Visitor) {
    let mut at = root;
    loop {
        if visitor.enter(at) {
            if let Some(child) = tree.query_node_or(&at, None, |node| node.first_child) {
                at = child;
                continue;
            }
            visitor.leave(at);
        }
        loop {
            if at == root {
                return;
            }
            if let Some(sibling) = tree.query_node_or(&at, None, |node| node.next_sibling) {
                at = sibling;
                break;
            }
            let Some(parent) = tree.query_node_or(&at, None, |node| node.parent) else {
                return;
            };
            at = parent;
            visitor.leave(at);
        }
    }
}
