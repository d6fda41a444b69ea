//! The queue page in a real browser, with a real queue.

use std::time::Duration;

use privachat_tests::browser::{SITE_TEXT, Service, phone};
use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Browser, binaries, fixtures};

const MIN_CONTRAST: f64 = 4.5;

async fn without_workers() -> Service {
    let titles = ["What gather does", "What gather returns"];
    let settings = |builder: privachat_tests::stack::StackBuilder| {
        builder.workers(0).env("JOB_LEASE_SECONDS", fixtures::LEASE)
    };
    Service::over(binaries!(), titles, SITE_TEXT[0], Duration::ZERO, settings).await
}

/// A search for which the worker finds nothing.
async fn fail(service: &Service) -> String {
    let nothing = searxng::body("What is gather?", &[]).to_string();
    service.web.next(Reply::json(200, nothing));
    service.ask().await
}

#[tokio::test]
async fn searches_and_workers_appear_and_disappear_without_a_reload() {
    let mut service = without_workers().await;
    let browser = Browser::start().await;
    browser.open(&service.url_for("/queue")).await;
    browser.reads("#live", "live").await;
    browser.reads("tr[data-mode=speed] .depth", "0").await;
    browser.reads(".none", "No worker").await;

    let cancelled = service.ask().await;
    browser.reads("tr[data-mode=speed] .depth", "1").await;
    browser.sees("tr[data-mode=speed] svg.chart").await;
    let cancel = format!("#running tr[data-id='{cancelled}'] button.cancel");
    browser.click_when_seen(&cancel).await;
    browser.reads("tr[data-mode=speed] .depth", "0").await;
    browser.reads("#done", "Cancelled").await;
    assert_eq!(browser.count("#running tr[data-id]").await, 0);

    let failed = fail(&service).await;
    service.stack.add_worker();
    browser.sees("#workers tr[data-worker]").await;
    let row = format!("#failures tr[data-id='{failed}']");
    browser.reads(&format!("{row} .reason"), "no_sources").await;
    browser.click(&format!("{row} button.retry")).await;
    browser.sees("#done a[href^='/s/']").await;
    browser.click("#done a").await;
    browser.state("completed").await;

    browser.open(&service.url_for("/queue")).await;
    browser.sees("#workers tr[data-worker]").await;
    let worker = service.stack.workers[0].process();
    assert_eq!(worker.stop(Duration::from_secs(10)).await, 0);
    browser.reads(".none", "No worker").await;
    browser.end().await;
}

#[tokio::test]
async fn the_page_continues_when_the_api_is_restarted() {
    let mut service = without_workers().await;
    let browser = Browser::start().await;
    browser.open(&service.url_for("/queue")).await;
    browser.reads("#live", "live").await;
    service.stack.api.process().kill();
    browser.reads("#live", "reconnecting").await;
    service.stack.replace_api().await;
    browser.reads("#live", "live").await;
    service.ask().await;
    browser.reads("tr[data-mode=speed] .depth", "1").await;
    let lost = ["ERR_INCOMPLETE_CHUNKED_ENCODING", "ERR_CONNECTION_RE"];
    browser.end_with(&lost).await;
}

#[tokio::test]
async fn a_phone_shows_the_queue_and_all_colours_are_readable() {
    let mut service = without_workers().await;
    let browser = Browser::start().await;
    browser.screen(phone()).await;
    browser.open(&service.url_for("/queue")).await;
    let failed = fail(&service).await;
    service.stack.add_worker();
    browser
        .sees(&format!("#failures tr[data-id='{failed}']"))
        .await;
    browser.sees("#workers tr[data-worker]").await;
    assert_eq!(browser.overflow().await, 0);
    for colours in ["light", "dark"] {
        browser.prefers(colours).await;
        for text in [
            "h1",
            "#live",
            "#modes th",
            ".depth",
            "#workers th",
            "#workers .seen",
            "#failures .reason",
            "#failures a",
            ".retry",
        ] {
            let contrast = browser.contrast(text).await;
            assert!(contrast >= MIN_CONTRAST, "{text} in {colours}: {contrast}");
        }
    }
    browser.end().await;
}

#[tokio::test]
async fn a_key_without_operator_rights_is_rejected_and_can_be_replaced() {
    let [user, operator] = ["planted-key-of-a-user", "planted-key-of-operator"];
    let stack = privachat_tests::Stack::builder(binaries!())
        .workers(0)
        .api_env("API_KEYS", user)
        .api_env("API_ADMIN_KEYS", operator)
        .start()
        .await;
    let browser = Browser::start().await;
    browser
        .open(&format!("{}/queue", stack.client().base()))
        .await;
    for (key, live) in [(user, "not allowed"), (operator, "live")] {
        browser.sees("#key").await;
        browser.write("#key", key).await;
        browser.click("button").await;
        browser.reads("#live", live).await;
        if key == user {
            browser.reads("#done", "API_ADMIN_KEYS").await;
            browser.click("#done a").await;
        }
    }
    browser.end_with(&["401", "403"]).await;
}
