//! Tables that hold data, and tables that hold a layout.

use dom_query::{NodeId, Tree};

/// A cell longer than this is text, not data; in bytes.
const MAX_CELL: usize = 600;

/// Whether the cells of a row hold blocks of text rather than values.
pub(super) fn is_layout(tree: &Tree, row: NodeId) -> bool {
    let mut paragraphs = 0;
    let mut length = 0;
    for id in tree.descendant_ids_of_it(&row) {
        let is_block = tree.query_node_or(&id, false, |node| {
            let Some(element) = node.as_element() else {
                if let dom_query::NodeData::Text { contents } = &node.data {
                    length += contents.trim().len();
                }
                return false;
            };
            match &*element.name.local {
                "td" | "th" => {
                    paragraphs = 0;
                    length = 0;
                    false
                }
                "p" => {
                    paragraphs += 1;
                    false
                }
                name => matches!(
                    name,
                    "table"
                        | "pre"
                        | "blockquote"
                        | "dl"
                        | "article"
                        | "section"
                        | "h1"
                        | "h2"
                        | "h3"
                        | "h4"
                ),
            }
        });
        if is_block || paragraphs > 1 || length > MAX_CELL {
            return true;
        }
    }
    false
}

/// The cells as one line, without empty ones at the end.
pub(super) fn join(cells: &[String]) -> String {
    let used = cells
        .iter()
        .rposition(|cell| !cell.is_empty())
        .map_or(0, |last| last + 1);
    cells.get(..used).unwrap_or_default().join(" | ")
}
