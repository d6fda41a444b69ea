//! Excerpts for results that have none, out of the answer that came with them.
//!
//! Sonar names its sources and need not quote them. What it says of a source is better than
//! nothing where the page cannot be read, and it is no quotation: the user is told.

use crate::pipeline::{provider::Found, text};

/// Characters lent to one result.
const MOST: usize = 600;

const NOTICE: &str = "perplexity gave no excerpt of some sources: until their pages are read, \
                      what it says of them stands in";

/// Gives each hit without an excerpt the sentences of the answer that cite it.
pub(super) fn lend(found: &mut Found) {
    let Some(answer) = &found.answer else { return };
    let lacking: Vec<usize> = found
        .hits
        .iter()
        .zip(1..)
        .filter(|(hit, _)| hit.snippet.trim().is_empty())
        .map(|(_, number)| number)
        .collect();
    let mut has_lent = false;
    for (sentence, number) in said(answer) {
        if !lacking.contains(&number) {
            continue;
        }
        let Some(hit) = found.hits.get_mut(number - 1) else {
            continue;
        };
        if hit.snippet.chars().count() + sentence.chars().count() >= MOST {
            continue;
        }
        if !hit.snippet.is_empty() {
            hit.snippet.push(' ');
        }
        hit.snippet.push_str(&sentence);
        has_lent = true;
    }
    if has_lent {
        found.notices.push(NOTICE.to_owned());
    }
}

/// The last sentence before each citation, and the number cited. The citation may stand before the
/// full stop or behind it.
fn said(answer: &str) -> Vec<(String, usize)> {
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
        // The stop of the sentence before, when its citation stood in front of it.
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
    fn a_hit_without_an_excerpt_gets_what_is_said_of_it_and_the_user_is_told() {
        let bare = |url| Hit {
            snippet: String::new(),
            ..hit("perplexity", url)
        };
        let mut found = Found {
            hits: vec![
                bare("https://a.org/"),
                hit("perplexity", "https://b.org/"),
                bare("https://c.org/"),
            ],
            answer: Some(
                "Gold is heavy [1]. It melts at 1064 degrees [2]. It is yellow.[1][2]".to_owned(),
            ),
            ..Found::default()
        };
        lend(&mut found);
        let snippets: Vec<&str> = found.hits.iter().map(|hit| hit.snippet.as_str()).collect();
        assert_eq!(
            snippets,
            [
                "Gold is heavy. It is yellow.",
                "Rust is a programming language.",
                ""
            ]
        );
        assert_eq!(found.notices, [NOTICE]);

        let mut complete = Found {
            hits: vec![hit("perplexity", "https://b.org/")],
            answer: Some("It is so [1].".to_owned()),
            ..Found::default()
        };
        lend(&mut complete);
        assert!(complete.notices.is_empty());
    }
}
