//! HTTP rules apart from the API: HEAD, clients of HTTP/1.0, and answers to malformed requests and
//! texts.

use std::collections::BTreeMap;
use std::time::Duration;

use privachat_tests::api_operations::operations;
use privachat_tests::fixtures::question;
use privachat_tests::scrape::{address, scrape, watched, web, worker_port};
use privachat_tests::{Client, Stack, binaries, eventually};
use reqwest::Method;
use reqwest::header::HeaderMap;
use serde_json::json;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(20);

async fn api() -> Stack {
    Stack::builder(binaries!()).workers(0).start().await
}

/// Headers without those that differ between any two answers.
fn comparable_headers(headers: &HeaderMap) -> BTreeMap<String, String> {
    let passing = ["date", "x-request-id", "content-length"];
    headers
        .iter()
        .filter(|(name, _)| !passing.contains(&name.as_str()))
        .map(|(name, value)| (name.to_string(), value.to_str().unwrap().to_owned()))
        .collect()
}

/// Sends HEAD and GET; the lengths of answers that vary over time may differ.
async fn assert_head_is_get(client: &Client, path: &str, page: bool) {
    let ask = async |method: Method| {
        let mut request = client.request(method, path);
        if page {
            request = request.header("accept", "text/html");
        }
        client.send(request).await
    };
    let (head, get) = (ask(Method::HEAD).await, ask(Method::GET).await);
    assert_eq!(head.status, get.status, "{path}");
    assert_eq!(head.text, "", "{path}");
    assert_eq!(
        comparable_headers(&head.headers),
        comparable_headers(&get.headers),
        "{path}"
    );
    let length = |headers: &HeaderMap| headers.contains_key("content-length");
    assert_eq!(length(&head.headers), length(&get.headers), "{path}");
    if page {
        let length = head.header("content-length").expect("a length");
        assert_eq!(length, get.text.len().to_string(), "{path}");
    }
}

#[tokio::test]
async fn head_is_answered_wherever_get_is() {
    let web = web();
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    client.wait_completed(&id).await;
    let mut compared = 0;
    for operation in operations(client, &id).await {
        // A stream without an end has no GET to compare with.
        if operation.method == Method::GET && operation.path != "/api/v1/queue/events" {
            assert_head_is_get(client, &operation.path, false).await;
            compared += 1;
        }
    }
    assert!(compared > 10, "{compared}");
    let pages = [
        "/",
        "/queue",
        "/sign-in",
        "/assets/app.js",
        "/api/docs/",
        &format!("/s/{id}"),
    ];
    for path in pages {
        assert_head_is_get(client, path, true).await;
    }
    for path in [
        "/api/docs",
        "/nothing",
        "/api/v1/search",
        "/api/v1/sessions/none",
    ] {
        assert_head_is_get(client, path, false).await;
    }
}

#[tokio::test]
async fn head_is_answered_on_the_metrics_ports() {
    let web = web();
    let stack = watched(binaries!(), &web).await;
    let worker = worker_port(&stack).await;
    let api = address(&stack.folder().join("api.metrics")).await;
    for port in [api, worker] {
        for path in ["/livez", "/readyz", "/metrics"] {
            assert_head_is_get(&port, path, false).await;
        }
    }
}

#[tokio::test]
async fn a_head_of_a_stream_or_a_websocket_ends_at_once_and_leaves_no_listener() {
    let stack = api().await;
    let id = stack.client().enqueue(question()).await;
    let head = |path: &str, headers: &str| {
        format!("HEAD {path} HTTP/1.1\r\nHost: localhost\r\n{headers}\r\n")
    };
    // One after the other on one connection: each waits for the end of the previous one.
    let streams = [
        head(&format!("/api/v1/search/{id}/events"), ""),
        head("/api/v1/queue/events", ""),
        head("/livez", "Connection: close\r\n"),
    ]
    .concat();
    let upgrade = "Connection: upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
                   Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n";
    let socket = head(&format!("/api/v1/search/{id}/ws"), upgrade);
    for (request, expected) in [
        (streams, &["200 OK", "200 OK", "200 OK"][..]),
        (socket, &["426 Upgrade Required"]),
    ] {
        let answers = stack.client().exchange(request).await;
        let statuses: Vec<&str> = answers
            .lines()
            .filter_map(|line| line.strip_prefix("HTTP/1.1 "))
            .collect();
        assert_eq!(statuses, expected, "{answers}");
        assert!(!answers.contains("data:"), "{answers}");
    }
    let listening = scrape(stack.client()).await;
    assert_eq!(listening.sum("privachat_api_listeners", &[]), 0.0);
}

/// A request of HTTP/1.0.
fn http_1_0_request(method: &str, path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!("{method} {path} HTTP/1.0\r\n{headers}Content-Length: {length}\r\n\r\n{body}")
}

