//! How text becomes the words that are indexed and searched.
//!
//! Words are lower-cased and stemmed by the language of their page. Names that programs are made of (`asyncio.gather`,
//! `std::fs`, `max_len`, `3.11`) are kept whole besides their parts, so that a question that
//! spells one out finds the place that defines it.

use frostem::{Algorithm, Stemmer};

/// What text is stemmed by whose language is not known or has no stemmer: most technical text is
/// in it.
const USUAL_LANGUAGE: &str = "en";

/// Longer words are noise: hashes, encoded data.
const MAX_WORD_BYTES: usize = 60;

/// One word as it is indexed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Word {
    /// Lower-cased, stemmed when it is plain letters.
    pub(super) text: String,
    /// Counts words; a whole name stands where its first part stands.
    pub(super) position: usize,
    /// Whether it is a name of several parts.
    pub(super) whole: bool,
}

/// Splits text of one language into words.
#[derive(Clone)]
pub(super) struct Words {
    stemmer: Stemmer,
}

/// The language by whose rules text of `language` is stemmed.
pub(super) fn stemmed_as(language: Option<&str>) -> &str {
    language
        .filter(|language| Algorithm::from_name(language).is_ok())
        .unwrap_or(USUAL_LANGUAGE)
}

impl Words {
    pub(super) fn of_language(language: &str) -> Self {
        let algorithm = Algorithm::from_name(language).unwrap_or(Algorithm::English);
        Self {
            stemmer: Stemmer::new(algorithm),
        }
    }

    /// The words of `text` as the index takes them: with a space between them, which is in none.
    pub(super) fn indexed(&self, text: &str) -> String {
        let mut joined = String::with_capacity(text.len());
        for word in self.of(text) {
            if !joined.is_empty() {
                joined.push(' ');
            }
            joined.push_str(&word.text);
        }
        joined
    }

    /// All words of `text`, in order.
    pub(super) fn of(&self, text: &str) -> Vec<Word> {
        let mut words = Vec::with_capacity(text.len() / 5);
        let mut position = 0;
        let mut run = String::new();
        let mut chars = text.chars().peekable();
        while let Some(c) = chars.next() {
            if is_word(c) && !is_ideograph(c) {
                run.push(c);
                continue;
            }
            let joins = is_joint(c)
                && run.chars().last().is_some_and(is_word)
                && chars.peek().copied().is_some_and(is_word);
            // `std::fs`: the first colon cannot see the letter after the second one.
            let path = c == ':' && !run.is_empty() && chars.peek() == Some(&':');
            if joins {
                run.push(c);
                continue;
            }
            if path {
                chars.next();
                if chars.peek().copied().is_some_and(is_word) {
                    run.push('.');
                    continue;
                }
            }
            if run.chars().count() == 1
                && let Some(sign) = language_sign(c, chars.peek().copied())
            {
                words.push(Word {
                    text: format!("{}{sign}", run.to_lowercase()),
                    position,
                    whole: true,
                });
            }
            self.finish(&mut run, &mut words, &mut position);
            if is_ideograph(c) {
                words.push(Word {
                    text: c.to_string(),
                    position,
                    whole: false,
                });
                position += 1;
            }
        }
        self.finish(&mut run, &mut words, &mut position);
        words
    }

    fn finish(&self, run: &mut String, words: &mut Vec<Word>, position: &mut usize) {
        if run.is_empty() {
            return;
        }
        let lower = run.to_lowercase();
        run.clear();
        let name = lower.trim_matches(|c| c == '_' || c == '.');
        if name.len() > MAX_WORD_BYTES {
            *position += 1;
            return;
        }
        let is_name = name.contains(['.', '_']);
        if is_name {
            words.push(Word {
                text: name.to_owned(),
                position: *position,
                whole: true,
            });
        }
        for dotted in name.split('.').filter(|part| !part.is_empty()) {
            if is_name && dotted != name && dotted.contains('_') {
                words.push(Word {
                    text: dotted.to_owned(),
                    position: *position,
                    whole: true,
                });
            }
            for part in dotted.split('_').filter(|part| !part.is_empty()) {
                words.push(Word {
                    text: self.stem(part),
                    position: *position,
                    whole: false,
                });
                *position += 1;
            }
        }
    }

    fn stem(&self, word: &str) -> String {
        if word.chars().all(char::is_alphabetic) {
            self.stemmer.stem(word).into_owned()
        } else {
            word.to_owned()
        }
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// C++ and C#.
fn language_sign(c: char, next: Option<char>) -> Option<&'static str> {
    match (c, next) {
        ('#', _) => Some("#"),
        ('+', Some('+')) => Some("++"),
        _ => None,
    }
}

fn is_joint(c: char) -> bool {
    c == '.'
}

/// Scripts that write no spaces: each character counts as a word, neighbours as a phrase.
fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FA1F)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<String> {
        Words::of_language("en")
            .of(text)
            .into_iter()
            .map(|word| word.text)
            .collect()
    }

    #[test]
    fn a_dotted_name_is_kept_whole_and_in_parts() {
        assert_eq!(
            texts("asyncio.gather()."),
            ["asyncio.gather", "asyncio", "gather"]
        );
        assert_eq!(
            texts("functools.lru_cache"),
            [
                "functools.lru_cache",
                "functool",
                "lru_cache",
                "lru",
                "cach"
            ]
        );
        assert_eq!(texts("std::fs::File"), ["std.fs.file", "std", "fs", "file"]);
        assert_eq!(texts("__init__"), ["init"]);
    }

    #[test]
    fn a_sentence_end_is_not_a_name() {
        assert_eq!(texts("It ends. New ones"), ["it", "end", "new", "one"]);
        assert_eq!(texts("a::"), ["a"]);
    }

    #[test]
    fn versions_and_languages_keep_their_form() {
        assert_eq!(texts("Python 3.11"), ["python", "3.11", "3", "11"]);
        assert_eq!(texts("C++ and C#"), ["c++", "c", "and", "c#", "c"]);
    }

    #[test]
    fn text_without_spaces_is_split_by_character() {
        assert_eq!(texts("中文 text"), ["中", "文", "text"]);
    }

    #[test]
    fn each_language_has_its_own_stems() {
        let stem = |language, text| {
            Words::of_language(stemmed_as(language)).of(text)[0]
                .text
                .clone()
        };
        assert_eq!(stem(Some("de"), "Katzen"), stem(Some("de"), "Katze"));
        assert_eq!(
            stem(Some("fr"), "continuellement"),
            stem(Some("fr"), "continuelle")
        );
        assert_eq!(stem(None, "cats"), "cat");
        assert_eq!(stem(Some("zh"), "cats"), "cat");
    }

    #[test]
    fn what_is_indexed_is_the_words_and_splits_into_nothing_else() {
        let words = Words::of_language("en");
        for text in [
            "asyncio.gather(a, b)",
            "C++ and C# 3.11",
            "中文 text",
            "",
            "  ",
        ] {
            let indexed = words.indexed(text);
            let split: Vec<&str> = indexed.split_whitespace().collect();
            assert_eq!(split, texts(text), "{text}");
        }
    }

    #[test]
    fn parts_of_a_name_are_neighbours() {
        let words = Words::of_language("en").of("a.b c");
        let positions: Vec<usize> = words.iter().map(|word| word.position).collect();
        assert_eq!(positions, [0, 0, 1, 2]);
    }
}
