//! The lines of a passage: prose, items of lists, rows of tables, and the code that stands below.

use super::table::{Row, Table, cells};
use crate::pipeline::Document;

/// Lines of code that can stand in an answer.
const MOST_CODE_LINES: usize = 12;

/// A line of a passage that is no code.
#[derive(Debug, PartialEq)]
pub(super) struct Line<'p> {
    pub(super) text: &'p str,
    pub(super) list_item: bool,
    /// What it says when it is a row of a table.
    pub(super) row: Option<Row>,
    /// The code right below it, when it is short.
    pub(super) code: Option<String>,
}

/// The lines of `text`; the heads of tables are left out.
pub(super) fn of<'p>(text: &'p str, document: Option<&Document>) -> Vec<Line<'p>> {
    let all: Vec<&str> = text.lines().collect();
    let mut lines: Vec<Line<'p>> = Vec::new();
    let mut at = 0;
    while let Some(&line) = all.get(at) {
        let rest = all.get(at..).unwrap_or_default();
        if line.trim() == "```" {
            let inner: Vec<&str> = rest
                .iter()
                .skip(1)
                .take_while(|line| line.trim() != "```")
                .copied()
                .collect();
            at += inner.len() + 2;
            if let Some(above) = lines
                .last_mut()
                .filter(|_| (1..=MOST_CODE_LINES).contains(&inner.len()))
            {
                above.code.get_or_insert_with(|| inner.join("\n"));
            }
            continue;
        }
        if cells(line).is_some() {
            let table = Table::of(rest, document);
            let rows = (0..table.len()).filter_map(|index| table.row(index));
            lines.extend(rows.map(|row| Line {
                text: "",
                list_item: false,
                row: Some(row),
                code: None,
            }));
            at += table.len().max(1);
            continue;
        }
        at += 1;
        if line.starts_with("| ") {
            continue;
        }
        let item = line.strip_prefix("- ");
        lines.push(Line {
            text: item.unwrap_or(line),
            list_item: item.is_some(),
            row: None,
            code: None,
        });
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_belongs_to_the_line_above_it() {
        let lines = of("To stop it, call stop.\n```\nstop()\n```\nThen wait.", None);
        let [first, second] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert_eq!(first.code.as_deref(), Some("stop()"));
        assert_eq!((second.text, &second.code), ("Then wait.", &None));
    }

    #[test]
    fn long_code_is_left_out() {
        let code = "step()\n".repeat(13);
        let text = format!("Do this.\n```\n{code}```\n- An item");
        let lines = of(&text, None);
        assert!(lines.iter().all(|line| line.code.is_none()), "{lines:?}");
        assert!(lines.last().is_some_and(|line| line.list_item));
    }
}