#[tokio::test]
async fn a_client_of_http_1_0_gets_no_chunks() {
    let web = web();
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    client.wait_completed(&id).await;
    let json = "Content-Type: application/json\r\n";
    let streaming = "Content-Type: application/json\r\nAccept: text/event-stream\r\n";
    let search = "/api/v1/search";
    let posted = question().to_string();
    let events = format!("{search}/{id}/events");
    for (request, last) in [
        (http_1_0_request("POST", search, json, &posted), "}"),
        (
            http_1_0_request("POST", search, streaming, &posted),
            "}\n\n",
        ),
        // The server closes the connection after a body without a length, even if a proxy wants to
        // keep it.
        (
            http_1_0_request(
                "POST",
                search,
                &format!("{streaming}Connection: keep-alive\r\n"),
                &posted,
            ),
            "}\n\n",
        ),
        (http_1_0_request("GET", &events, "", ""), "}\n\n"),
        (http_1_0_request("HEAD", &events, "", ""), "\r\n\r\n"),
        (http_1_0_request("GET", "/api/docs/", "", ""), ">\n"),
    ] {
        let answer = client.exchange(&request).await;
        let (head, body) = answer.split_once("\r\n\r\n").expect("a head");
        let head = head.to_lowercase();
        assert!(head.starts_with("http/1.0 200 "), "{request}\n{answer}");
        assert!(!head.contains("transfer-encoding"), "{request}\n{head}");
        assert!(!head.contains("keep-alive"), "{request}\n{head}");
        assert!(answer.ends_with(last), "{request}\n{answer}");
        if last == "}\n\n" {
            // The plain blocks of the stream, without chunk lengths.
            assert!(body.starts_with("retry: 1000\nid: "), "{body}");
            assert!(body.contains("event: completed\n"), "{body}");
        }
    }
}

#[tokio::test]
async fn a_client_of_http_1_0_may_keep_its_connection_where_a_length_is_known() {
    let stack = api().await;
    let mut stream = stack.client().connection().await;
    let keep = "GET /livez HTTP/1.0\r\nConnection: keep-alive\r\n\r\n";
    let end = "GET /livez HTTP/1.0\r\n\r\n";
    stream
        .write_all(format!("{keep}{end}").as_bytes())
        .await
        .unwrap();
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.0 200 OK").count(), 2, "{answers}");
    assert_eq!(
        answers.matches("connection: keep-alive").count(),
        1,
        "{answers}"
    );
}

#[tokio::test]
async fn a_nul_in_any_parameter_is_an_error_of_that_parameter() {
    let stack = api().await;
    let client = stack.client();
    let id = Uuid::new_v4().to_string();
    let mut tried = 0;
    for operation in operations(client, &id).await {
        for name in operation.query {
            let path = format!("{}?{name}=a%00b&other=1", operation.path);
            let answer = client
                .send(client.request(operation.method.clone(), &path))
                .await;
            let detail = answer.expect(422)["detail"].clone();
            assert_eq!(detail[0]["type"], "null_character", "{path}: {detail}");
            assert_eq!(detail[0]["loc"], json!(["query", name]), "{path}");
            assert_eq!(detail[1], json!(null), "{path}");
            tried += 1;
        }
    }
    assert!(tried >= 9, "{tried}");
    for operation in operations(client, "a%00b").await {
        if operation.path.contains("%00") {
            let request = client.request(operation.method.clone(), &operation.path);
            let detail = client.send(request).await.expect(422)["detail"].clone();
            assert_eq!(
                detail[0]["loc"],
                json!(["path", "session_id"]),
                "{}",
                operation.path
            );
        }
    }
}

#[tokio::test]
async fn a_nul_in_any_text_of_a_body_is_an_error_of_that_field() {
    let stack = api().await;
    let client = stack.client();
    let document = client.get("/api/openapi.json").await.expect(200);
    let members = document["components"]["schemas"]["SearchBody"]["properties"].clone();
    for name in members.as_object().expect("members").keys() {
        let mut body = json!({"query": "x", "async_mode": true});
        body[name] = json!("a\u{0}b");
        let detail = client.post_search(body).await.expect(422)["detail"].clone();
        assert_eq!(detail[0]["loc"], json!(["body", name]), "{detail}");
        assert_eq!(detail[1], json!(null), "{detail}");
    }
    let all = json!({"query": "\u{0}", "model": "\u{0}", "callback_url": "http://a.example/\u{0}"});
    let detail = client.post_search(all).await.expect(422)["detail"].clone();
    let kinds: Vec<_> = (0..3).map(|at| detail[at]["type"].clone()).collect();
    assert_eq!(kinds, ["null_character"; 3], "{detail}");
}

#[tokio::test]
async fn malformed_requests_are_no_server_errors() {
    let mut stack = api().await;
    let client = stack.client().clone();
    let id = client.enqueue(question()).await;
    let socket = format!(
        "GET /api/v1/search/{id}/ws HTTP/1.1\r\nHost: localhost\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
         Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==\r\n\r\n"
    );
    let mut bad_frame = socket.into_bytes();
    bad_frame.extend([0x09, 0x80, 0, 0, 0, 0]);
    let many = format!("GET / HTTP/1.1\r\n{}\r\n", "X-A: 1\r\n".repeat(200));
    let chunk = "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
                 Transfer-Encoding: chunked\r\n\r\nnone\r\n";
    let requests: [&[u8]; 8] = [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03 a TLS hello\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /a b c HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        many.as_bytes(),
        chunk.as_bytes(),
        &bad_frame,
    ];
    for request in requests {
        let answer = client.exchange(request).await;
        let shown = String::from_utf8_lossy(request).into_owned();
        assert!(
            answer.starts_with("HTTP/1.1 4") || request == bad_frame,
            "{shown}: {answer}"
        );
    }
    // Its log line comes after all of theirs.
    client.get("/nothing").await.expect(404);
    let log = eventually("the last request is in the log", TIMEOUT, async || {
        let log = stack.api.process().output();
        log.contains("\"route\":\"unknown\",\"status\":404")
            .then_some(log)
    })
    .await;
    assert!(!log.contains("ERROR"), "{log}");
}
