//! Measurements in a browser, and the screenshots of the documentation. Not part of a plain test
//! run: `make screenshots`, and `cargo test -p privachat-tests --test heavy -- --ignored
//! --nocapture browser_figures::figures`.

use std::path::{Path, PathBuf};
use std::time::Duration;

use privachat_tests::browser::{SITE_TEXT, Service, phone};
use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Browser, binaries};
use serde_json::Value;

const AT_ONCE: Duration = Duration::ZERO;
const PACE: Duration = Duration::from_millis(60);
const MAX_PICTURE_BYTES: u64 = 150 * 1024;

/// Milliseconds from Redis, whose clock makes the ids, to the page, whose clock is the same.
const LISTEN: &str = "
    window.late = [];
    window.over = false;
    const source = new EventSource(`/api/v1/search/${arguments[0]}/events`);
    source.addEventListener('text', (message) => {
        window.late.push(performance.timeOrigin + performance.now() - parseInt(message.lastEventId, 10));
    });
    source.addEventListener('completed', () => { source.close(); window.over = true; });";

const WATCH_FIRST_TEXT: &str = "
    const answer = document.querySelector('#answer');
    const seen = () => { if (answer.textContent) { window.first ??= performance.now() - window.submitted; } };
    new MutationObserver(seen).observe(answer, { childList: true, subtree: true });
    document.querySelector('#ask').addEventListener('submit', () => { window.submitted = performance.now(); }, true);";

const WEIGHT: &str = "
    const all = [...performance.getEntriesByType('navigation'), ...performance.getEntriesByType('resource')];
    return all.map((it) => [new URL(it.name).pathname, it.transferSize]);";

#[tokio::test]
#[ignore = "measures: run it on a quiet machine"]
async fn figures() {
    let _alone = crate::alone().await;
    let browser = Browser::start().await;
    let answer = SITE_TEXT.map(|text| format!("{text} [1]")).join(" ");
    let long = [answer.as_str(); 6].join(" ");
    let service = Service::saying(binaries!(), &long, PACE).await;
    browser.open(&service.url_for("/")).await;
    browser.state("idle").await;
    let weight = browser.script(WEIGHT, Value::Null).await;
    let parts = weight.as_array().unwrap();
    let bytes: u64 = parts.iter().map(|it| it[1].as_u64().unwrap()).sum();
    println!(
        "first load: {bytes} bytes over the wire in {} requests: {weight}",
        parts.len()
    );

    let mut late: Vec<f64> = Vec::new();
    for _ in 0..4 {
        let id = service.ask().await;
        browser.script(LISTEN, id).await;
        browser
            .until("the search is over", "return window.over", Value::Null)
            .await;
        let some = browser.script("return window.late", Value::Null).await;
        late.extend(some.as_array().unwrap().iter().filter_map(Value::as_f64));
    }
    late.sort_by(f64::total_cmp);
    let at = |share: f64| late[((late.len() - 1) as f64 * share) as usize];
    println!(
        "text events, worker to page: p50 {:.1} ms, p99 {:.1} ms, most {:.1} ms, of {}",
        at(0.5),
        at(0.99),
        at(1.0),
        late.len()
    );
    drop(service);

    let service = Service::start(binaries!(), AT_ONCE).await;
    let mut first: Vec<f64> = Vec::new();
    for run in 0..20 {
        browser.open(&service.url_for("/")).await;
        browser.state("idle").await;
        browser.script(WATCH_FIRST_TEXT, Value::Null).await;
        browser
            .write("#query", &format!("What is gather, for the {run}. time?"))
            .await;
        browser.click("#send").await;
        browser.state("completed").await;
        first.push(
            browser
                .script("return window.first", Value::Null)
                .await
                .as_f64()
                .unwrap(),
        );
    }
    first.sort_by(f64::total_cmp);
    println!(
        "first answer text after asking (balanced, web and model answer at once): p50 {:.0} ms, most {:.0} ms",
        first[first.len() / 2],
        first[first.len() - 1]
    );
    browser.end().await;
}

fn folder() -> PathBuf {
    let project = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    project.join("docs/screenshots")
}

async fn picture(browser: &Browser, name: &str) {
    let file = folder().join(format!("{name}.png"));
    browser.picture(&file).await;
    let bytes = std::fs::metadata(&file).unwrap().len();
    assert!(bytes <= MAX_PICTURE_BYTES, "{name}: {bytes} bytes");
}

#[tokio::test]
#[ignore = "writes docs/screenshots"]
async fn screenshots() {
    let _alone = crate::alone().await;
    std::fs::create_dir_all(folder()).unwrap();
    let titles = ["What gather does", "What gather returns"];
    let answer = format!("{} [1] {} [2]", SITE_TEXT[0], SITE_TEXT[1]);
    let service = Service::over(binaries!(), titles, &answer, PACE, |builder| {
        builder.env("LLM_MODEL", "qwen3:8b")
    })
    .await;
    let browser = Browser::start().await;
    let desk =
        serde_json::json!({"width": 1280, "height": 800, "deviceScaleFactor": 1, "mobile": false});
    browser.screen(desk.clone()).await;
    browser.open(&service.url_for("/")).await;
    browser.state("idle").await;
    browser.write("#query", "What does gather do?").await;
    browser.click("#send").await;
    browser.reads("#answer", "awaitable objects").await;
    picture(&browser, "running").await;
    browser.state("completed").await;
    browser.click("a.citation").await;
    browser.sees("#source-1.is-cited").await;
    browser
        .script(
            "document.querySelector('#question').scrollIntoView()",
            Value::Null,
        )
        .await;
    picture(&browser, "answer").await;
    browser.prefers("dark").await;
    browser.screen(phone()).await;
    picture(&browser, "phone").await;

    browser.screen(desk).await;
    browser.prefers("light").await;
    browser.open(&service.url_for("/queue")).await;
    let nothing = searxng::body("", &[]).to_string();
    service.web.next(Reply::json(200, nothing));
    for _ in 0..4 {
        service.ask().await;
    }
    browser.sees("#failures tr[data-id]").await;
    browser.sees("#running tr[data-id]").await;
    // Three points of the chart, one per second.
    let drawn = "return document.querySelectorAll('#failures tr[data-id]').length > 0 && performance.now() > 4000";
    browser
        .until("the chart has points", drawn, Value::Null)
        .await;
    picture(&browser, "queue").await;
    browser.end().await;
}
