//! The search page in a real browser; everything behind it is real except the web and the model.

use std::time::Duration;

use privachat_tests::browser::{SITE_TEXT, Service, phone};
use privachat_tests::{Browser, Upstream, binaries, upstream::Reply};
use thirtyfour::Key;

/// Between two words of an answer: about three seconds for the whole answer.
const SLOWLY: Duration = Duration::from_millis(100);
const AT_ONCE: Duration = Duration::ZERO;

const MIN_CONTRAST: f64 = 4.5;

async fn ask(browser: &Browser, service: &Service) {
    browser.open(&service.url_for("/")).await;
    browser.state("idle").await;
    browser.write("#query", "What is gather?").await;
    browser.click("#send").await;
}

/// The session id in the address.
async fn id(browser: &Browser) -> String {
    let address = browser.address().await;
    let (_, id) = address.rsplit_once("/s/").expect("a permalink");
    id.to_owned()
}

/// The page shows the same as a poll returns.
async fn assert_answer_shown(browser: &Browser, service: &Service) {
    browser.state("completed").await;
    let end = service
        .stack
        .client()
        .wait_completed(&id(browser).await)
        .await;
    let answer = end["answer"].as_str().unwrap();
    // Numbers in brackets are links to the sources on the page.
    let numbers = ["[1]", "[2]"]
        .iter()
        .fold(answer.to_owned(), |text, number| {
            text.replace(number, number.trim_matches(['[', ']']))
        });
    assert_eq!(browser.text("#answer").await, numbers);
    let sources = end["sources"].as_array().unwrap().len();
    assert_eq!(browser.count("#sources > li").await, sources as u64);
}

#[tokio::test]
async fn errors_and_policy_violations_of_a_page_are_noticed() {
    let page = "<!doctype html><title>x</title><script src=/own.js></script><script>window.inline = 1</script>";
    let site = Upstream::start(move |request| match request.path.as_str() {
        "/own.js" => Reply::new(200, "text/javascript", "throw new Error('on purpose')"),
        "/favicon.ico" => Reply::new(200, "image/x-icon", ""),
        _ => Reply::html(page).header("Content-Security-Policy", "script-src 'self'"),
    });
    let browser = Browser::start().await;
    browser.open(&site.url()).await;
    let faults = browser.faults().await.join("\n");
    assert!(faults.contains("on purpose"), "{faults}");
    assert!(faults.contains("Content Security Policy"), "{faults}");
    browser.end().await;
}

#[tokio::test]
async fn a_question_shows_its_progress_and_answer_and_a_citation_leads_to_its_passage() {
    let service = Service::start(binaries!(), SLOWLY).await;
    let browser = Browser::start().await;
    ask(&browser, &service).await;
    browser.sees("#stages [data-state=active]").await;
    browser.sees("#sources > li .source-link").await;
    browser.reads("#answer", "Gather is a function").await;
    let early = browser.text("#answer").await.len();
    assert_eq!(browser.text("body:not([data-state=processing])").await, "");
    assert_answer_shown(&browser, &service).await;
    assert!(browser.text("#answer").await.len() > early);

    browser.click("a.citation[data-number='2']").await;
    browser.sees("#source-2.is-cited:focus").await;
    browser
        .reads("#source-2 .passages blockquote", "The order of the results")
        .await;
    browser.end().await;
}

#[tokio::test]
async fn a_reload_and_a_second_window_during_a_search_lose_nothing() {
    let service = Service::start(binaries!(), SLOWLY).await;
    let browser = Browser::start().await;
    ask(&browser, &service).await;
    browser.reads("#answer", "Gather is").await;
    browser.reload().await;
    browser.reads("#answer", "Gather is a function").await;
    let address = browser.address().await;
    let first = browser.second_window(&address).await;
    browser.reads("#answer", "Gather is a function").await;
    assert_answer_shown(&browser, &service).await;
    browser.to_window(first).await;
    assert_answer_shown(&browser, &service).await;
    browser.reload().await;
    assert_answer_shown(&browser, &service).await;
    browser.end().await;
}

