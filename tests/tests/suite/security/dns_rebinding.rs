//! A web page cannot reach the service through its visitor's browser or by a DNS name of its own:
//! requests under foreign host names or from other sites are refused.

use privachat_tests::api_operations::{Operation, operations};
use privachat_tests::fixtures::question;
use privachat_tests::scrape::{address, watched, web, worker_port};
use privachat_tests::stack::StackBuilder;
use privachat_tests::{Client, HttpResponse, Stack, binaries};
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

const KEY: &str = "planted-api-key-of-alice";
const EVIL: &str = "http://evil.example:8001";

fn builder() -> StackBuilder {
    Stack::builder(binaries!()).workers(0)
}

async fn by_name(client: &Client, method: Method, path: &str, host: &str) -> HttpResponse {
    let request = client.request(method, path).header("host", host);
    client.send(request).await
}

async fn health(client: &Client, host: &str) -> u16 {
    by_name(client, Method::GET, "/api/v1/health", host)
        .await
        .status
}

fn assert_refused(answer: &HttpResponse, code: &str, setting: &str, what: &str) {
    assert_eq!(answer.status, 403, "{what}: {}", answer.text);
    let body = answer.json();
    assert_eq!(body["error"], code, "{what}");
    let message = body["message"].as_str().expect("a message");
    assert!(
        message.contains(setting) && message.contains("proxy"),
        "{what}: {message}"
    );
}

#[tokio::test]
async fn foreign_host_names_are_refused_with_keys_and_without() {
    let keys = format!("alice:{KEY}");
    for (stack, key) in [
        (builder().start().await, None),
        (builder().api_env("API_KEYS", keys).start().await, Some(KEY)),
    ] {
        let client = match key {
            Some(key) => stack.client().with_key(key),
            None => stack.client().clone(),
        };
        let id = client.enqueue(question()).await;
        let mut surface = operations(&client, &id).await;
        let pages = [
            "/queue",
            "/sign-in",
            "/assets/app.js",
            "/api/docs/",
            "/nothing",
        ];
        surface.extend(pages.map(|path| Operation {
            method: Method::GET,
            path: path.to_owned(),
            query: Vec::new(),
        }));
        assert!(surface.len() > 20);
        for Operation { method, path, .. } in surface {
            let what = format!("{method} {path}");
            let answer = by_name(&client, method, &path, "evil.example:8001").await;
            assert_refused(&answer, "host_not_allowed", "ALLOWED_HOSTS", &what);
            assert!(answer.header("x-request-id").is_some(), "{what}");
        }
        let status = client.status(&id).await.expect(200);
        assert_eq!(status["status"], "pending", "nothing was cancelled");
    }
}

#[tokio::test]
async fn the_metrics_ports_refuse_foreign_host_names_too() {
    let web = web();
    let stack = watched(binaries!(), &web).await;
    let worker = worker_port(&stack).await;
    let api = address(&stack.folder().join("api.metrics")).await;
    for port in [api, worker] {
        for path in ["/metrics", "/livez", "/readyz"] {
            let answer = by_name(&port, Method::GET, path, "evil.example:9464").await;
            assert_refused(&answer, "host_not_allowed", "ALLOWED_HOSTS", path);
            for host in ["localhost:9464", "10.1.2.3:9464", "[fd00::1]:9464"] {
                let answer = by_name(&port, Method::GET, path, host).await;
                assert_eq!(answer.status, 200, "{host}{path}: {}", answer.text);
            }
        }
    }
}

#[tokio::test]
async fn configured_host_names_are_accepted_beside_those_of_the_machine() {
    let named = builder()
        .api_env("ALLOWED_HOSTS", "search.example.com, *.lan")
        .api_env("API_HOST", "localhost")
        .start()
        .await;
    for (host, status) in [
        ("localhost", 200),
        ("127.0.0.1:8001", 200),
        ("192.168.7.7", 200),
        ("[::1]:8001", 200),
        ("search.example.com", 200),
        ("SEARCH.example.com:443", 200),
        ("nas.lan", 200),
        ("lan", 403),
        ("example.com", 403),
        ("search.example.com.evil.example", 403),
    ] {
        assert_eq!(health(named.client(), host).await, status, "{host}");
    }
    let open = builder().api_env("ALLOWED_HOSTS", "*").start().await;
    assert_eq!(health(open.client(), "evil.example").await, 200);
}

