//! The claims of an answer: its sentences that state something, with the sources they cite.

use super::repair;
use crate::pipeline::{answer::citations, text::sentences};

/// Each claim and the numbers that it cites, each once.
pub(super) fn of(answer: &str, sources: usize) -> Vec<(String, Vec<usize>)> {
    let answer = repair::without_marks(&without_code(answer));
    let cleaned = citations::clean(&answer, sources);
    // A sentence that begins with emphasis is a sentence all the same.
    let attached = attach(&cleaned.replace("**", ""));
    sentences(&attached)
        .into_iter()
        .map(|sentence| {
            let (text, mut cited) = citations::strip(sentence, sources);
            let mut seen = Vec::new();
            cited.retain(|number| {
                let new = !seen.contains(number);
                seen.push(*number);
                new
            });
            (plain(&text), cited)
        })
        .filter(|(text, _)| states_something(text))
        .collect()
}

/// Code is shown, not claimed.
fn without_code(answer: &str) -> String {
    let mut code = false;
    let lines: Vec<&str> = answer
        .lines()
        .filter(|line| {
            let fence = line.trim_start().starts_with("```");
            code ^= fence;
            !code && !fence
        })
        .collect();
    lines.join("\n")
}

/// Moves citations that follow a full stop before it, so that they stay with their sentence.
fn attach(text: &str) -> String {
    let mut attached = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(['.', '!', '?', '。']) {
        let (before, after) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let stop: String = after.chars().take(1).collect();
        let after = after.strip_prefix(stop.as_str()).unwrap_or_default();
        let marks = leading_citations(after);
        attached.push_str(before);
        if !marks.is_empty() {
            attached.push(' ');
            attached.push_str(marks.trim());
        }
        attached.push_str(&stop);
        // A citation at the end of a sentence ends it, even before a name in small letters.
        if !marks.is_empty() || (before.ends_with(']') && after.starts_with(' ')) {
            attached.push('\n');
        }
        rest = after.strip_prefix(marks).unwrap_or(after);
    }
    attached.push_str(rest);
    attached
}

/// The citations, and the spaces before them, that `text` begins with.
fn leading_citations(text: &str) -> &str {
    let mut end = 0;
    let mut open = false;
    let mut digits = 0;
    for (at, c) in text.char_indices() {
        match c {
            ' ' if !open => {}
            '[' if !open => {
                open = true;
                digits = 0;
            }
            _ if open && c.is_ascii_digit() => digits += 1,
            ']' if open && digits > 0 => {
                open = false;
                end = at + 1;
            }
            _ => break,
        }
    }
    text.get(..end).unwrap_or_default()
}

fn plain(text: &str) -> String {
    text.trim()
        .trim_start_matches(['#', '-', '*', '>', ' '])
        .replace("**", "")
        .trim()
        .to_owned()
}

/// Headings, questions and openings like "Here is a list:" state nothing.
fn states_something(text: &str) -> bool {
    let words = text.split_whitespace().count();
    let spaceless = text.chars().any(|c| u32::from(c) >= 0x3040);
    let statement = !text.ends_with(['?', '？', ':']);
    statement && (words >= 3 || spaceless)
}
