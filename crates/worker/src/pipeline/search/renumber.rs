//! Renumbers the citations of a ready answer.

/// `text` with each `[n]` replaced by `numbers[n - 1]`, or removed if that is `None` or missing.
#[must_use]
pub(crate) fn renumber(text: &str, numbers: &[Option<usize>]) -> String {
    let mut renumbered = String::with_capacity(text.len());
    let mut rest = text.chars();
    while let Some(next) = rest.next() {
        renumbered.push(next);
        // Looking back also finds what a removed citation leaves: `[[9]2]` becomes `[2]`.
        let Some((start, number)) = citation_at_end(&renumbered) else {
            continue;
        };
        let number = new_number(number, numbers);
        renumbered.truncate(start);
        if let Some(number) = number {
            renumbered.push_str(&format!("[{number}]"));
        } else if matches!(rest.clone().next(), None | Some('.' | ',' | ' ' | '\n')) {
            let end = renumbered.trim_end_matches(' ').len();
            renumbered.truncate(end);
        }
    }
    renumbered
}

/// The start and the digits of the `[n]` at the end of `text`.
fn citation_at_end(text: &str) -> Option<(usize, &str)> {
    let inside = text.strip_suffix(']')?;
    let before = inside.trim_end_matches(|char: char| char.is_ascii_digit());
    let number = inside.strip_prefix(before).filter(|it| !it.is_empty())?;
    Some((before.strip_suffix('[')?.len(), number))
}

fn new_number(number: &str, numbers: &[Option<usize>]) -> Option<usize> {
    let index = number.parse::<usize>().ok()?.checked_sub(1)?;
    numbers.get(index).copied().flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn citations_are_renumbered_and_those_without_a_source_removed() {
        let numbers = [Some(1), None, Some(2)];
        assert_eq!(
            renumber("A [1]. B [2]. C [3][1].", &numbers),
            "A [1]. B. C [2][1]."
        );
        assert_eq!(renumber("X [9] y [0] z", &numbers), "X y z");
        assert_eq!(renumber("an [array] and [", &numbers), "an [array] and [");
        assert_eq!(renumber("X [99999999999999999999999].", &numbers), "X.");
        assert_eq!(renumber("X [[9]3] y [1[0]]", &numbers), "X [2] y [1]");
    }

    proptest! {
        #[test]
        fn only_the_new_numbers_are_left(
            text in "[a-z0-9\\[\\]. ]{0,80}",
            numbers in prop::collection::vec(prop::option::of(1_usize..4), 0..5),
        ) {
            let renumbered = renumber(&text, &numbers);
            for (_, after) in renumbered.match_indices('[').filter_map(|(at, _)| renumbered.split_at_checked(at + 1)) {
                let Some((inside, _)) = after.split_once(']') else { continue };
                if let Ok(number) = inside.parse::<usize>() {
                    prop_assert!(numbers.contains(&Some(number)), "{text} became {renumbered}");
                }
            }
        }
    }
}
