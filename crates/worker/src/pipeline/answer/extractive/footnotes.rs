//! Bracketed numbers in the text of a source: footnote marks go, indexes into arrays become code,
//! because in an answer either would read as a citation.

/// `text` without footnote marks such as `[12]`, `[a]` or `[citation needed]`.
pub(super) fn removed(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        clean.push_str(before);
        let Some((inner, tail)) = after.split_once(']') else {
            clean.push('[');
            rest = after;
            continue;
        };
        if is_number(inner) && is_index(&clean, inner) {
            mark_as_code(&mut clean, inner);
            rest = tail;
        } else if is_number(inner) || is_note(inner) {
            rest = tail;
        } else {
            clean.push('[');
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

fn is_number(inner: &str) -> bool {
    let digits = inner.strip_prefix('-').unwrap_or(inner);
    !digits.is_empty() && digits.len() < 5 && digits.chars().all(|c| c.is_ascii_digit())
}

fn is_note(inner: &str) -> bool {
    let letter = inner.len() == 1 && inner.chars().all(|c| c.is_ascii_lowercase());
    let lower = inner.to_lowercase();
    letter
        || lower.starts_with("note ")
        || lower.starts_with("citation needed")
        || lower == "update"
        || lower == "edit"
}

/// Whether the brackets belong to a name of a program: `sys.argv[1]`, `items[0]`.
fn is_index(before: &str, inner: &str) -> bool {
    let name = last_name(before);
    let bare = name.trim_end_matches('.');
    if bare.is_empty() || name != bare {
        return false;
    }
    inner == "0" || inner.starts_with('-') || name.contains(['.', '_'])
}

fn last_name(before: &str) -> &str {
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '.' | '_'))
        .last()
        .map_or(before.len(), |(at, _)| at);
    before.get(start..).unwrap_or_default()
}

fn mark_as_code(clean: &mut String, inner: &str) {
    let name = last_name(clean).to_owned();
    clean.truncate(clean.len() - name.len());
    clean.push_str(&format!("`{name}[{inner}]`"));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn footnote_marks_go_and_indexes_become_code() {
        for (text, expected) in [
            (
                "Phobos and Deimos.[12] They are small[3][4].",
                "Phobos and Deimos. They are small.",
            ),
            ("It is old.[citation needed]", "It is old."),
            (
                "The name is in sys.argv[0] then.",
                "The name is in `sys.argv[0]` then.",
            ),
            ("Use items[-1] here.", "Use `items[-1]` here."),
            (
                "A [link] and an open [ bracket.",
                "A [link] and an open [ bracket.",
            ),
        ] {
            assert_eq!(removed(text), expected);
        }
    }
}
