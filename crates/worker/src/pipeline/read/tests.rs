use super::*;
use crate::pipeline::{
    PageFetcher,
    search::Providers,
    test_support::{Recorder, ScriptedPages, document},
};
use privachat_core::schema::SourceType;
use std::time::Duration;
use tokio::time::Instant;

const READ_TIME: Duration = Duration::from_secs(5);

fn context(pages: ScriptedPages) -> (Context, Arc<ScriptedPages>) {
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
        fusion_score: 0.1,
        found_by_queries: vec![0],
        published: None,
        source_type: SourceType::Web,
        document: None,
    }
}

#[tokio::test(start_paused = true)]
async fn slow_and_blocked_pages_keep_their_excerpt_and_are_counted() {
    let pages = ScriptedPages::default()
        .with("https://a.org/", Duration::from_secs(1), Ok("Text of a."))
        .with("https://b.org/", READ_TIME * 2, Ok("Text of b."))
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
    let tally = read(
        &context,
        &mut candidates,
        5,
        None,
        Deadline::after(READ_TIME),
        &sink,
    )
    .await;
    let expected = FetchStats {
        read: 1,
        failed: 4,
        blocked: 2,
        late: 1,
    };
    assert_eq!(tally, expected);

    let cut = start.elapsed();
    assert!(cut <= Duration::from_millis(3_001), "{cut:?}");
    let read: Vec<bool> = candidates.iter().map(|c| c.document.is_some()).collect();
    assert_eq!(read, [true, false, false, false, false]);
    assert_eq!(candidates[0].title, "A page");
    assert_eq!(
        sink.warnings(),
        ["4 of 5 pages could not be read: 2 HTTP 403, 1 too slow, 1 nothing to read: empty"]
    );
    assert_eq!(sink.progress().last().unwrap(), "5 of 5 pages");
    assert_eq!(pages.asked.lock().unwrap().len(), 5, "each is fetched once");
}

#[tokio::test(start_paused = true)]
async fn pages_are_read_concurrently_in_the_language_of_the_question() {
    let second = Duration::from_secs(1);
    let pages = ScriptedPages::default()
        .with("https://a.org/", second, Ok("a"))
        .with("https://b.org/", second, Ok("b"));
    let mut candidates = vec![candidate("https://a.org/"), candidate("https://b.org/")];
    let (context, pages) = context(pages);
    let start = Instant::now();
    read(
        &context,
        &mut candidates,
        5,
        Some("de"),
        Deadline::after(READ_TIME),
        &Recorder::default(),
    )
    .await;
    assert!(candidates.iter().all(|c| c.document.is_some()));
    assert!(start.elapsed() < second * 11 / 10);
    let in_german = Some("de".to_owned());
    assert_eq!(
        *pages.languages.lock().unwrap(),
        [in_german.clone(), in_german]
    );
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
    let (context, pages) =
        context(ScriptedPages::default().with("https://a.org/", Duration::ZERO, Ok("Text of a.")));
    read(
        &context,
        &mut candidates,
        1,
        None,
        Deadline::after(READ_TIME),
        &Recorder::default(),
    )
    .await;
    assert_eq!(*pages.asked.lock().unwrap(), ["https://a.org/"]);
}

#[tokio::test(start_paused = true)]
async fn without_pages_to_read_no_event_is_sent() {
    let sink = Recorder::default();
    read(
        &context(ScriptedPages::default()).0,
        &mut vec![candidate("https://a.org/")],
        0,
        None,
        Deadline::after(READ_TIME),
        &sink,
    )
    .await;
    assert!(sink.0.lock().unwrap().is_empty());
}

/// Reads `count` pages: the first one hangs, each of the others takes `delay`.
async fn read_with_straggler(delay: Duration, count: usize) -> (FetchStats, Duration) {
    let names: Vec<String> = (0..count).map(|at| format!("https://{at}.org/")).collect();
    let pages = names[1..]
        .iter()
        .fold(ScriptedPages::default(), |pages, url| {
            pages.with(url, delay, Ok("Text."))
        })
        .with(&names[0], READ_TIME * 10, Ok("Late."));
    let mut candidates: Vec<Candidate> = names.iter().map(|url| candidate(url)).collect();
    let (context, _) = context(pages);
    let start = Instant::now();
    let sink = Recorder::default();
    let whole = Deadline::after(READ_TIME * 3);
    let tally = read(&context, &mut candidates, count, None, whole, &sink).await;
    assert_eq!(
        sink.warnings(),
        [format!("1 of {count} pages could not be read: 1 too slow")]
    );
    let last = format!("{count} of {count} pages");
    assert_eq!(sink.progress().last(), Some(&last));
    (tally, start.elapsed())
}

