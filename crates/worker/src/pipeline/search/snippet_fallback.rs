//! Snippet fallback: takes missing excerpts from the answer that came with the hits.
//!
//! Perplexity's Sonar cites its sources without quoting them. What it says about a source helps if
//! the page cannot be read. As it is no quotation, a warning says so.

use crate::pipeline::{provider::ProviderResponse, text};

/// Characters of a snippet that is taken from the answer.
const MAX_SNIPPET_CHARS: usize = 600;

const SNIPPET_WARNING: &str = "perplexity gave no excerpt of some sources: what it says about them is used \
                      until their pages are read";

/// Fills each empty snippet with the sentences of the answer that cite the hit.
pub(super) fn fill_snippets(found: &mut ProviderResponse) {
    let Some(answer) = &found.answer else { return };
    let lacking: Vec<usize> = found
        .hits
        .iter()
        .zip(1..)
        .filter(|(hit, _)| hit.snippet.trim().is_empty())
        .map(|(_, number)| number)
        .collect();
    let mut has_lent = false;
    for (sentence, number) in cited_sentences(answer) {
        if !lacking.contains(&number) {
            continue;
        }
        let Some(hit) = found.hits.get_mut(number - 1) else {
            continue;
        };
        if hit.snippet.chars().count() + sentence.chars().count() >= MAX_SNIPPET_CHARS {
            continue;
        }
        if !hit.snippet.is_empty() {
            hit.snippet.push(' ');
        }
        hit.snippet.push_str(&sentence);
        has_lent = true;
    }
    if has_lent {
        found.notices.push(SNIPPET_WARNING.to_owned());
    }
}

/// The last sentence before each citation, and the number cited. A citation may be before or after
/// the full stop.
fn cited_sentences(answer: &str) -> Vec<(String, usize)> {
    let mut said = Vec::new();
    let mut pending = String::new();
    let mut sentence = String::new();
    let mut rest = answer;
    while let Some((before, after)) = rest.split_once('[') {
        pending.push_str(before);
        let cited = after
            .split_once(']')
            .and_then(|(inside, tail)| Some((inside.parse::<usize>().ok()?, tail)));
        let Some((number, tail)) = cited else {
            pending.push('[');
            rest = after;
            continue;
        };
        // The full stop of the previous sentence, if its citation was before it.
        let since = pending.trim_start_matches(['.', ',', ';', ' ']);
        if let Some(last) = text::sentences(since).last() {
            sentence = format!("{}.", last.trim_end_matches('.').trim_end());
        }
        pending.clear();
        if !sentence.is_empty() {
            said.push((sentence.clone(), number));
        }
        rest = tail;
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::{provider::Hit, test_support::hit};

    #[test]
    fn empty_snippets_are_filled_from_the_answer_with_a_warning() {
        let bare = |url| Hit {
            snippet: String::new(),
            ..hit("perplexity", url)
        };
        let mut found = ProviderResponse {
            hits: vec![
                bare("https://a.org/"),
                hit("perplexity", "https://b.org/"),
                bare("https://c.org/"),
            ],
            answer: Some(
                "Gold is heavy [1]. It melts at 1064 degrees [2]. It is yellow.[1][2]".to_owned(),
            ),
            ..ProviderResponse::default()
        };
        fill_snippets(&mut found);
        let snippets: Vec<&str> = found.hits.iter().map(|hit| hit.snippet.as_str()).collect();
        assert_eq!(
            snippets,
            [
                "Gold is heavy. It is yellow.",
                "Rust is a programming language.",
                ""
            ]
        );
        assert_eq!(found.notices, [SNIPPET_WARNING]);

        let mut complete = ProviderResponse {
            hits: vec![hit("perplexity", "https://b.org/")],
            answer: Some("It is so [1].".to_owned()),
            ..ProviderResponse::default()
        };
        fill_snippets(&mut complete);
        assert!(complete.notices.is_empty());
    }
}
