//! The figures as text: on the terminal as they come, and as docs/BENCHMARKS.md.

use crate::figures::{Figure, Goal, Row, Verdict, digits};
use crate::micro::Piece;
use crate::place::Place;
use std::fmt::Write as _;

impl Verdict {
    fn word(self) -> &'static str {
        match self {
            Self::Met => "yes",
            Self::Missed => "**no**",
            Self::NotMeasured => "–",
        }
    }
}

/// The goals of the rows with their results.
pub(crate) fn goals(rows: &[Row]) -> String {
    let mut page = String::from("| what | goal | measured | met |\n|---|---|---|---|\n");
    for row in rows {
        for (at, goal) in row.goals.iter().enumerate() {
            let what = if at == 0 { row.what.as_str() } else { "" };
            let Goal {
                text,
                measured,
                verdict,
            } = goal;
            let _ = writeln!(
                page,
                "| {what} | {text} | {measured} | {} |",
                verdict.word()
            );
        }
    }
    page
}

/// All numbers of one row.
pub(crate) fn figures(row: &Row) -> String {
    let mut page = format!("### {}\n\n", row.what);
    if !row.figures.is_empty() {
        page.push_str("| side | median | min–max | unit | turns |\n|---|---:|---:|---|---:|\n");
    }
    for figure in &row.figures {
        let Figure {
            side,
            unit,
            samples,
        } = figure;
        if samples.is_empty() {
            let _ = writeln!(page, "| {side} | – | – | {unit} | 0 |");
            continue;
        }
        let (least, most) = (digits(figure.least()), digits(figure.most()));
        let (median, turns) = (digits(figure.median()), samples.len());
        let _ = writeln!(
            page,
            "| {side} | {median} | {least}–{most} | {unit} | {turns} |"
        );
    }
    for note in &row.notes {
        let _ = write!(page, "\n{note}\n");
    }
    page
}

fn pieces(pieces: &[Piece]) -> String {
    let mut page = String::from("| piece | time | 95 % of the mean |\n|---|---:|---:|\n");
    for piece in pieces {
        let Piece {
            name,
            mean,
            least,
            most,
        } = piece;
        let _ = writeln!(page, "| {name} | {mean:.1?} | {least:.1?}–{most:.1?} |");
    }
    page
}

/// The text of docs/BENCHMARKS.md.
pub(crate) fn whole(rows: &[Row], hot: &[Piece], place: &Place) -> String {
    let mut page = format!(
        "# Benchmarks\n\n\
         Written by `make bench`, which installs what it compares with and runs everything in turn: \
         one side after the other, round after round, nothing pinned to a core. Figures are medians of \
         the rounds, spreads are the least and the most of them; a ratio is one of medians, with the \
         least and the most of the rounds' own in brackets. Each side has the same Redis, which keeps an \
         append-only file (synced before each reply, as deployed) and does not rewrite it: emptied before each turn, it would in \
         the middle of one, on a core of its own. Measured on {}, with the commit {}.\n\n\
         {}\n## Goals\n\n{}\n## Figures\n\n",
        place.date,
        place.commit,
        place.table(),
        goals(rows),
    );
    for row in rows {
        page.push_str(&figures(row));
        page.push('\n');
    }
    page.push_str("## The hot pieces\n\n");
    if hot.is_empty() {
        page.push_str("Not measured in this run.\n");
        return page;
    }
    page.push_str("`cargo bench -p privachat-bench --bench hot`, one thread, by Criterion:\n\n");
    page.push_str(&pieces(hot));
    page
}