#[tokio::test]
async fn a_request_without_a_host_name_is_accepted_and_one_with_two_must_pass_with_both() {
    let stack = builder().start().await;
    let client = stack.client();
    let old = client.exchange("GET /livez HTTP/1.0\r\n\r\n").await;
    assert!(old.starts_with("HTTP/1.0 200 "), "{old}");
    for (line, host, status) in [
        ("http://evil.example/livez", "localhost", 403),
        ("http://localhost/livez", "evil.example", 403),
        ("http://localhost/livez", "localhost", 200),
    ] {
        let request = format!("GET {line} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        let answer = client.exchange(request).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {status} ")),
            "{line} {host}: {answer}"
        );
    }
}

/// Headers that browsers send for a page: Origin, Sec-Fetch-Site, and whether the page may act when
/// `https://app.example` is in CORS_ORIGINS.
const PAGES: [(Option<&str>, Option<&str>, bool); 10] = [
    (None, None, true),
    (None, Some("none"), true),
    (Some(EVIL), Some("same-origin"), true),
    (Some("https://app.example"), Some("cross-site"), true),
    (Some("https://app.example"), None, true),
    (Some(EVIL), Some("cross-site"), false),
    (Some(EVIL), Some("same-site"), false),
    (Some(EVIL), None, false),
    (Some("null"), None, false),
    (None, Some("cross-site"), false),
];

#[tokio::test]
async fn a_page_of_another_site_changes_nothing_and_opens_no_websocket() {
    let stack = builder()
        .api_env("CORS_ORIGINS", "https://app.example")
        .start()
        .await;
    let client = stack.client();
    let id = Uuid::new_v4().to_string();
    let all = operations(client, &id).await;
    let acts =
        |operation: &&Operation| operation.method != Method::GET || operation.path.ends_with("/ws");
    let acting: Vec<&Operation> = all.iter().filter(acts).collect();
    assert!(acting.len() >= 6, "{acting:?}");
    for Operation { method, path, .. } in acting {
        for (origin, site, may) in PAGES {
            let mut request = client.request(method.clone(), path);
            if path.ends_with("/ws") {
                request = request
                    .header("connection", "upgrade")
                    .header("upgrade", "websocket")
                    .header("sec-websocket-version", "13")
                    .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==");
            }
            if let Some(origin) = origin {
                request = request.header("origin", origin);
            }
            if let Some(site) = site {
                request = request.header("sec-fetch-site", site);
            }
            let answer = client.send(request).await;
            let what = format!("{method} {path} from {origin:?} {site:?}");
            match may {
                true => assert_ne!(answer.status, 403, "{what}: {}", answer.text),
                false => assert_refused(&answer, "origin_not_allowed", "CORS_ORIGINS", &what),
            }
        }
    }
}

#[tokio::test]
async fn reads_are_left_to_the_browser_and_every_origin_may_act_with_the_star() {
    let stack = builder().start().await;
    let client = stack.client();
    let from_evil = |method: Method, path: &str| {
        client
            .request(method, path)
            .header("origin", EVIL)
            .header("sec-fetch-site", "cross-site")
    };
    let looks = client.send(from_evil(Method::GET, "/api/v1/health")).await;
    assert_eq!(looks.status, 200);
    assert_eq!(looks.header("access-control-allow-origin"), None);

    let open = builder().api_env("CORS_ORIGINS", "*").start().await;
    let request = open
        .client()
        .request(Method::POST, "/api/v1/search")
        .header("origin", EVIL)
        .header("sec-fetch-site", "cross-site")
        .json(&json!({"query": "x", "async_mode": true}));
    open.client().send(request).await.expect(200);
}
