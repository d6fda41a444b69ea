//! Extracts search terms from a question. MediaWiki requires every word of a query to occur in the
//! article, so question words must be removed.

use crate::providers::text;

/// Wikipedia rejects queries of more than 300 characters; [`any_term_query`] adds some.
const MAX_CHARS: usize = 200;
/// More alternatives match nearly everything.
const MAX_ALTERNATIVES: usize = 12;

/// English question words, function words and fillers.
const STOP_WORDS: &str = " a about all also am an and any are as at be because been being best but \
by can could did do does doing during each explain find for from get give had has have how i if in \
into is it its list made make many me mean means meant most much my of on or our please should show \
so some something tell than that the their them there these they this those to us used using was we \
were what whats when where which while who whom whose why will with work works would you your ";

/// Characters that MediaWiki reads as operators at the start of a word.
const OPERATORS: [char; 6] = ['-', '!', '~', '*', '?', '\\'];

/// The search terms of `question`. Stop words are removed from English questions only; a
/// capitalised word after the first is a name and stays. A question of stop words alone stays
/// whole.
pub(super) fn from_question(question: &str, language: Option<&str>) -> String {
    let words: Vec<&str> = question
        .split_whitespace()
        .map(trim_punctuation)
        .filter(|word| !word.is_empty())
        .collect();
    let english = language.is_none_or(|code| code == "en");
    let telling: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(index, word)| !english || is_significant(word, *index == 0))
        .map(|(_, word)| *word)
        .collect();
    let chosen = if telling.is_empty() { words } else { telling };
    text::words_within(&chosen.join(" "), MAX_CHARS)
}

/// The query for articles that hold any of `terms`, for when none holds all. `None` for a single
/// term.
pub(super) fn any_term_query(terms: &str) -> Option<String> {
    let words: Vec<&str> = terms.split(' ').take(MAX_ALTERNATIVES).collect();
    (words.len() > 1).then(|| words.join(" OR "))
}

fn is_significant(word: &str, first: bool) -> bool {
    let mut chars = word.chars();
    let capital = chars.next().is_some_and(char::is_uppercase);
    if capital && !first && word != "I" {
        return true;
    }
    let plain: String = word
        .to_lowercase()
        .chars()
        .filter(|char| !matches!(char, '\'' | '’'))
        .collect();
    !STOP_WORDS.contains(&format!(" {plain} "))
}

/// Removes the punctuation around `word`; punctuation of a name ("C++", "asyncio.gather", ".NET")
/// stays.
fn trim_punctuation(word: &str) -> &str {
    let word = word.trim_matches(|char: char| "\"“”„«»()[]{}<>,;:¿¡|".contains(char));
    let word = word.trim_start_matches(OPERATORS);
    word.trim_end_matches([
        '?', '!', '.', ',', ';', ':', '…', '？', '。', '~', '*', '\\', ')', '"',
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stop_words_are_removed_from_english_questions() {
        for (question, terms) in [
            ("What is asyncio.gather?", "asyncio.gather"),
            ("What is Python?", "Python"),
            ("How does the immune system work?", "immune system"),
            (
                "who wrote \"Pride and Prejudice\"?",
                "wrote Pride Prejudice",
            ),
            ("Who are The Who?", "The Who"),
            ("What's the capital of New Zealand", "capital New Zealand"),
            ("How do I use C++ with .NET?", "use C++ .NET"),
            ("to be or not to be", "not"),
            ("what is it?", "what is it"),
            ("rust -async intitle:foo", "rust async intitle:foo"),
        ] {
            assert_eq!(from_question(question, None), terms, "{question}");
        }
    }

    #[test]
    fn other_languages_keep_all_words() {
        let german = from_question("Was ist die Hauptstadt von Neuseeland?", Some("de"));
        assert_eq!(german, "Was ist die Hauptstadt von Neuseeland");
    }

    #[test]
    fn long_question_is_cut_to_the_limit_of_the_api() {
        let terms = from_question(&"encyclopedia ".repeat(400), Some("en"));
        assert!(terms.chars().count() <= MAX_CHARS);
    }
}
