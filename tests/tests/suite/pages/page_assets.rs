//! The files of the web page; its behaviour is tested in a browser.

use std::collections::BTreeSet;

use privachat_tests::{Client, HttpResponse, Stack, binaries, project_files};
use reqwest::Method;
use uuid::Uuid;

/// Bytes that the first visit loads.
const MAX_PAGE_BYTES: usize = 40 * 1024;

async fn page(client: &Client, path: &str) -> HttpResponse {
    let request = client
        .request(Method::GET, path)
        .header("Accept", "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8");
    client.send(request).await
}

/// Addresses of this service in the attributes of a page and the imports of a script.
fn references(text: &str) -> BTreeSet<String> {
    let quoted = text.split('"').skip(1).step_by(2);
    quoted
        .filter_map(|text| match text.strip_prefix("./") {
            Some(name) => Some(format!("/assets/{name}")),
            None => text.starts_with("/assets/").then(|| text.to_owned()),
        })
        .collect()
}

#[tokio::test]
async fn a_browser_gets_the_page_and_a_program_gets_json() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let shown = page(client, "/").await;
    assert_eq!(shown.status, 200);
    assert!(
        shown
            .header("content-type")
            .unwrap()
            .starts_with("text/html")
    );
    assert!(shown.text.starts_with("<!doctype html>"));
    assert_eq!(shown.header("vary"), Some("accept"));
    for accept in ["*/*", "application/json", ""] {
        let request = client.request(Method::GET, "/").header("Accept", accept);
        let answer = client.send(request).await;
        assert_eq!(answer.header("vary"), Some("accept"));
        assert_eq!(answer.expect(200)["docs"], "/api/docs");
    }
    let linked = page(client, &format!("/s/{}", Uuid::new_v4())).await;
    assert_eq!(linked.text, shown.text);
}

#[tokio::test]
async fn everything_that_the_page_needs_is_served_and_small() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let first = page(stack.client(), "/").await;
    let mut weight = first.text.len();
    let mut wanted = references(&first.text);
    let mut had = BTreeSet::new();
    while let Some(path) = wanted.pop_first() {
        if !had.insert(path.clone()) {
            continue;
        }
        let asset = stack.client().get(&path).await;
        assert_eq!(asset.status, 200, "{path}");
        weight += asset.text.len();
        wanted.extend(references(&asset.text));
    }
    println!("{weight} bytes in {} files", had.len() + 1);
    assert!(had.len() > 5, "{had:?}");
    assert!(weight <= MAX_PAGE_BYTES, "{weight} bytes");
    let absent = stack.client().get("/assets/none.js").await;
    absent.expect(404);
}

#[tokio::test]
async fn pages_may_load_only_what_the_service_serves_and_run_nothing_inline() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    for path in ["/", "/assets/app.js"] {
        let shown = page(stack.client(), path).await;
        let policy = shown.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'; script-src 'self';"));
        assert!(
            !policy.contains("unsafe") && !policy.contains('*'),
            "{policy}"
        );
        assert_eq!(shown.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(shown.header("referrer-policy"), Some("no-referrer"));
    }
    let shown = page(stack.client(), "/").await.text;
    assert!(!shown.contains(" style=") && !shown.contains(" onclick="));
    assert!(!shown.contains("//"), "an address of another host");
}

#[tokio::test]
async fn a_cached_page_is_not_sent_again() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    for path in ["/s/x", "/assets/style.css"] {
        let first = page(client, path).await;
        let tag = first.header("etag").unwrap().to_owned();
        let known = client
            .request(Method::GET, path)
            .header("If-None-Match", &tag);
        let second = client.send(known).await;
        assert_eq!((second.status, second.text.as_str()), (304, ""));
        assert_eq!(second.header("etag"), Some(tag.as_str()));
        let other = client
            .request(Method::GET, path)
            .header("If-None-Match", "\"other\"");
        assert_eq!(client.send(other).await.status, 200);
    }
}

/// Text turned into markup would run what a page or a model wrote.
#[test]
fn no_script_turns_text_into_markup() {
    let scripts = project_files::web_scripts();
    assert!(scripts.len() > 5);
    for script in scripts {
        for way in [
            "innerHTML",
            "outerHTML",
            "insertAdjacentHTML",
            "document.write",
            "DOMParser",
            "createContextualFragment",
            "setHTML",
            "eval(",
            "new Function",
            "srcdoc",
        ] {
            assert!(!script.text.contains(way), "{}: {way}", script.path);
        }
    }
}
