//! Names of persons and organisations, by their capitals.

use crate::pipeline::text::stop_words;

/// Whether `text` names someone whom `question` does not, in a place where who did or is something
/// stands: after "by" or "is", before a word of the question, or first of all. In languages that
/// write every noun with a capital this says less.
pub(super) fn names_someone(text: &str, question: &str) -> bool {
    let asked: Vec<String> = words(question).map(str::to_lowercase).collect();
    let words: Vec<&str> = words(text).collect();
    let part_of_name = |at: usize| {
        let word = words.get(at).copied().unwrap_or_default();
        is_name(word) || at > 0 && PARTICLES.contains(&word)
    };
    (0..words.len()).any(|start| {
        let begins = part_of_name(start) && !start.checked_sub(1).is_some_and(part_of_name);
        if !begins {
            return false;
        }
        let end = (start..words.len())
            .find(|at| !part_of_name(*at))
            .unwrap_or(words.len());
        let name = words.get(start..end).unwrap_or_default();
        let new = name
            .iter()
            .filter(|word| is_name(word) && !asked.contains(&word.to_lowercase()))
            .count();
        // The first word of a sentence has its capital anyway.
        let first = words.first().copied().unwrap_or_default().to_lowercase();
        let opens = start == 0 && new > 1 && !stop_words::contains("en", &first);
        let mut before = words.iter().take(start).rev();
        let introduced = before
            .find(|word| !ARTICLES.contains(word))
            .is_some_and(|word| introduces(word));
        let acts = start > 0 && words.get(end).is_some_and(|next| is_akin(next, &asked));
        new > 0 && (opens || introduced || acts)
    })
}

const PARTICLES: [&str; 8] = ["van", "von", "de", "der", "den", "del", "di", "la"];
const ARTICLES: [&str; 3] = ["the", "a", "an"];
const INTRODUCING: [&str; 15] = [
    "by", "is", "was", "are", "were", "von", "par", "por", "da", "ist", "war", "est", "es", "fue",
    "durch",
];

fn introduces(word: &str) -> bool {
    INTRODUCING.contains(&word.to_lowercase().as_str()) || word.chars().all(char::is_numeric)
}

/// Whether `word` begins as a longer word of the question does.
fn is_akin(word: &str, asked: &[String]) -> bool {
    let begin = |word: &str| word.to_lowercase().chars().take(AKIN).collect::<String>();
    let start = begin(word);
    start.chars().count() == AKIN && asked.iter().any(|other| begin(other) == start)
}

/// Letters that two forms of a verb have in common.
const AKIN: usize = 4;

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
    let mut pairs = word.chars().zip(rest.chars());
    let shouted = pairs.any(|(one, next)| one.is_uppercase() && next.is_uppercase());
    let plain = rest
        .chars()
        .all(|c| c.is_alphabetic() || matches!(c, '-' | '\'' | '’'));
    let program = ["Error", "Exception", "Warning"]
        .iter()
        .any(|end| word.ends_with(end));
    capital && rest.chars().any(char::is_lowercase) && plain && !shouted && !program
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
            ("It is developed by the Python Software Foundation.", true),
            ("The Dutch programmer Guido van Rossum created it.", true),
            (
                "Threads are created using the dedicated Python APIs.",
                false,
            ),
            ("Document describing how to use Borland to build it.", false),
            ("A new task is created by the loop.", false),
            ("Python creates a new scope and raises a TypeError.", false),
            ("It was created in 1991.", false),
            ("Running Python creates a file.", false),
            ("On Windows a file is created.", false),
            ("Bake the bread for 40 minutes.", false),
        ] {
            assert_eq!(names_someone(text, question), names, "{text}");
        }
    }
}
