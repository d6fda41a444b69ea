//! Words: lower-cased, stemmed, identifiers kept whole and in parts.

use super::stop_words;
use frostem::{Algorithm, Stemmer};

/// One word of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Token {
    /// As it stands in the text.
    pub surface: String,
    /// What is compared: lower case, stemmed.
    pub term: String,
    /// Whether it is a name of a program: dotted, underscored, `C++`.
    pub identifier: bool,
    /// Whether it is a part of the identifier before it.
    pub part: bool,
}

impl Token {
    /// Whether it is a number or a version.
    #[must_use]
    pub fn is_number(&self) -> bool {
        self.term.starts_with(|c: char| c.is_ascii_digit())
            && self.term.chars().all(|c| c.is_ascii_digit() || c == '.')
    }
}

/// Cuts and stems text of one language.
pub struct Analyzer {
    stemmer: Option<Stemmer>,
    language: String,
}

impl Analyzer {
    /// For a two-letter language code; English when it is not known, because that is what technical
    /// text is mostly in. Languages without a stemmer keep their words as they are.
    #[must_use]
    pub fn new(language: Option<&str>) -> Self {
        let language = language.unwrap_or("en");
        let algorithm = Algorithm::from_name(language).ok();
        Self {
            stemmer: algorithm.map(Stemmer::new),
            language: language.to_owned(),
        }
    }

    /// The language it works in.
    #[must_use]
    pub fn language(&self) -> &str {
        &self.language
    }

    /// The words of `text`, in order; an identifier is followed by its parts.
    #[must_use]
    pub fn analyze(&self, text: &str) -> Vec<Token> {
        let mut tokens = Vec::new();
        for word in words(text) {
            self.push(&word, &mut tokens);
        }
        tokens
    }

    /// Only what is compared.
    #[must_use]
    pub fn terms(&self, text: &str) -> Vec<String> {
        self.analyze(text)
            .into_iter()
            .map(|token| token.term)
            .collect()
    }

    /// The words of a question that carry meaning, each once.
    #[must_use]
    pub fn content(&self, question: &str) -> Vec<Token> {
        let mut seen = std::collections::HashSet::new();
        self.analyze(question)
            .into_iter()
            .filter(|token| !self.is_stop_word(token))
            .filter(|token| seen.insert(token.term.clone()))
            .collect()
    }

    /// Whether a word only holds a sentence together.
    #[must_use]
    pub fn is_stop_word(&self, token: &Token) -> bool {
        if token.identifier {
            return false;
        }
        let word = token.surface.to_lowercase();
        // Names of the alphabet such as C or R are written as capitals.
        let lone_capital =
            token.surface.len() == 1 && token.surface != word && word != "i" && word != "a";
        !lone_capital && stop_words::contains(&self.language, &word)
    }

    fn push(&self, word: &str, tokens: &mut Vec<Token>) {
        if word.chars().all(is_ideograph) {
            return push_ideographs(word, tokens);
        }
        let lower = word.to_lowercase();
        let number = lower
            .chars()
            .all(|c| c.is_ascii_digit() || c == '.' || c == ',');
        if number {
            tokens.push(token(word, lower.replace(',', ""), false, false));
            return;
        }
        let parts: Vec<&str> = word
            .split(['.', ':', '_'])
            .filter(|part| !part.is_empty())
            .collect();
        let identifier = parts.len() > 1 || word.ends_with(['+', '#']);
        if !identifier {
            tokens.push(token(word, self.stem(&lower), false, false));
            return;
        }
        tokens.push(token(word, lower.replace("::", "."), true, false));
        if parts.len() < 2 {
            return;
        }
        for part in parts {
            if part.chars().any(char::is_alphabetic) {
                let term = self.stem(&part.to_lowercase());
                tokens.push(token(part, term, false, true));
            }
        }
    }

    fn stem(&self, word: &str) -> String {
        self.stemmer
            .as_ref()
            .map_or_else(|| word.to_owned(), |stemmer| stemmer.stem(word).into())
    }
}

