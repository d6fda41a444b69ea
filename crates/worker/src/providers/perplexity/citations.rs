//! Maps the numbers in Sonar's answers to hits.

use crate::{
    pipeline::Hit,
    providers::{
        dates,
        hits::{HitList, RawHit},
        response,
    },
};
use chrono::{DateTime, Utc};
use serde_json::Value;

/// The hits, and for each of Sonar's numbers (from 1, at index 0) the number of its hit.
/// `citations` lists the address of each number; `search_results` has more about each page. Without
/// `citations`, the order of `search_results` counts.
pub(super) fn sources(
    body: &Value,
    provider: &'static str,
    now: DateTime<Utc>,
) -> (Vec<Hit>, Vec<Option<usize>>) {
    let results = response::array_field(body, "search_results");
    let cited: Vec<&str> = response::array_field(body, "citations")
        .iter()
        .map(|url| url.as_str().unwrap_or_default())
        .collect();
    let listed: Vec<&str> = results
        .iter()
        .map(|result| response::text_field(result, "url"))
        .collect();
    let numbered = if cited.is_empty() { &listed } else { &cited };

    let mut hits = HitList::new(provider);
    let mut add = |url: &str| {
        let known = results
            .iter()
            .find(|result| response::text_field(result, "url") == url);
        let known = known.unwrap_or(&Value::Null);
        let index = hits.push(RawHit {
            title: response::text_field(known, "title"),
            url,
            snippet: response::text_field(known, "snippet"),
            published: dates::parse(response::text_field(known, "date"), now),
            ..RawHit::default()
        })?;
        Some(index + 1)
    };
    let numbers = numbered.iter().map(|url| add(url)).collect();
    for url in &listed {
        add(url);
    }
    (hits.finish(usize::MAX), numbers)
}
