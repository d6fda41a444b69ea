//! Parses the text between the brackets of a citation.

/// Whether `c` can follow `held` (an opening bracket and more) in a citation.
pub(super) fn may_continue(held: &str, c: char) -> bool {
    if held.starts_with('【') {
        return c.is_alphanumeric() || matches!(c, ' ' | ',' | ';' | ':' | '-' | '–' | '†');
    }
    if c.is_ascii_digit() || matches!(c, ',' | ';' | '-' | '–' | '—' | ' ' | '^' | '&') {
        return true;
    }
    if !c.is_ascii_alphabetic() {
        return false;
    }
    let word: String = held
        .chars()
        .rev()
        .take_while(char::is_ascii_alphabetic)
        .collect::<Vec<char>>()
        .into_iter()
        .rev()
        .chain([c])
        .collect::<String>()
        .to_lowercase();
    CITATION_WORDS
        .iter()
        .any(|known| known.starts_with(word.as_str()))
}

const CITATION_WORDS: [&str; 11] = [
    "sources",
    "source",
    "references",
    "reference",
    "refs",
    "ref",
    "citation",
    "cite",
    "quellen",
    "fuente",
    "and",
];

/// `held` without its opening bracket.
pub(super) fn inner(held: &str) -> &str {
    held.trim_start_matches(['[', '【'])
}

/// The numbers in `inner` that are sources, each once; `None` if it is no citation.
pub(super) fn parse_numbers(inner: &str, sources: usize) -> Option<Vec<usize>> {
    // "1†L3-L5" names lines of a source; only the source counts.
    let inner = inner.split('†').next().unwrap_or_default();
    let mut numbers = Vec::new();
    let mut any = false;
    for part in inner
        .split([',', ';', '&'])
        .flat_map(|part| part.split("and"))
    {
        let part = part.trim();
        if part.is_empty() {
            continue;
        }
        let (first, last) = parse_range(without_word(part))?;
        any = true;
        for number in first.min(last)..=first.max(last).min(sources) {
            if number >= 1 && number <= sources && !numbers.contains(&number) {
                numbers.push(number);
            }
        }
    }
    any.then_some(numbers)
}

fn without_word(part: &str) -> &str {
    let rest = part.trim_start_matches('^');
    let rest = rest.trim_start_matches(|c: char| c.is_ascii_alphabetic());
    rest.trim_start()
}

fn parse_range(part: &str) -> Option<(usize, usize)> {
    let mut ends = part.splitn(2, ['-', '–', '—']);
    let first = parse_number(ends.next()?)?;
    let last = match ends.next() {
        Some(end) => parse_number(without_word(end.trim()))?,
        None => first,
    };
    Some((first, last))
}

/// Saturates, as all numbers beyond the sources are treated alike.
fn parse_number(text: &str) -> Option<usize> {
    let text = text.trim();
    if text.is_empty() || !text.chars().all(|c| c.is_ascii_digit()) {
        return None;
    }
    Some(text.parse().unwrap_or(usize::MAX))
}