#[tokio::test(start_paused = true)]
async fn the_last_page_gets_as_long_as_the_slowest_of_the_others() {
    let second = Duration::from_secs(1);
    let (tally, took) = read_with_straggler(second, 5).await;
    assert_eq!((tally.read, tally.failed), (4, 1));
    assert!(took >= second * 2 && took < second * 21 / 10, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn the_last_page_gets_a_minimum_wait_and_a_longer_one_with_few_pages() {
    let quick = Duration::from_millis(10);
    let (_, took) = read_with_straggler(quick, 5).await;
    assert!(took < Duration::from_millis(720), "{took:?}");
    let (_, took) = read_with_straggler(quick, 2).await;
    assert!(
        took > Duration::from_millis(1_990) && took < Duration::from_millis(2_020),
        "{took:?}"
    );
}

#[tokio::test(start_paused = true)]
async fn the_only_page_left_gets_the_whole_time() {
    let pages = ScriptedPages::default()
        .with(
            "https://a.org/",
            READ_TIME - Duration::from_millis(10),
            Ok("a"),
        )
        .with(
            "https://b.org/",
            Duration::ZERO,
            Err(FetchError::Status(403)),
        );
    let mut candidates = vec![candidate("https://a.org/"), candidate("https://b.org/")];
    let (context, _) = context(pages);
    let whole = Deadline::after(READ_TIME);
    let tally = read(
        &context,
        &mut candidates,
        2,
        None,
        whole,
        &Recorder::default(),
    )
    .await;
    assert_eq!((tally.read, tally.failed), (1, 1));
}

#[tokio::test(start_paused = true)]
async fn the_next_best_page_replaces_one_that_fails() {
    let instant = Duration::ZERO;
    let pages = ScriptedPages::default()
        .with("https://c.org/", instant, Ok("c"))
        .with("https://d.org/", instant, Ok("d"))
        .with("https://e.org/", instant, Ok("e"));
    let mut candidates: Vec<Candidate> = ["a", "b", "c", "d", "e"]
        .iter()
        .map(|name| candidate(&format!("https://{name}.org/")))
        .collect();
    let (context, pages) = context(pages);
    let whole = Deadline::after(READ_TIME);
    let tally = read(
        &context,
        &mut candidates,
        2,
        None,
        whole,
        &Recorder::default(),
    )
    .await;
    assert_eq!((tally.read, tally.failed), (2, 2));
    let asked = pages.asked.lock().unwrap().clone();
    assert_eq!(
        asked,
        ["a", "b", "c", "d"].map(|name| format!("https://{name}.org/")),
        "no more than are wanted"
    );
}

#[tokio::test(start_paused = true)]
async fn at_most_twice_as_many_pages_as_wanted_are_fetched() {
    let mut candidates: Vec<Candidate> = (0..20)
        .map(|at| candidate(&format!("https://{at}.org/")))
        .collect();
    let (context, pages) = context(ScriptedPages::default());
    let whole = Deadline::after(READ_TIME);
    let tally = read(
        &context,
        &mut candidates,
        3,
        None,
        whole,
        &Recorder::default(),
    )
    .await;
    assert_eq!((tally.read, tally.failed), (0, 6));
    assert_eq!(pages.asked.lock().unwrap().len(), 6);
}

/// Redirects every URL of short.org to one page.
struct RedirectingFetcher;

#[async_trait::async_trait]
impl PageFetcher for RedirectingFetcher {
    async fn fetch(&self, url: &Url, _: Option<&str>, _: Deadline) -> Result<Page, FetchError> {
        let is_short = url.host_str() == Some("short.org");
        let address = if is_short {
            "https://long.org/page"
        } else {
            url.as_str()
        };
        Ok(Page {
            url: Url::parse(address).unwrap(),
            document: document("Text."),
            cached: false,
        })
    }
}

#[tokio::test(start_paused = true)]
async fn candidates_that_redirect_to_one_page_are_merged_and_another_is_read() {
    let mut first = candidate("https://short.org/1");
    first.found_by_queries = vec![1];
    let mut last = candidate("https://www.long.org/page/");
    last.providers = vec!["wikipedia"];
    last.snippet = "A longer excerpt of it.".to_owned();
    let mut candidates = vec![
        first,
        candidate("https://short.org/2"),
        candidate("https://other.org/#part"),
        last,
    ];
    let context = Context::new(Providers::new(Vec::new()), Arc::new(RedirectingFetcher));
    let whole = Deadline::after(READ_TIME);
    read(
        &context,
        &mut candidates,
        2,
        None,
        whole,
        &Recorder::default(),
    )
    .await;
    let urls: Vec<&str> = candidates.iter().map(|it| it.url.as_str()).collect();
    assert_eq!(urls, ["https://long.org/page", "https://other.org/#part"]);
    assert!(candidates.iter().all(|it| it.document.is_some()));
    let joined = &candidates[0];
    assert_eq!(joined.providers, ["searxng", "wikipedia"]);
    assert_eq!(joined.found_by_queries, [1, 0]);
    assert_eq!(joined.snippet, "A longer excerpt of it.");
    assert!((joined.fusion_score - 0.3).abs() < 1e-9);
}
