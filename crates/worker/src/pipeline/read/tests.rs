use super::*;
use crate::pipeline::{
    search::Providers,
    test_support::{Pages, Recorder, document},
};
use privachat_core::schema::SourceType;
use std::time::Duration;
use tokio::time::Instant;

const SHARE: Duration = Duration::from_secs(5);

fn context(pages: Pages) -> (Context, Arc<Pages>) {
    let pages = Arc::new(pages);
    let fetcher = Arc::clone(&pages);
    (Context::new(Providers::new(Vec::new()), fetcher), pages)
}

fn candidate(url: &str) -> Candidate {
    Candidate {
        url: url.to_owned(),
        title: String::new(),
        snippet: "An excerpt.".to_owned(),
        providers: vec!["searxng"],
        fused: 0.1,
        found_by: vec![0],
        published: None,
        source_type: SourceType::Web,
        document: None,
    }
}

#[tokio::test(start_paused = true)]
async fn slow_and_refused_pages_keep_their_excerpt_and_are_counted() {
    let pages = Pages::default()
        .with("https://a.org/", Duration::from_secs(1), Ok("Text of a."))
        .with("https://b.org/", SHARE * 2, Ok("Text of b."))
        .with(
            "https://c.org/",
            Duration::ZERO,
            Err(FetchError::Status(403)),
        )
        .with(
            "https://d.org/",
            Duration::ZERO,
            Err(FetchError::Status(403)),
        )
        .with("https://e.org/", Duration::ZERO, Ok("  "));
    let mut candidates: Vec<Candidate> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| candidate(&format!("https://{name}.org/")))
        .collect();
    let sink = Recorder::default();
    let start = Instant::now();
    let (context, pages) = context(pages);
    let tally = read(&context, &mut candidates, 5, Deadline::after(SHARE), &sink).await;
    let expected = Tally {
        read: 1,
        failed: 4,
        blocked: 2,
    };
    assert_eq!(tally, expected);

    assert!(start.elapsed() <= SHARE + Duration::from_millis(1));
    let read: Vec<bool> = candidates.iter().map(|c| c.document.is_some()).collect();
    assert_eq!(read, [true, false, false, false, false]);
    assert_eq!(candidates[0].title, "A page");
    assert_eq!(
        sink.warnings(),
        ["4 of 5 pages could not be read: 2 HTTP 403, 1 too slow, 1 nothing to read: empty"]
    );
    assert_eq!(sink.progress().last().unwrap(), "5 of 5 pages");
    assert_eq!(pages.asked.lock().unwrap().len(), 5, "none is asked twice");
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_side_by_side() {
    let second = Duration::from_secs(1);
    let pages = Pages::default()
        .with("https://a.org/", second, Ok("a"))
        .with("https://b.org/", second, Ok("b"));
    let mut candidates = vec![candidate("https://a.org/"), candidate("https://b.org/")];
    let (context, _) = context(pages);
    let start = Instant::now();
    read(
        &context,
        &mut candidates,
        5,
        Deadline::after(SHARE),
        &Recorder::default(),
    )
    .await;
    assert!(candidates.iter().all(|c| c.document.is_some()));
    assert!(start.elapsed() < second * 11 / 10);
}

#[tokio::test(start_paused = true)]
async fn only_web_pages_without_content_are_read_best_first_up_to_the_limit() {
    let mut with_content = candidate("https://known.org/");
    with_content.document = Some(Arc::new(document("Known.")));
    let mut candidates = vec![
        with_content,
        candidate("file:///doc/a.html"),
        candidate("no address"),
        candidate("https://a.org/"),
        candidate("https://b.org/"),
    ];
    let (context, pages) = context(Pages::default());
    read(
        &context,
        &mut candidates,
        1,
        Deadline::after(SHARE),
        &Recorder::default(),
    )
    .await;
    assert_eq!(*pages.asked.lock().unwrap(), ["https://a.org/"]);
}

#[tokio::test(start_paused = true)]
async fn nothing_is_said_when_nothing_is_to_be_read() {
    let sink = Recorder::default();
    read(
        &context(Pages::default()).0,
        &mut vec![candidate("https://a.org/")],
        0,
        Deadline::after(SHARE),
        &sink,
    )
    .await;
    assert!(sink.0.lock().unwrap().is_empty());
}
