//! The sources behind the numbers in Sonar's answers.

use crate::{
    pipeline::Hit,
    providers::{
        dates,
        hits::{HitList, Raw},
        reply,
    },
};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The hits, and for each of Sonar's numbers (from 1; the list starts at 0) the number of its hit.
/// `citations` holds the addresses that the numbers mean; `search_results` knows more of each.
/// Without the former the latter's order counts.
pub(super) fn sources(
    body: &Value,
    provider: &'static str,
    now: DateTime<Utc>,
) -> (Vec<Hit>, Vec<Option<usize>>) {
    let results = reply::list(body, "search_results");
    let cited: Vec<&str> = reply::list(body, "citations")
        .iter()
        .map(|url| url.as_str().unwrap_or_default())
        .collect();
    let listed: Vec<&str> = results
        .iter()
        .map(|result| reply::text(result, "url"))
        .collect();
    let numbered = if cited.is_empty() { &listed } else { &cited };

    let mut hits = HitList::new(provider);
    let mut add = |url: &str| {
        let known = results
            .iter()
            .find(|result| reply::text(result, "url") == url);
        let known = known.unwrap_or(&Value::Null);
        let index = hits.push(Raw {
            title: reply::text(known, "title"),
            url,
            snippet: reply::text(known, "snippet"),
            published: dates::parse(reply::text(known, "date"), now),
            ..Raw::default()
        })?;
        Some(index + 1)
    };
    let numbers = numbered.iter().map(|url| add(url)).collect();
    for url in &listed {
        add(url);
    }
    (hits.finish(usize::MAX), numbers)
}

/// `text` with each `[n]` replaced by the number of its hit; those without a hit are removed.
pub(super) fn renumber(text: &str, numbers: &[Option<usize>]) -> String {
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
}
