//! Questions as words: normalising, cutting, and taking out what search engines read as commands.

/// SearXNG reads these after `!` as "search only there".
const ENGINE_NAMES: [&str; 22] = [
    "general",
    "images",
    "videos",
    "news",
    "map",
    "music",
    "science",
    "files",
    "social_media",
    "google",
    "bing",
    "brave",
    "duckduckgo",
    "startpage",
    "qwant",
    "yahoo",
    "wikipedia",
    "wiki",
    "youtube",
    "reddit",
    "github",
    "stackoverflow",
];

/// A word as written, and the form in which it is compared.
#[derive(Debug, Clone)]
pub(super) struct Word<'a> {
    pub(super) raw: &'a str,
    pub(super) key: String,
}

/// Splits at white space; keys are lower case without the punctuation around them.
pub(super) fn words(text: &str) -> Vec<Word<'_>> {
    text.split_whitespace()
        .map(|raw| Word {
            raw,
            key: bare(raw).to_lowercase(),
        })
        .collect()
}

/// `raw` without the punctuation around it; what belongs to names ("C++", "C#") stays.
pub(super) fn bare(raw: &str) -> &str {
    raw.trim_start_matches(|c: char| !c.is_alphanumeric() && c != '.' && c != '@')
        .trim_end_matches(|c: char| !c.is_alphanumeric() && c != '+' && c != '#')
}

/// Joins words as they were written, without punctuation at the ends.
pub(super) fn join(words: &[Word<'_>]) -> String {
    let raw: Vec<&str> = words.iter().map(|word| word.raw).collect();
    bare(&raw.join(" ")).to_owned()
}

/// One space between words, no control characters.
pub(super) fn normalise(text: &str) -> String {
    let visible: String = text
        .chars()
        .map(|c| if c.is_control() { ' ' } else { c })
        .filter(|c| !matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{feff}'))
        .collect();
    visible.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `text` without what SearXNG takes for commands: bangs (`!g`, `!!wiki`), languages (`:de`) and
/// time limits (`<3`). An external bang would send the search elsewhere.
pub(super) fn without_commands(text: &str) -> String {
    let kept: Vec<&str> = text.split(' ').filter_map(without_command).collect();
    if kept.is_empty() {
        return bare(text).to_owned();
    }
    kept.join(" ")
}

fn without_command(word: &str) -> Option<&str> {
    if let Some(name) = word.strip_prefix('!') {
        let name = name.trim_start_matches('!');
        let is_command = name.chars().count() <= 3 || ENGINE_NAMES.contains(&name);
        // "!important" is a question about CSS: the word stays, the mark goes.
        return (!is_command).then_some(name);
    }
    let is_language = word.strip_prefix(':').is_some_and(|code| {
        let language = code.split('-').next().unwrap_or_default();
        language.len() == 2 && code.chars().all(|c| c.is_ascii_alphabetic() || c == '-')
    });
    let is_time_limit = word
        .strip_prefix('<')
        .is_some_and(|rest| !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit()));
    (!is_language && !is_time_limit).then_some(word)
}

/// At most `limit` characters, cut between words where there are any.
pub(super) fn cut(text: &str, limit: usize) -> String {
    let Some((end, next)) = text.char_indices().nth(limit) else {
        return text.to_owned();
    };
    let head = text.get(..end).unwrap_or(text);
    if next.is_whitespace() {
        return head.trim_end().to_owned();
    }
    match head.rsplit_once(char::is_whitespace) {
        Some((whole_words, _)) => whole_words.trim_end().to_owned(),
        None => head.to_owned(),
    }
}
