use super::*;
use privachat_core::schema::SourceType;
use proptest::prelude::*;

#[test]
fn all_forms_of_citations_become_one() {
    for (text, expected) in [
        ("A [1][2].", "A [1][2]."),
        ("A [1, 2].", "A [1][2]."),
        ("A [1-3].", "A [1][2][3]."),
        ("A [1–3; 5].", "A [1][2][3][5]."),
        ("A 【1】.", "A [1]."),
        ("A 【2†L4-L9】.", "A [2]."),
        ("A [^1].", "A [1]."),
        ("A [Source 2].", "A [2]."),
        ("A [sources 1 and 2].", "A [1][2]."),
        ("A [[3]].", "A [3]."),
        ("A [1, [2]].", "A [1][2]."),
        ("A [1, 1].", "A [1]."),
    ] {
        assert_eq!(clean(text, 5), expected, "{text}");
    }
}

#[test]
fn citations_without_a_source_are_removed_with_their_space() {
    for (text, expected) in [
        ("A [0].", "A."),
        ("A [99] b.", "A b."),
        ("A [4, 99].", "A [4]."),
        ("A [2-99999999999999999999999].", "A [2][3][4][5]."),
        ("A [99]", "A"),
        ("[[99]7]", "7]"),
    ] {
        assert_eq!(clean(text, 5), expected, "{text}");
    }
}

#[test]
fn other_brackets_are_unchanged() {
    for text in [
        "see [this page](https://example.com)",
        "a [sic] b",
        "[ ] todo, [x] done",
        "an open [1",
        "[[wiki link]]",
    ] {
        assert_eq!(clean(text, 5), text);
    }
}

#[test]
fn code_is_unchanged() {
    for text in [
        "Use `items[99]` here.",
        "``a`b[99]``",
        "```python\nitems[99] = x[0]\n```",
        "~~~\n[99]\n~~~",
    ] {
        assert_eq!(clean(text, 5), text);
    }
    assert_eq!(clean("a lone ` and [99].", 5), "a lone ` and.");
    assert_eq!(
        clean("```\nx[9]\n```\ntext [9].", 5),
        "```\nx[9]\n```\ntext."
    );
}

#[test]
fn a_mapping_counts_mentions_by_source() {
    let sources = [
        source("Rust", "https://en.wikipedia.org/wiki/Rust"),
        source("News", "https://www.bbc.co.uk/1"),
    ];
    let mapping = mapping("A [2]. B [2][1]. `x[1]`", &sources);
    let seen: Vec<(usize, usize, usize, &str)> = mapping
        .iter()
        .map(|m| {
            (
                m.citation_number,
                m.source_index,
                m.mention_count,
                m.domain.as_str(),
            )
        })
        .collect();
    assert_eq!(seen, [(1, 0, 1, "wikipedia"), (2, 1, 2, "bbc")]);
}

fn source(title: &str, url: &str) -> Source {
    Source {
        title: title.to_owned(),
        url: url.to_owned(),
        snippet: String::new(),
        relevance: 0.5,
        semantic_score: None,
        final_score: 0.5,
        source_type: SourceType::Web,
    }
}

/// Text of mostly brackets, numbers and backticks.
fn citation_like_text() -> impl Strategy<Value = String> {
    prop::collection::vec(
        prop_oneof![
            Just("[".to_owned()),
            Just("]".to_owned()),
            Just("【".to_owned()),
            Just("】".to_owned()),
            Just("`".to_owned()),
            Just("```".to_owned()),
            Just("~~~".to_owned()),
            Just("\n".to_owned()),
            Just(" ".to_owned()),
            Just("[99]".to_owned()),
            Just("[1, 2]".to_owned()),
            Just("Source ".to_owned()),
            "[0-9,;^. ab-]{1,3}",
        ],
        0..24,
    )
    .prop_map(|parts| parts.concat())
}

proptest! {
    #[test]
    fn cleaning_twice_changes_nothing(text in citation_like_text()) {
        let once = clean(&text, 3);
        prop_assert_eq!(clean(&once, 3), once);
    }

    #[test]
    fn no_number_beyond_the_sources_is_left(text in citation_like_text()) {
        let once = clean(&text, 3);
        let mut wider = CitationFilter::stripping(1_000_000);
        wider.push(&once);
        wider.finish();
        prop_assert!(wider.cited().iter().all(|&number| number <= 3), "{:?}", once);
    }

    #[test]
    fn the_split_is_irrelevant(text in citation_like_text(), cuts in prop::collection::vec(0usize..6, 0..30)) {
        let mut filter = CitationFilter::new(3);
        let mut chars = text.chars();
        let mut streamed = String::new();
        for cut in cuts {
            let piece: String = chars.by_ref().take(cut).collect();
            streamed.push_str(&filter.push(&piece));
        }
        streamed.push_str(&filter.push(chars.as_str()));
        streamed.push_str(&filter.finish());
        prop_assert_eq!(streamed, clean(&text, 3));
    }

    #[test]
    fn any_text_is_accepted(text in "\\PC{0,200}") {
        let cleaned = clean(&text, 4);
        prop_assert!(cleaned.chars().count() <= 3 * text.chars().count());
    }
}
