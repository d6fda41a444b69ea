use super::{
    job::{Format, JobHeader, Origin, ParseError, ParseJob, ParseResult, ParsedDocument},
    parse::parse,
};
use crate::web::extract::TextLimits;
use proptest::prelude::*;
use url::Url;

fn page(format: Format, bytes: impl Into<Vec<u8>>) -> ParseJob {
    ParseJob {
        format,
        content_type: None,
        origin: Origin::Page {
            url: Url::parse("http://a.example/page").unwrap(),
            was_redirected: false,
        },
        bytes: bytes.into(),
    }
}

fn file(format: Format, bytes: impl Into<Vec<u8>>) -> ParseJob {
    ParseJob {
        origin: Origin::File,
        ..page(format, bytes)
    }
}

/// Bytes of the result on the pipe.
fn answer(job: &ParseJob) -> usize {
    postcard::to_allocvec(&ParseResult::from_outcome(parse(job)))
        .unwrap()
        .len()
}

/// Hostile documents: a format, a start and a piece to repeat, one of the two containing `long`.
fn pieces(long: &str) -> [(Format, String, String); 8] {
    [
        (
            Format::Html,
            format!("<h1 id='{long}'>H</h1>"),
            "<p>x</p>".to_owned(),
        ),
        (
            Format::Html,
            format!("<title>{long}</title><h1>H</h1>"),
            "<p>x".to_owned(),
        ),
        (
            Format::Html,
            format!("<html lang='{long}'>"),
            "<dt>x<dd>y".to_owned(),
        ),
        (
            Format::Html,
            format!("<p><font class='{long}'>"),
            "<p>x".to_owned(),
        ),
        (Format::Html, String::new(), format!("<p id='{long}'>x")),
        (
            Format::Markdown,
            format!("# {long}\n\n"),
            "x\n\n".to_owned(),
        ),
        (
            Format::Markdown,
            format!("# a {{#{long}}}\n\n"),
            "x\n\n".to_owned(),
        ),
        (
            Format::Markdown,
            String::new(),
            format!("# {long}\n\nx\n\n"),
        ),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    /// The result must not grow with the product of a document's longest part and its number of
    /// parts.
    #[test]
    fn the_result_is_bounded_by_the_origin_and_size_of_the_document(
        long in 1usize..60_000,
        times in 1usize..2_000,
        kind in 0usize..8,
    ) {
        let (format, start, each) = pieces(&"a".repeat(long))[kind].clone();
        let times = times.min(2_000_000 / each.len());
        let text = start + &each.repeat(times);
        let size = text.len();
        // Twice the text, and the overhead of each block.
        let cost = size * 2 + times * (256 + 64) + 1_000;
        prop_assert!(answer(&file(format, text.clone())) <= cost);
        prop_assert!(answer(&page(format, text)) <= cost.min(TextLimits::PAGE.text * 2));
    }

    #[test]
    fn any_bytes_are_parsed_in_any_format(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        for format in [Format::Html, Format::Markdown, Format::Text, Format::Pdf] {
            let _ = parse(&page(format, bytes.clone()));
            let _ = parse(&file(format, bytes.clone()));
        }
    }
}

#[test]
fn jobs_and_results_survive_the_pipe_unchanged() {
    for job in [
        page(
            Format::Html,
            "<title>T</title><link rel=canonical href=/p><p>Words of a page.",
        ),
        file(Format::Markdown, "# T\n\nWords of a file."),
    ] {
        let header = postcard::to_allocvec(&JobHeader::from_job(&job)).unwrap();
        let header: JobHeader = postcard::from_bytes(&header).unwrap();
        let there = header.into_job(job.bytes.clone()).unwrap();
        assert_eq!((there.format, &there.origin), (job.format, &job.origin));
        let outcome = parse(&there);
        let bytes = postcard::to_allocvec(&ParseResult::from_outcome(outcome.clone())).unwrap();
        let back: ParseResult = postcard::from_bytes(&bytes).unwrap();
        assert_eq!(back.into_outcome(), outcome);
    }
}

#[test]
fn a_cookie_wall_is_refused_as_a_page_and_parsed_as_a_file() {
    let wall = "<title>Shop</title><p>Please accept all cookies to continue.";
    let judged = parse(&page(Format::Html, wall));
    assert_eq!(judged, Err(ParseError::NoContent("a cookie wall".into())));
    let ParsedDocument { document, .. } = parse(&file(Format::Html, wall)).unwrap();
    assert_eq!(document.text(), "Please accept all cookies to continue.");
}
