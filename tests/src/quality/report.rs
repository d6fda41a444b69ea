//! The figures as tables, and the file that keeps them.

use super::{AnswerScores, ClaimScores, ModelScores};
use std::fmt::{self, Write};
use std::{fs, path::Path};

const BEGIN: &str = "<!-- measured -->\n";
const END: &str = "<!-- end of measured -->\n";

/// All figures; rows by the name of the part.
#[derive(Debug, Default)]
pub struct Figures {
    /// (part, mode, figures)
    pub answers: Vec<(&'static str, &'static str, AnswerScores)>,
    pub held: Vec<(&'static str, ClaimScores)>,
    /// (part, model, figures)
    pub with_model: Vec<(&'static str, String, ModelScores)>,
}

/// As Markdown.
impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "| part | mode | recall@5 | answer contains gold | citation precision | unanswerable declined | own claims accused | confidence when right | when wrong |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        )?;
        for (part, mode, it) in &self.answers {
            let (right, wrong) = (it.sure_and_right.value(), it.sure_and_wrong.value());
            writeln!(
                f,
                "| {part} | {mode} | {} | {} | {} | {} | {} | {right:.2} | {wrong:.2} |",
                it.recall, it.gold, it.precision, it.declined, it.accused,
            )?;
        }
        f.write_str(
            "\n| part | false claims and wrong citations found | true claims accused | wrong citations mended |\n|---|---|---|---|\n",
        )?;
        for (part, it) in &self.held {
            writeln!(
                f,
                "| {part} | {} | {} | {} |",
                it.found, it.accused, it.mended
            )?;
        }
        f.write_str(
            "\n| part | model | prompt holds the passage | answer contains gold | citation precision | unanswerable declined | right citations kept | mistakes of the model found | confidence when right | when wrong |\n\
             |---|---|---|---|---|---|---|---|---|---|\n",
        )?;
        for (part, model, it) in &self.with_model {
            let answers = &it.answers;
            let (right, wrong) = (
                answers.sure_and_right.value(),
                answers.sure_and_wrong.value(),
            );
            writeln!(
                f,
                "| {part} | {model} | {} | {} | {} | {} | {} | {} | {right:.2} | {wrong:.2} |",
                it.shown, answers.gold, answers.precision, answers.declined, it.kept, it.noticed,
            )?;
        }
        Ok(())
    }
}

/// Replaces the tables between the marks in `file`.
pub fn write(file: &Path, figures: &Figures) {
    let text =
        fs::read_to_string(file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    let parts = text
        .split_once(BEGIN)
        .and_then(|(head, rest)| Some((head, rest.split_once(END)?.1)));
    let (head, tail) = parts.unwrap_or_else(|| panic!("{} has no marks", file.display()));
    let mut text = String::new();
    let _ = write!(text, "{head}{BEGIN}\n{figures}\n{END}{tail}");
    fs::write(file, text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
}
