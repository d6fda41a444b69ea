//! Security headers of every answer, and early limits on expensive requests: long and slow heads,
//! slow bodies, long addresses.

use privachat_tests::upstream::searxng;
use privachat_tests::{Client, HttpResponse, Stack, binaries};
use reqwest::Method;
use serde_json::json;
use std::time::{Duration, Instant};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const KEY: &str = "planted-api-key-of-alice";
/// A connection that is not cut off within this time stays open for ever.
const TIMEOUT: Duration = Duration::from_secs(60);

fn assert_protected(answer: &HttpResponse, what: &str) {
    for (name, value) in [
        ("x-content-type-options", "nosniff"),
        ("referrer-policy", "no-referrer"),
        ("cross-origin-resource-policy", "same-origin"),
        (
            "content-security-policy",
            "default-src 'none'; frame-ancestors 'none'",
        ),
        ("cache-control", "no-store"),
    ] {
        assert_eq!(answer.header(name), Some(value), "{name} of {what}");
        let count = answer.headers.get_all(name).iter().count();
        assert_eq!(count, 1, "{name} of {what}");
    }
    let hsts = answer.header("strict-transport-security");
    assert_eq!(hsts, None, "{what} did not come over TLS");
}

async fn api() -> Stack {
    Stack::builder(binaries!()).workers(0).start().await
}

/// Sends `chunks` with a pause between them until the server stops reading; returns its answer and
/// the duration.
async fn send_slowly(
    client: &Client,
    mut chunks: Vec<Vec<u8>>,
    pause: Duration,
) -> (String, Duration) {
    let address = client.base().trim_start_matches("http://");
    let begun = Instant::now();
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut from, mut to) = stream.into_split();
    chunks.reverse();
    let talking = async move {
        while let Some(chunk) = chunks.pop() {
            if to.write_all(&chunk).await.is_err() {
                break;
            }
            tokio::time::sleep(pause).await;
        }
        // The connection stays open: only the server may close it.
        std::future::pending::<()>().await;
    };
    let listening = async {
        let mut answer = Vec::new();
        // A server that stops reading may reset the connection after its answer.
        let _cut = from.read_to_end(&mut answer).await;
        String::from_utf8_lossy(&answer).into_owned()
    };
    let answer = tokio::select! {
        () = talking => unreachable!("it never ends"),
        answer = tokio::time::timeout(TIMEOUT, listening) => answer.expect("an end"),
    };
    (answer, begun.elapsed())
}

fn single_bytes(text: &str) -> Vec<Vec<u8>> {
    text.bytes().map(|byte| vec![byte]).collect()
}

#[tokio::test]
async fn answers_of_every_kind_forbid_unneeded_browser_features() {
    let web = searxng::finding(searxng::about_python());
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .api_env("API_KEYS", format!("alice:{KEY}"))
        .api_env("API_RATE_LIMIT", 8)
        .start()
        .await;
    let client = stack.client().clone();
    let send = |method: Method, path: &str, body: Option<&str>| {
        let mut request = client.request(method, path).bearer_auth(KEY);
        if let Some(body) = body {
            request = request.header("Content-Type", "application/json");
            request = request.body(body.to_owned());
        }
        client.send(request)
    };
    let search = "/api/v1/search";
    let question = json!({"query": "What is Python?", "mode": "speed"}).to_string();
    for (method, path, body, status) in [
        (Method::GET, "/api/v1/health", None, 200),
        (Method::POST, search, Some(question.as_str()), 200),
        (Method::GET, "/api/v1/nothing", None, 404),
        (Method::GET, search, None, 405),
        (Method::POST, search, Some("{}"), 422),
    ] {
        let answer = send(method, path, body).await;
        assert_eq!(answer.status, status, "{path}: {}", answer.text);
        assert_protected(&answer, path);
    }
    let refused = client.get("/api/v1/sessions").await;
    refused.expect(401);
    assert_protected(&refused, "a 401");
    let streaming = client
        .request(Method::POST, search)
        .bearer_auth(KEY)
        .header("Accept", "text/event-stream")
        .json(&json!({"query": "What is Python?", "mode": "speed"}));
    let stream = client.send(streaming).await;
    assert_eq!(stream.status, 200);
    assert!(stream.text.contains("event: completed"), "{}", stream.text);
    assert_protected(&stream, "a stream");
    while send(Method::GET, "/api/v1/nothing", None).await.status != 429 {}
    let limited = send(Method::GET, "/api/v1/nothing", None).await;
    limited.expect(429);
    assert_protected(&limited, "a 429");
    stack.redis.kill();
    let unavailable = send(Method::POST, search, Some(&question)).await;
    unavailable.expect(503);
    assert_protected(&unavailable, "a 503");
}

#[tokio::test]
async fn pages_and_documents_have_policies_of_their_own() {
    let stack = api().await;
    let client = stack.client();
    let policy =
        |answer: &HttpResponse| answer.header("content-security-policy").unwrap().to_owned();
    let page = client.get("/queue").await;
    assert!(policy(&page).contains("require-trusted-types-for 'script'"));
    assert_eq!(
        page.headers
            .get_all("content-security-policy")
            .iter()
            .count(),
        1
    );
    assert_eq!(page.header("cache-control"), Some("no-cache"));
    let documents = client.get("/api/docs/").await;
    assert_eq!(documents.status, 200);
    assert!(policy(&documents).contains("script-src 'self';"));
    assert!(policy(&documents).contains("frame-ancestors 'none'"));
    assert_eq!(documents.header("x-content-type-options"), Some("nosniff"));
}

