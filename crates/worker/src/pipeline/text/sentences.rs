//! Sentence borders that respect abbreviations, decimals and identifiers.

use std::ops::Range;
use unicode_segmentation::UnicodeSegmentation;

/// The sentences of `text`, trimmed; lines that are code are none.
#[must_use]
pub fn sentences(text: &str) -> Vec<&str> {
    sentence_ranges(text)
        .into_iter()
        .filter_map(|range| text.get(range))
        .map(str::trim)
        .filter(|sentence| sentence.chars().any(char::is_alphanumeric))
        .filter(|sentence| !is_code_like(sentence))
        .collect()
}

/// Byte ranges of the sentences, white space after them included: together they are all of `text`.
/// A line break always ends a sentence, because a block of text has none inside.
#[must_use]
pub fn sentence_ranges(text: &str) -> Vec<Range<usize>> {
    let mut ranges: Vec<Range<usize>> = Vec::new();
    for (start, piece) in text.split_sentence_bound_indices() {
        let end = start + piece.len();
        let joined = ranges
            .last_mut()
            .filter(|last| goes_on(text.get((*last).clone()).unwrap_or_default(), piece));
        match joined {
            Some(last) => last.end = end,
            None => ranges.push(start..end),
        }
    }
    ranges
}

/// Whether the border that Unicode's rules see between `before` and `after` is none.
fn goes_on(before: &str, after: &str) -> bool {
    if before.ends_with(['\n', '\r', '\u{2028}', '\u{2029}']) {
        return false;
    }
    let body = before.trim_end();
    if body.len() == before.len() {
        // No space: inside an identifier, a version or a bracket; other scripts need no space.
        return !body.ends_with(['。', '！', '？', '…', '．', '।', '۔']);
    }
    if after.starts_with(|c: char| c.is_lowercase() || matches!(c, ',' | ';' | ')')) {
        return true;
    }
    body.ends_with('.') && (ends_with_abbreviation(body) || ends_with_initial(body))
}

fn ends_with_abbreviation(body: &str) -> bool {
    let word = body
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '[' | '"' | '“'))
        .next()
        .unwrap_or_default()
        .to_lowercase();
    ABBREVIATIONS.contains(&word.as_str())
}

/// A single capital before the stop ("J. Smith"), or several ("U.S.").
fn ends_with_initial(body: &str) -> bool {
    let word = body
        .rsplit(|c: char| c.is_whitespace() || matches!(c, '(' | '['))
        .next()
        .unwrap_or_default();
    let mut letters = word.split('.').filter(|part| !part.is_empty());
    let initials =
        letters.all(|part| part.chars().count() == 1 && part.chars().all(char::is_uppercase));
    // "I." ends sentences.
    initials && word != "I."
}

const ABBREVIATIONS: [&str; 50] = [
    "e.g.", "i.e.", "cf.", "vs.", "viz.", "ca.", "approx.", "dr.", "prof.", "mr.", "mrs.", "ms.",
    "st.", "jr.", "sr.", "no.", "nos.", "fig.", "figs.", "eq.", "sec.", "ch.", "vol.", "ed.",
    "eds.", "pp.", "p.", "al.", "inc.", "ltd.", "co.", "dept.", "est.", "gen.", "gov.", "sen.",
    "rep.", "capt.", "col.", "z.b.", "d.h.", "bzw.", "usw.", "vgl.", "nr.", "hr.", "fr.", "bspw.",
    "ggf.", "p.ex.",
];

/// Whether a line is source code or terminal output rather than a sentence.
#[must_use]
pub fn is_code_like(line: &str) -> bool {
    let line = line.trim();
    let prompt = [
        ">>>", "...", "$ ", "# ", "//", "/*", "#!", "#include", "<?", "@", "```",
    ];
    if prompt.iter().any(|start| line.starts_with(start)) {
        // "...and so on" is a sentence that begins with an ellipsis.
        return !line.starts_with("...") || line.starts_with("... ");
    }
    if line.ends_with([';', '{', '}']) && !line.contains(". ") {
        return true;
    }
    let opening = [
        "def ",
        "class ",
        "import ",
        "from ",
        "fn ",
        "let ",
        "const ",
        "var ",
        "return ",
        "async def ",
    ];
    let statement = opening.iter().any(|start| line.starts_with(start))
        && (line.ends_with(':')
            || line.ends_with(')')
            || line.contains(" = ")
            || line.contains(" import "));
    if statement {
        return true;
    }
    if line.contains(" = ") && line.contains('(') && !line.ends_with('.') {
        return true;
    }
    // The bars of a table's row are none of its text.
    let line = line
        .strip_prefix("| ")
        .and_then(|row| row.strip_suffix(" |"))
        .map_or_else(|| line.to_owned(), |row| row.replace(" | ", " "));
    let visible = line.chars().filter(|c| !c.is_whitespace()).count().max(1);
    let signs = line
        .chars()
        .filter(|c| {
            matches!(
                c,
                '{' | '}'
                    | '='
                    | '<'
                    | '>'
                    | ';'
                    | '\\'
                    | '|'
                    | '_'
                    | '('
                    | ')'
                    | '['
                    | ']'
                    | '*'
                    | '&'
                    | '$'
                    | '#'
            )
        })
        .count();
    signs * 5 > visible
}

#[cfg(test)]
mod tests;
