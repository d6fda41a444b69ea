//! Rows of tables as sentences: "Osk – Length: 217 km; Mouth: Wend."

use crate::pipeline::{BlockKind, Document};

/// Cells of a row that are written down.
const CELLS: usize = 8;

/// A row that can stand in an answer.
#[derive(Debug, PartialEq)]
pub(super) struct Row {
    /// What its first cell says: what the row is about.
    pub(super) name: String,
    pub(super) text: String,
    /// The heads of its columns, also that of the first, which the text does not repeat.
    pub(super) heads: String,
}

/// A table that is read row by row.
#[derive(Debug, Default)]
pub(super) struct Table<'t> {
    rows: Vec<Vec<&'t str>>,
    headed: bool,
}

impl<'t> Table<'t> {
    /// The rows that `lines` begin with. A table that was cut in two has its heads in the first
    /// part only, as `document` tells.
    pub(super) fn of(lines: &[&'t str], document: Option<&Document>) -> Self {
        let rows: Vec<Vec<&str>> = lines.iter().map_while(|line| cells(line)).collect();
        let whole = lines.first().is_none_or(|line| opens(line, document));
        let headed = whole && has_heads(&rows);
        Self { rows, headed }
    }

    pub(super) fn len(&self) -> usize {
        self.rows.len()
    }

    /// The row at `index` as a sentence; heads are none.
    pub(super) fn row(&self, index: usize) -> Option<Row> {
        let (name, values) = self.rows.get(index)?.split_first()?;
        if name.is_empty() || (self.headed && index == 0) {
            return None;
        }
        let heads = self.rows.first().filter(|_| self.headed);
        let single = values.len() == 1;
        let said: Vec<String> = values
            .iter()
            .enumerate()
            .take(CELLS)
            .filter(|(_, value)| value.chars().any(char::is_alphanumeric))
            .map(
                |(at, value)| match heads.and_then(|heads| heads.get(at + 1)) {
                    Some(head) if !single && !head.is_empty() => format!("{head}: {value}"),
                    _ => (*value).to_owned(),
                },
            )
            .collect();
        if said.is_empty() {
            return None;
        }
        let joint = if heads.is_some() && !single {
            " –"
        } else {
            ":"
        };
        Some(Row {
            name: (*name).to_owned(),
            text: format!("{name}{joint} {}.", said.join("; ").trim_end_matches('.')),
            heads: heads.map(|heads| heads.join(" ")).unwrap_or_default(),
        })
    }
}

/// The cells of a line that is a row.
pub(super) fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.strip_prefix("| ")?.strip_suffix('|')?;
    let cells: Vec<&str> = inner.split('|').map(str::trim).collect();
    (cells.len() > 1).then_some(cells)
}

/// Whether a row is the first of its table.
fn opens(line: &str, document: Option<&Document>) -> bool {
    let Some(document) = document else {
        return true;
    };
    let squeezed = |text: &str| -> String { text.split_whitespace().collect() };
    let row = squeezed(line.trim_matches(['|', ' ']));
    let mut before = BlockKind::Paragraph;
    for block in &document.blocks {
        let first = block.kind == BlockKind::TableRow && before != BlockKind::TableRow;
        if first && squeezed(block.text.trim_matches(['|', ' '])) == row {
            return true;
        }
        before = block.kind;
    }
    false
}

/// Whether the first row names the columns: as long as the others, in words, and in a table of two
/// columns only where the others have figures that it has not.
fn has_heads(rows: &[Vec<&str>]) -> bool {
    let Some((first, others)) = rows.split_first().filter(|(_, others)| !others.is_empty()) else {
        return false;
    };
    let figures = |cell: &str| cell.chars().any(|c| c.is_ascii_digit());
    let in_words = first.iter().skip(1).all(|cell| !figures(cell));
    let even = others.iter().all(|row| row.len() == first.len());
    if first.len() > 2 {
        return in_words && even;
    }
    let valued = others
        .iter()
        .filter(|row| row.get(1).is_some_and(|cell| figures(cell)))
        .count();
    in_words && even && 2 * valued > others.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str]) -> Vec<Option<String>> {
        let table = Table::of(lines, None);
        (0..table.len())
            .map(|at| table.row(at).map(|row| row.text))
            .collect()
    }

    #[test]
    fn a_row_says_what_its_cells_are() {
        let table = ["| River | Length | Mouth |", "| Osk | 217 km | Wend |"];
        assert_eq!(
            rows(&table),
            [None, Some("Osk – Length: 217 km; Mouth: Wend.".to_owned())]
        );
        let pairs = ["| Limit | Value |", "| Message size | 256 KB |"];
        assert_eq!(
            rows(&pairs),
            [None, Some("Message size: 256 KB.".to_owned())]
        );
    }

    #[test]
    fn a_table_of_names_and_values_has_no_heads() {
        let facts = ["| Capital | Arvel |", "| Currency | Tarn |"];
        assert_eq!(
            rows(&facts),
            [
                Some("Capital: Arvel.".to_owned()),
                Some("Currency: Tarn.".to_owned())
            ]
        );
    }

    #[test]
    fn empty_cells_say_nothing() {
        let table = ["| Name | Size | Note |", "| A | 3 | |", "| B | - | – |"];
        assert_eq!(rows(&table), [None, Some("A – Size: 3.".to_owned()), None]);
        assert_eq!(cells("no row"), None);
    }
}