#[tokio::test]
async fn an_api_that_dies_and_restarts_during_a_search_loses_nothing() {
    let mut service = Service::start(binaries!(), SLOWLY).await;
    let browser = Browser::start().await;
    ask(&browser, &service).await;
    browser.reads("#answer", "Gather is").await;
    service.stack.replace_api().await;
    assert_answer_shown(&browser, &service).await;
    // The browser logs the connections that broke.
    let lost = ["ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RE"];
    browser.end_with(&lost).await;
}

#[tokio::test]
async fn a_search_is_cancelled_and_retried() {
    let service = Service::start(binaries!(), SLOWLY).await;
    let browser = Browser::start().await;
    ask(&browser, &service).await;
    browser.reads("#answer", "Gather").await;
    let cancelled = id(&browser).await;
    browser.click("#cancel").await;
    browser.state("failed").await;
    browser.reads("#error", "cancelled").await;
    browser.click("#retry").await;
    assert_answer_shown(&browser, &service).await;
    assert_ne!(id(&browser).await, cancelled);

    assert_eq!(browser.count("#history a[href^='/s/']").await, 2);
    browser
        .click(&format!("#history a[href='/s/{cancelled}']"))
        .await;
    browser.state("failed").await;
    browser.click("#forget").await;
    assert_eq!(browser.count("#history a[href^='/s/']").await, 0);
    browser.end().await;
}

#[tokio::test]
async fn the_page_works_with_the_keyboard_alone() {
    let service = Service::start(binaries!(), AT_ONCE).await;
    let browser = Browser::start().await;
    browser.open(&service.url_for("/")).await;
    browser.state("idle").await;
    browser.tab_to("#query").await;
    browser.press("What is gather?").await;
    browser.press(Key::Enter).await;
    assert_answer_shown(&browser, &service).await;
    browser.tab_to("a.citation[data-number='1']").await;
    browser.press(Key::Enter).await;
    browser.sees("#source-1.is-cited:focus").await;
    browser.end().await;
}

#[tokio::test]
async fn markup_in_answers_and_titles_is_shown_as_text() {
    const MARKUP: &str =
        "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">";
    let answer = format!("{} {MARKUP} [click](javascript:alert(1)) [1]", SITE_TEXT[0]);
    let service = Service::over(
        binaries!(),
        [MARKUP, "javascript:alert(1)"],
        &answer,
        AT_ONCE,
        |it| it,
    )
    .await;
    let browser = Browser::start().await;
    ask(&browser, &service).await;
    browser.state("completed").await;
    browser
        .reads("#sources .source-link", "javascript:alert(1)")
        .await;
    browser.reads("#answer", "<img src=x onerror").await;
    browser.reads("#sources .source-link", "<script>").await;
    assert_eq!(
        browser
            .count("#main script, #main img, #main [href^='javascript:' i]")
            .await,
        0
    );
    let title = browser.script("return document.title", ()).await;
    assert!(!title.as_str().unwrap().contains("taken"), "{title}");
    browser.end().await;
}

#[tokio::test]
async fn a_phone_shows_it_without_scrolling_sideways_and_all_colours_are_readable() {
    let service = Service::start(binaries!(), AT_ONCE).await;
    let browser = Browser::start().await;
    browser.screen(phone()).await;
    ask(&browser, &service).await;
    browser.state("completed").await;
    browser.click("a.citation").await;
    assert_eq!(browser.overflow().await, 0);
    for colours in ["light", "dark"] {
        browser.prefers(colours).await;
        for text in [
            "#answer",
            "#question",
            "a.citation",
            ".source-link",
            ".host",
            "blockquote",
            "#send",
            "#status",
            "#facts dd",
            "#facts dt",
            "#query",
            "#history a",
            ".help",
        ] {
            let contrast = browser.contrast(text).await;
            assert!(contrast >= MIN_CONTRAST, "{text} in {colours}: {contrast}");
        }
    }
    browser.end().await;
}

#[tokio::test]
async fn errors_of_the_api_are_shown() {
    let mut service = Service::start(binaries!(), AT_ONCE).await;
    let browser = Browser::start().await;
    browser.open(&service.url_for("/s/nonsense")).await;
    browser.sees("#error").await;
    browser.open(&service.url_for("/")).await;
    browser.state("idle").await;
    service.stack.redis.kill();
    browser.write("#query", "What is gather?").await;
    browser.press(Key::Enter).await;
    browser.sees("#error").await;
    browser.end_with(&["status of 422", "status of 503"]).await;
}
