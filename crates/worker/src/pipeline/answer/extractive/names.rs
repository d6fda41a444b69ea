//! Names of persons and organisations, by their capitals.

use std::collections::HashSet;

/// Whether `text` names someone whom `question` does not. In languages that write every noun with a
/// capital this says little, and nothing is refused for it.
pub(super) fn names_someone(text: &str, question: &str) -> bool {
    let asked: HashSet<String> = words(question).map(str::to_lowercase).collect();
    let words: Vec<&str> = words(text).collect();
    words.iter().enumerate().any(|(at, word)| {
        // The first word of a sentence has its capital anyway.
        let placed = at > 0 || words.get(1).is_some_and(|next| is_name(next));
        placed && is_name(word) && !asked.contains(&word.to_lowercase())
    })
}

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c: char| !(c.is_alphanumeric() || matches!(c, '_' | '.' | '-' | '\'' | '’')))
        .map(|word| word.trim_matches(['.', '-', '\'', '’']))
        .filter(|word| !word.is_empty())
}

/// A capital and small letters; names of a program have marks or several capitals in them.
fn is_name(word: &str) -> bool {
    let mut letters = word.chars();
    let capital = letters.next().is_some_and(char::is_uppercase);
    let rest = letters.as_str();
    let plain = rest
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'));
    let program = ["Error", "Exception", "Warning"]
        .iter()
        .any(|end| word.ends_with(end));
    capital && rest.chars().any(char::is_lowercase) && plain && !program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_is_not_asked_about_is_one() {
        let question = "Who created Python?";
        for (text, names) in [
            ("Python was created by Guido van Rossum in 1991.", true),
            ("Guido van Rossum created Python.", true),
            ("It belongs to the Python Software Foundation.", true),
            ("A new task is created by the loop.", false),
            ("Python creates a new scope and raises a TypeError.", false),
            ("It was created in 1991.", false),
        ] {
            assert_eq!(names_someone(text, question), names, "{text}");
        }
    }
}
