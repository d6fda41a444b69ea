//! New numbers for the citations of a ready answer.

/// `text` with each `[n]` replaced by `numbers[n - 1]`; those that have none there are removed.
#[must_use]
pub(crate) fn renumber(text: &str, numbers: &[Option<usize>]) -> String {
    let mut renumbered = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('[') {
        renumbered.push_str(before);
        let number = after
            .split_once(']')
            .filter(|(inside, _)| is_number(inside));
        let Some((number, tail)) = number else {
            renumbered.push('[');
            rest = after;
            continue;
        };
        let index = number
            .parse::<usize>()
            .ok()
            .and_then(|number| number.checked_sub(1));
        if let Some(Some(hit)) = index.and_then(|index| numbers.get(index)) {
            renumbered.push_str(&format!("[{hit}]"));
        } else if tail.is_empty() || tail.starts_with(['.', ',', ' ', '\n']) {
            let end = renumbered.trim_end_matches(' ').len();
            renumbered.truncate(end);
        }
        rest = tail;
    }
    renumbered.push_str(rest);
    renumbered
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|char| char.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_follow_their_sources_and_dead_ones_go() {
        let numbers = [Some(1), None, Some(2)];
        assert_eq!(
            renumber("A [1]. B [2]. C [3][1].", &numbers),
            "A [1]. B. C [2][1]."
        );
        assert_eq!(renumber("X [9] y [0] z", &numbers), "X y z");
        assert_eq!(renumber("an [array] and [", &numbers), "an [array] and [");
        assert_eq!(renumber("X [99999999999999999999999].", &numbers), "X.");
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
