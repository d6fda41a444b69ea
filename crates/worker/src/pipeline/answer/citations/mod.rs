//! Citations in an answer: `[n]`, where n counts the sources from 1.

mod fence;
mod filter;
mod parse;

pub use filter::CitationFilter;

use privachat_core::{
    domain,
    schema::{CitationMapping, Source},
};

/// `text` with its citations in one form: `[1, 2]`, `[1-2]`, `【1】`, `[^1]`, `[Source 1]` become
/// `[1][2]` and so on; numbers without a source are removed. Code is unchanged.
#[must_use]
pub fn clean(text: &str, sources: usize) -> String {
    let mut filter = CitationFilter::new(sources);
    let mut cleaned = filter.push(text);
    cleaned.push_str(&filter.finish());
    cleaned
}

/// `text` without its citations, and their numbers in order.
#[must_use]
pub fn strip(text: &str, sources: usize) -> (String, Vec<usize>) {
    let mut filter = CitationFilter::stripping(sources);
    let mut stripped = filter.push(text);
    stripped.push_str(&filter.finish());
    (stripped, filter.cited().to_vec())
}

/// The numbers of the citations in `text`, in order and with repetitions.
#[must_use]
pub fn cited_numbers(text: &str, sources: usize) -> Vec<usize> {
    strip(text, sources).1
}

/// The sources that `text` cites, by number.
#[must_use]
pub fn mapping(text: &str, sources: &[Source]) -> Vec<CitationMapping> {
    let cited = cited_numbers(text, sources.len());
    sources
        .iter()
        .enumerate()
        .filter_map(|(index, source)| {
            let number = index + 1;
            let mentions = cited.iter().filter(|&&cited| cited == number).count();
            (mentions > 0).then(|| CitationMapping {
                citation_number: number,
                source_index: index,
                mention_count: mentions,
                source_title: source.title.clone(),
                source_url: source.url.clone(),
                domain: domain::registrable_name(&source.url),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests;