#[tokio::test]
async fn answers_have_hsts_when_a_trusted_proxy_reports_tls() {
    let hsts_for = async |trusted: &str, scheme: &str| {
        let stack = Stack::builder(binaries!())
            .workers(0)
            .api_env("API_TRUSTED_PROXIES", trusted)
            .start()
            .await;
        let request = stack.client().request(Method::GET, "/api/v1/health");
        let answer = stack
            .client()
            .send(request.header("X-Forwarded-Proto", scheme))
            .await;
        let header = answer.header("strict-transport-security");
        header.map(str::to_owned)
    };
    let year = Some("max-age=31536000".to_owned());
    assert_eq!(hsts_for("127.0.0.0/8", "https").await, year);
    assert_eq!(hsts_for("127.0.0.0/8", "http").await, None);
    assert_eq!(hsts_for("192.0.2.1", "https").await, None);
}

#[tokio::test]
async fn a_head_that_trickles_is_cut_after_five_seconds() {
    let stack = api().await;
    let head = format!(
        "GET /livez HTTP/1.1\r\nHost: localhost\r\nX-Slow: {}\r\n\r\n",
        "x".repeat(1000)
    );
    let (answer, took) = send_slowly(
        stack.client(),
        single_bytes(&head),
        Duration::from_millis(100),
    )
    .await;
    assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
    assert!(took >= Duration::from_secs(4), "{took:?}");
}

#[tokio::test]
async fn a_body_that_trickles_or_stops_is_refused_after_ten_seconds() {
    let stack = api().await;
    let head = "POST /api/v1/search HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 10000\r\n\r\n";
    let trickle = [head.as_bytes().to_vec()]
        .into_iter()
        .chain(single_bytes(&"x".repeat(1000)));
    let stopped = vec![format!("{head}{{").into_bytes()];
    let chunked = head.replace("Content-Length: 10000", "Transfer-Encoding: chunked");
    let chunked = vec![format!("{chunked}1\r\n{{\r\n").into_bytes()];
    let pause = Duration::from_millis(100);
    let client = stack.client();
    let (one, two, three) = tokio::join!(
        send_slowly(client, trickle.collect(), pause),
        send_slowly(client, stopped, pause),
        send_slowly(client, chunked, pause),
    );
    for (answer, took) in [one, two, three] {
        assert!(answer.starts_with("HTTP/1.1 408 "), "{answer}");
        assert!(answer.contains("\"error\":\"request_timeout\""), "{answer}");
        assert!(
            answer.to_lowercase().contains("connection: close"),
            "{answer}"
        );
        assert!(took >= Duration::from_secs(9), "{took:?}");
    }
}

#[tokio::test]
async fn oversized_heads_are_refused_and_the_next_request_is_served() {
    let stack = api().await;
    let client = stack.client();
    let close = "Connection: close\r\n";
    let many = |count: usize| "X-A: 1\r\n".repeat(count);
    let large = |size: usize| format!("X-A: {}\r\n", "x".repeat(size));
    for (path, headers, status) in [
        ("/livez".to_owned(), many(90), 200),
        ("/livez".to_owned(), many(100), 431),
        ("/livez".to_owned(), large(100_000), 200),
        ("/livez".to_owned(), large(200_000), 431),
        (format!("/livez?{}", "x".repeat(7_900)), String::new(), 200),
        (format!("/livez?{}", "x".repeat(8_000)), String::new(), 414),
        (format!("/livez?{}", "x".repeat(70_000)), String::new(), 400),
    ] {
        let request = format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n{close}{headers}\r\n");
        let (answer, _) = send_slowly(client, vec![request.into_bytes()], Duration::ZERO).await;
        let start = format!("HTTP/1.1 {status} ");
        let shown: String = answer.chars().take(200).collect();
        assert!(answer.starts_with(&start), "{status} expected: {shown}");
        if status == 414 {
            assert!(answer.contains("\"error\":\"uri_too_long\""), "{answer}");
            assert!(
                answer.contains("x-content-type-options: nosniff"),
                "{answer}"
            );
        }
    }
    assert_eq!(client.get("/livez").await.status, 200);
}

#[tokio::test]
async fn an_unwanted_body_does_not_hold_the_connection() {
    let stack = api().await;
    let chunk = format!("1000\r\n{}\r\n", "x".repeat(4096));
    for path in ["/livez", "/api/v1/nothing"] {
        let head = format!(
            "POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        );
        let chunks = [head].into_iter().chain(vec![chunk.clone(); 1000]);
        let chunks = chunks.map(String::into_bytes).collect();
        let (answer, _) = send_slowly(stack.client(), chunks, Duration::from_millis(20)).await;
        assert!(answer.starts_with("HTTP/1.1 40"), "{answer}");
    }
}
