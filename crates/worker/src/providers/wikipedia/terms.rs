//! Search terms from a question. MediaWiki wants every word of a query to stand in the article,
//! so the words that only make it a question must go.

use crate::providers::text;

/// Wikipedia refuses queries of more than 300 characters; [`any_of`] needs some of them.
const MAX_CHARS: usize = 200;
/// More alternatives find anything and nothing.
const MAX_ALTERNATIVES: usize = 12;

/// English words that ask, join or qualify, and name nothing.
const STOP_WORDS: &str = " a about all also am an and any are as at be because been being best but \
by can could did do does doing during each explain find for from get give had has have how i if in \
into is it its list made make many me mean means meant most much my of on or our please should show \
so some something tell than that the their them there these they this those to us used using was we \
were what whats when where which while who whom whose why will with work works would you your ";

/// Marks that MediaWiki's search reads as operators when a word begins with them.
const OPERATORS: [char; 6] = ['-', '!', '~', '*', '?', '\\'];

/// The words of `question` to search for. Stop words are taken out of English questions only;
/// a capital letter inside the question marks a name, which stays. A question of stop words alone
/// stays whole.
pub(super) fn from_question(question: &str, language: Option<&str>) -> String {
    let words: Vec<&str> = question
        .split_whitespace()
        .map(bare)
        .filter(|word| !word.is_empty())
        .collect();
    let english = language.is_none_or(|code| code == "en");
    let telling: Vec<&str> = words
        .iter()
        .enumerate()
        .filter(|(index, word)| !english || tells(word, *index == 0))
        .map(|(_, word)| *word)
        .collect();
    let chosen = if telling.is_empty() { words } else { telling };
    text::words_within(&chosen.join(" "), MAX_CHARS)
}

/// The query for articles that hold any of `terms`, best matches first; for when none holds all of
/// them. `None` when that would be the same.
pub(super) fn any_of(terms: &str) -> Option<String> {
    let words: Vec<&str> = terms.split(' ').take(MAX_ALTERNATIVES).collect();
    (words.len() > 1).then(|| words.join(" OR "))
}

fn tells(word: &str, first: bool) -> bool {
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

/// `word` without the punctuation around it; what belongs to a name ("C++", "asyncio.gather",
/// ".NET") stays.
fn bare(word: &str) -> &str {
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
    fn an_english_question_becomes_its_telling_words() {
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
    fn other_languages_keep_their_words() {
        let german = from_question("Was ist die Hauptstadt von Neuseeland?", Some("de"));
        assert_eq!(german, "Was ist die Hauptstadt von Neuseeland");
    }

    #[test]
    fn a_long_question_is_cut_to_what_the_api_takes() {
        let terms = from_question(&"encyclopedia ".repeat(400), Some("en"));
        assert!(terms.chars().count() <= MAX_CHARS);
    }
}
