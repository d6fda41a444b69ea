//! What makes a sentence a poor part of an answer.

use super::{
    question::Kind,
    words::{NEWS, OPENINGS, VERBS},
};

/// What `text` loses of its score.
pub(super) fn flaws(text: &str, kind: Kind) -> f64 {
    let words = text.split_whitespace().count();
    let lower = text.to_lowercase();
    let mut flaws = 0.0;
    if words > 45 {
        flaws += 0.12;
    }
    if words < 6 {
        flaws += 0.12;
    }
    if is_fragment(&lower) {
        flaws += 0.35;
    }
    if kind == Kind::HowTo && lower.starts_with("if ") && !lower.starts_with("if you") {
        flaws += 0.15;
    }
    let news = kind != Kind::Time && NEWS.iter().any(|part| lower.contains(part));
    if news {
        flaws += 0.3;
    }
    if lower.contains("following")
        && (lower.ends_with("following.") || lower.contains("following example"))
    {
        flaws += 0.25;
    }
    if ["note ", "note:", "warning", "tip:", "example", "see "]
        .iter()
        .any(|start| lower.starts_with(start))
    {
        flaws += 0.15;
    }
    if lower.contains("this section")
        || lower.contains("this chapter")
        || lower.contains("this document")
        || lower.contains("this page")
    {
        flaws += 0.3;
    }
    flaws
}

/// A noun with what belongs to it and no verb ("The length of the attribute list."): a label.
fn is_fragment(lower: &str) -> bool {
    let opens = OPENINGS.iter().any(|article| {
        lower
            .strip_prefix(article)
            .is_some_and(|rest| rest.starts_with(' '))
    });
    if !opens {
        return false;
    }
    let main = [
        " when ", " if ", " that ", " which ", " where ", " who ", " while ", "(",
    ]
    .iter()
    .filter_map(|start| lower.find(start))
    .min()
    .and_then(|at| lower.get(..at))
    .unwrap_or(lower);
    !main
        .split(|c: char| !c.is_alphanumeric())
        .skip(2)
        .any(|word| VERBS.contains(&word) || word.len() > 4 && word.ends_with("ed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_is_no_sentence() {
        for (text, label) in [
            ("The length of the attribute list.", true),
            ("The specification for the Python match statement.", true),
            ("The length of a list is found with len.", false),
            ("The file opened before is closed.", false),
            ("Run awaitable objects concurrently.", false),
        ] {
            assert_eq!(is_fragment(&text.to_lowercase()), label, "{text}");
        }
    }
}
