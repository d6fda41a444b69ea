use super::*;
use proptest::prelude::*;

#[test]
fn abbreviations_do_not_end_sentences() {
    assert_eq!(
        sentences("Dr. Miller met J. R. Smith, e.g. Fred. They spoke of the U.S. Navy. It rained."),
        [
            "Dr. Miller met J. R. Smith, e.g. Fred.",
            "They spoke of the U.S. Navy.",
            "It rained."
        ]
    );
}

#[test]
fn decimals_and_identifiers_stay_whole() {
    assert_eq!(
        sentences(
            "Python 3.11 added asyncio.TaskGroup. Use asyncio.gather in 3.10. See v2.Next too."
        ),
        [
            "Python 3.11 added asyncio.TaskGroup.",
            "Use asyncio.gather in 3.10.",
            "See v2.Next too."
        ]
    );
}

#[test]
fn an_ellipsis_with_small_letters_goes_on() {
    assert_eq!(
        sentences("Wait... there is more. Done."),
        ["Wait... there is more.", "Done."]
    );
}

#[test]
fn line_breaks_end_sentences() {
    assert_eq!(
        sentences("A heading\nA sentence."),
        ["A heading", "A sentence."]
    );
}

#[test]
fn scripts_without_spaces_have_sentences_too() {
    assert_eq!(
        sentences("東京は首都です。人口は多い。"),
        ["東京は首都です。", "人口は多い。"]
    );
}

#[test]
fn lines_of_code_are_no_sentences() {
    for code in [
        ">>> import os",
        "$ cargo build",
        "for (i = 0; i < n; i++) {",
        "def main(argv):",
        "x = {'a': [1, 2]}",
        "results = await asyncio.gather(*[f(x) for x in xs])",
    ] {
        assert!(is_code_like(code), "{code}");
    }
    for text in [
        "Use asyncio.gather() to run things at once.",
        "The function returns a list.",
        "...and that is all.",
    ] {
        assert!(!is_code_like(text), "{text}");
    }
}

proptest! {
    #[test]
    fn ranges_cover_the_text_without_gaps(text in "\\PC{0,80}") {
        let mut end = 0;
        for range in sentence_ranges(&text) {
            prop_assert_eq!(range.start, end);
            end = range.end;
        }
        prop_assert_eq!(end, text.len());
    }

    #[test]
    fn identifiers_and_numbers_are_never_split(
        name in "[a-z]{1,6}\\.[A-Za-z]{1,6}",
        number in "[0-9]{1,3}\\.[0-9]{1,3}",
    ) {
        let text = format!("We use {name} since {number} because {name} is good. Next one.");
        let found = sentences(&text);
        prop_assert_eq!(found.len(), 2);
        prop_assert!(found[0].ends_with("is good."));
    }
}
