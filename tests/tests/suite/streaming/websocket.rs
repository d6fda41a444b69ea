//! Following a search over WebSocket, and in the answer to its POST.

use privachat_tests::event_stream::EventStream;
use privachat_tests::fixtures::searxng_hanging_first;
use privachat_tests::upstream::searxng;
use privachat_tests::{Client, HttpResponse, Stack, binaries};
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use uuid::Uuid;

fn question() -> Value {
    json!({"query": "What is Python?", "mode": "speed"})
}

fn upgrade(client: &Client, id: &str, origin: &str) -> RequestBuilder {
    client
        .request(Method::GET, &format!("/api/v1/search/{id}/ws"))
        .header("connection", "upgrade")
        .header("upgrade", "websocket")
        .header("sec-websocket-version", "13")
        .header("sec-websocket-key", "x3JJHMbDL1EzLkh9GBhXDw==")
        .header("origin", origin)
}

fn post_stream(client: &Client, key: &str, path: &str) -> RequestBuilder {
    client
        .request(Method::POST, path)
        .header("accept", "text/event-stream")
        .header("idempotency-key", key)
        .json(&question())
}

fn name(answer: &HttpResponse, status: u16) -> String {
    let body = answer.expect(status);
    body["error"].as_str().expect("a named problem").to_owned()
}

#[tokio::test]
async fn a_websocket_sends_the_same_events_as_the_stream_from_any_position_and_closes_with_1000() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut socket = client.socket(&id, "").await;
    let all = socket.rest().await;
    assert_eq!(socket.closed, Some(1000));
    assert_eq!(all, client.events(&id, "").await.rest().await);
    for (place, event) in all.iter().enumerate() {
        let mut socket = client.socket(&id, &event.id).await;
        assert_eq!(socket.rest().await, all[place + 1..]);
        assert_eq!(socket.closed, Some(1000));
    }
}

#[tokio::test]
async fn a_websocket_cancels_and_ignores_unknown_messages() {
    let (web, _asked) = searxng_hanging_first(1);
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut socket = client.socket(&id, "").await;
    for odd in ["hello", "{}", r#"{"cancel":false}"#, r#"{"cancel":1}"#] {
        socket.send_text(odd).await.unwrap();
        loop {
            let frame = socket.json().await.expect("an open socket");
            if frame["error"] == "unknown_message" {
                break;
            }
        }
    }
    socket.send_text(r#"{"cancel":true}"#).await.unwrap();
    let end = socket.rest().await.pop().expect("an end");
    assert_eq!((end.kind.as_str(), socket.closed), ("failed", Some(1000)));
    assert_eq!(end.data["error_code"], "cancelled");
    assert_eq!(end.data["result"], client.status(&id).await.expect(200));
}

#[tokio::test]
async fn a_message_of_more_than_4096_bytes_closes_the_websocket() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack.client().enqueue(question()).await;
    let mut socket = stack.client().socket(&id, "").await;
    socket.send_text("x".repeat(4097)).await.unwrap();
    socket.rest().await;
    assert_eq!(socket.closed, Some(1009));
}

#[tokio::test]
async fn a_stopping_process_closes_its_websockets_with_1012() {
    let mut stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack.client().enqueue(question()).await;
    let mut socket = stack.client().socket(&id, "").await;
    assert_eq!(socket.next().await.unwrap().kind, "queued");
    stack.api.process().term();
    assert_eq!(socket.rest().await, []);
    assert_eq!(socket.closed, Some(1012));
}

#[tokio::test]
async fn invalid_websocket_requests_are_refused_before_the_upgrade() {
    let stack = Stack::builder(binaries!())
        .workers(0)
        .api_env("CORS_ORIGINS", "https://app.example")
        .start()
        .await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let plain = client.get(&format!("/api/v1/search/{id}/ws")).await;
    assert_eq!(name(&plain, 426), "upgrade_required");
    assert_eq!(plain.header("upgrade"), Some("websocket"));

    let own = client.base().to_owned();
    for (id, origin, status) in [
        (id.as_str(), "https://evil.example", 403),
        (&id, "null", 403),
        (&id, "https://app.example", 101),
        (&id, &own, 101),
        (&Uuid::new_v4().to_string(), &own, 404),
        ("none", &own, 422),
    ] {
        let request = upgrade(client, id, origin);
        let answer = request.send().await.expect("an answer");
        assert_eq!(answer.status(), status, "{id} {origin}");
    }
}

#[tokio::test]
async fn a_post_that_accepts_events_gets_them_and_continues_without_its_client() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let path = "/api/v1/search";
    let answer = post_stream(client, "one", path).send().await.unwrap();
    let header = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
    let id = header("x-session-id");
    assert_eq!(header("location"), format!("/api/v1/search/status/{id}"));
    drop(answer);
    client.wait_completed(&id).await;

    let all = client.events(&id, "").await.rest().await;
    assert_eq!(all[0].kind, "queued");
    let mut again = EventStream::open(post_stream(client, "one", path)).await;
    assert_eq!(again.rest().await, all);
    let resumed = post_stream(client, "one", path).header("last-event-id", &all[1].id);
    assert_eq!(EventStream::open(resumed).await.rest().await, all[2..]);

    // The same question with another way of waiting.
    let whole = client
        .request(Method::POST, path)
        .header("idempotency-key", "one")
        .json(&question());
    assert_eq!(
        client.send(whole).await.expect(200)["session_id"],
        id.as_str()
    );

    let mut fresh = EventStream::open(post_stream(client, "two", path)).await;
    assert_eq!(fresh.rest().await.pop().unwrap().kind, "completed");
    let direct = post_stream(client, "three", "/api/v1/search/perplexity");
    client.send(direct).await.expect(422);
    let other = post_stream(client, "one", path).json(&json!({"query": "Another?"}));
    assert_eq!(name(&client.send(other).await, 409), "idempotency_conflict");
}
