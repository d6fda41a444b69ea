//! The figures as a table, and where they are kept.

use super::{Asked, Held};
use std::{fmt::Write, fs, path::Path};

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- end of measured -->\n";

/// Both tables as Markdown: rows of (half, mode, figures) and of (half, figures).
pub fn table(asked: &[(&str, &str, Asked)], held: &[(&str, Held)]) -> String {
    let mut text = String::from(
        "| half | mode | recall@5 | answer contains gold | citation precision | unanswerable declined | own claims accused | confidence when right | when wrong |\n\
         |---|---|---|---|---|---|---|---|---|\n",
    );
    for (half, mode, it) in asked {
        let _ = writeln!(
            text,
            "| {half} | {mode} | {} | {} | {} | {} | {} | {:.2} | {:.2} |",
            it.recall,
            it.gold,
            it.precision,
            it.declined,
            it.accused,
            it.sure_and_right.value(),
            it.sure_and_wrong.value()
        );
    }
    text.push_str(
        "\n| half | false claims and wrong citations found | true claims accused | wrong citations mended |\n|---|---|---|---|\n",
    );
    for (half, it) in held {
        let _ = writeln!(
            text,
            "| {half} | {} | {} | {} |",
            it.found, it.accused, it.mended
        );
    }
    text
}

/// Puts `table` between the marks in `file`.
pub fn write(file: &Path, table: &str) {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parts = text
        .split_once(BEGIN)
        .and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.unwrap_or_else(|| panic!("{} has no marks", file.display()));
    fs::write(file, format!("{head}{BEGIN}\n{table}\n{END}{tail}"))
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
