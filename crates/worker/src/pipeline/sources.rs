//! Converts ranked sources to the sources of the response.

use super::RankedSource;
use privachat_core::schema::{Source, SourceDetail};

/// In characters. Kept short: each subscriber receives every snippet twice.
const MAX_SNIPPET_CHARS: usize = 300;
/// Per source.
const MAX_PASSAGES: usize = 3;
/// In characters.
const MAX_PASSAGE_CHARS: usize = 500;

/// The sources, and their details in the same order.
#[must_use]
pub fn to_response(ranked: &[RankedSource]) -> (Vec<Source>, Vec<SourceDetail>) {
    ranked
        .iter()
        .map(|source| (to_source(source), to_detail(source)))
        .unzip()
}

fn to_source(source: &RankedSource) -> Source {
    let best = source.passages.first().map_or("", |passage| &passage.text);
    let text = plain_text(best);
    let text = if text.is_empty() {
        source.candidate.snippet.clone()
    } else {
        text
    };
    Source {
        title: source.candidate.title.clone(),
        url: source_url(source),
        snippet: snippet(&text),
        relevance: source.relevance,
        semantic_score: source.semantic_score,
        final_score: source.final_score,
        source_type: source.candidate.source_type,
    }
}

/// The URL of the source, with the page of its best passage if it is a PDF file. HTML fragments
/// are only kept, never added: many are poor places to start reading.
fn source_url(source: &RankedSource) -> String {
    let url = &source.candidate.url;
    let best = source.passages.first();
    match best.and_then(|passage| passage.anchor.as_deref()) {
        Some(page) if page.starts_with("page=") && !url.contains('#') => format!("{url}#{page}"),
        _ => url.clone(),
    }
}

/// `text` shortened to what a source shows.
pub(super) fn snippet(text: &str) -> String {
    shorten(text, MAX_SNIPPET_CHARS)
}

fn to_detail(source: &RankedSource) -> SourceDetail {
    SourceDetail {
        providers: source
            .candidate
            .providers
            .iter()
            .map(|name| (*name).to_owned())
            .collect(),
        fetched: source.candidate.document.is_some(),
        published: source.candidate.published,
        passages: source
            .passages
            .iter()
            .take(MAX_PASSAGES)
            .map(|passage| shorten(&passage.text, MAX_PASSAGE_CHARS))
            .collect(),
    }
}

/// A passage without Markdown signs and without code; empty if it is all code.
fn plain_text(text: &str) -> String {
    let mut code = false;
    let mut words: Vec<&str> = Vec::new();
    for line in text.lines() {
        if line == "```" {
            code = !code;
        } else if !code {
            let line = line.strip_prefix("- ").unwrap_or(line);
            words.extend(line.trim_matches(['|', ' ']).split_whitespace());
        }
    }
    words.join(" ")
}

/// At most `limit` characters, cut between words and with an ellipsis if longer.
fn shorten(text: &str, limit: usize) -> String {
    let text = text.trim();
    if text.chars().count() <= limit {
        return text.to_owned();
    }
    let head: String = text.chars().take(limit.saturating_sub(1)).collect();
    let cut = head
        .rfind(char::is_whitespace)
        .filter(|cut| *cut > head.len() / 2);
    let kept = cut.and_then(|cut| head.get(..cut)).unwrap_or(&head);
    format!("{}…", kept.trim_end_matches([' ', ',', ';', ':', '\n']))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::answer::fixtures::ranked;

    #[test]
    fn a_long_excerpt_is_shortened() {
        let shown = snippet(&"many words ".repeat(1000));
        assert!(shown.chars().count() <= MAX_SNIPPET_CHARS, "{shown}");
        assert_eq!(snippet("A short one."), "A short one.");
    }

    #[test]
    fn a_snippet_has_no_code_and_is_cut_between_words() {
        let text = format!(
            "- A first item.\n```\nlet x = 1;\n```\n{}",
            "many words ".repeat(60)
        );
        let (sources, details) = to_response(&[ranked("Title", "https://a.example/", &text)]);
        let snippet = &sources[0].snippet;
        assert!(snippet.starts_with("A first item. many words"), "{snippet}");
        assert!(snippet.ends_with("…") && !snippet.contains("let x"));
        assert!(snippet.chars().count() <= MAX_SNIPPET_CHARS);
        assert!(details[0].passages[0].chars().count() <= MAX_PASSAGE_CHARS);
        assert!(!details[0].fetched);
    }

    #[test]
    fn a_pdf_source_links_to_the_page_of_its_best_passage() {
        let at = |url, anchor: &str| {
            let mut source = ranked("Title", url, "Text.");
            source.passages[0].anchor = Some(anchor.to_owned());
            to_response(&[source]).0.remove(0).url
        };
        let pdf = "https://a.example/x.pdf";
        assert_eq!(at(pdf, "page=7"), "https://a.example/x.pdf#page=7");
        let known = "https://a.example/x.pdf#page=2";
        assert_eq!(at(known, "page=7"), known);
        assert_eq!(at("https://a.example/", "intro"), "https://a.example/");
    }

    #[test]
    fn details_are_in_the_order_of_the_sources() {
        let ranked = [
            ranked("One", "https://a.example/", "First."),
            ranked("Two", "https://b.example/", "Second."),
        ];
        let (sources, details) = to_response(&ranked);
        assert_eq!(sources[1].title, "Two");
        assert_eq!(details[1].passages, ["Second."]);
    }
}