/// The terms of `text`: lower-cased and stemmed by `language`, dotted identifiers whole and in parts.
#[must_use]
pub fn tokens(text: &str, language: Option<&str>) -> Vec<String> {
    Analyzer::new(language).terms(text)
}

/// The terms of a question without stop words and question words, each once, in order.
#[must_use]
pub fn content_terms(question: &str, language: Option<&str>) -> Vec<String> {
    Analyzer::new(language)
        .content(question)
        .into_iter()
        .map(|token| token.term)
        .collect()
}

fn token(surface: &str, term: String, identifier: bool, part: bool) -> Token {
    Token {
        surface: surface.to_owned(),
        term,
        identifier,
        part,
    }
}

/// Scripts without spaces: pairs of characters stand for words.
fn push_ideographs(word: &str, tokens: &mut Vec<Token>) {
    let chars: Vec<char> = word.chars().collect();
    if let [single] = chars.as_slice() {
        let text = single.to_string();
        tokens.push(token(&text, text.clone(), false, false));
    }
    for pair in chars.windows(2) {
        let text: String = pair.iter().collect();
        tokens.push(token(&text, text.clone(), false, false));
    }
}

pub(super) fn is_ideograph(c: char) -> bool {
    matches!(u32::from(c), 0x3040..=0x30FF | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xF900..=0xFAFF | 0x20000..=0x2FFFF)
}

/// The words of a text with the joints that belong inside them.
fn words(text: &str) -> Vec<String> {
    let chars: Vec<char> = text.chars().map(straight).collect();
    let mut words = Vec::new();
    let mut word = String::new();
    let mut index = 0;
    while let Some(&c) = chars.get(index) {
        let next = chars.get(index + 1).copied();
        if is_word_char(c) {
            let ideograph = is_ideograph(c);
            if word
                .chars()
                .next_back()
                .is_some_and(|last| is_ideograph(last) != ideograph)
            {
                close(&mut word, &mut words);
            }
            word.push(c);
        } else if word.is_empty() {
        } else if joins(c, next, chars.get(index + 2).copied(), &word) {
            word.push(c);
            if c == ':' {
                word.push(':');
                index += 1;
            }
        } else {
            if is_language_suffix(c, next, &word) {
                let plus = c == '+';
                word.push(c);
                if plus {
                    word.push('+');
                    index += 1;
                }
            }
            close(&mut word, &mut words);
            // What follows an apostrophe in "Python's" says nothing.
            if c == '\''
                && next == Some('s')
                && !chars.get(index + 2).copied().is_some_and(is_word_char)
            {
                index += 1;
            }
        }
        index += 1;
    }
    close(&mut word, &mut words);
    words
}

fn close(word: &mut String, words: &mut Vec<String>) {
    let trimmed = word.trim_matches('_');
    if !trimmed.is_empty() {
        words.push(trimmed.to_owned());
    }
    word.clear();
}

fn joins(c: char, next: Option<char>, after: Option<char>, word: &str) -> bool {
    let last_is_digit = word.ends_with(|last: char| last.is_ascii_digit());
    match c {
        '.' => next.is_some_and(|next| is_word_char(next) && !is_ideograph(next)),
        ':' => next == Some(':') && after.is_some_and(is_word_char),
        ',' => {
            last_is_digit
                && next.is_some_and(|next| next.is_ascii_digit())
                && word.chars().all(|c| c.is_ascii_digit() || c == ',')
        }
        _ => false,
    }
}

/// `C++`, `C#`, `F#`.
fn is_language_suffix(c: char, next: Option<char>, word: &str) -> bool {
    let single = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
    single && ((c == '+' && next == Some('+')) || c == '#')
}

fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || matches!(u32::from(c), 0x300..=0x36F)
}

fn straight(c: char) -> char {
    if c == '’' { '\'' } else { c }
}

#[cfg(test)]
mod tests;
