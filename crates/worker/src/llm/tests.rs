//! Tests of the client against servers that send the captured formats or fail in every known way.

mod chunk_sizes;
mod context_window;
mod faults;
mod malformed_text;
mod reasoning;
mod requests;
mod streams;

use super::*;
use crate::{
    pipeline::{Completion, CompletionEvent, Deadline, LanguageModel, ModelError, Prompt},
    upstream,
};
use privachat_core::secret::Secret;
use std::time::Duration;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use url::Url;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

/// A client for `base`, with a fallback model if one is given.
fn model(base: &str, fallback: Option<&str>) -> OpenAiClient {
    let config = LlmConfig {
        base_url: Url::parse(base).unwrap(),
        api_key: Some(Secret::new("sk-test")),
        model: "main".to_owned(),
        fallback_model: fallback.map(str::to_owned),
        context_tokens: None,
        max_answer_tokens: 1024,
    };
    OpenAiClient::new(config, upstream::client().unwrap())
}

fn prompt() -> Prompt {
    Prompt {
        system: "Cite.".to_owned(),
        user: "What is asyncio.gather?".to_owned(),
        model: None,
        max_tokens: 300,
        wants_json: false,
    }
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(20))
}

/// The result, and all text that was streamed.
async fn complete(
    model: &OpenAiClient,
    deadline: Deadline,
) -> (Result<Completion, ModelError>, String) {
    let mut shown = String::new();
    let result = model
        .complete(&prompt(), deadline, &mut |piece| match piece {
            CompletionEvent::Text(text) => shown.push_str(text),
            CompletionEvent::Discard => shown.clear(),
        })
        .await;
    (result, shown)
}

/// A server that sends `answer` to every request.
async fn serve(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(answer).mount(&server).await;
    server
}

fn events(body: impl Into<Vec<u8>>) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_raw(body.into(), "text/event-stream")
}

/// An event with `text`.
fn text_event(text: &str) -> String {
    let chunk =
        serde_json::json!({"model": "m", "choices": [{"index": 0, "delta": {"content": text}}]});
    format!("data: {chunk}\n\n")
}

/// The event that ends an answer.
fn finish_event(reason: &str) -> String {
    let chunk =
        serde_json::json!({"choices": [{"index": 0, "delta": {}, "finish_reason": reason}]});
    format!("data: {chunk}\n\n")
}

/// A server for one connection. It sends `body` as an unfinished chunked response, then closes the
/// connection or keeps it open and silent until it is dropped.
async fn serve_raw(body: Vec<u8>, close: bool) -> (String, tokio::task::JoinHandle<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/v1", listener.local_addr().unwrap());
    let server = tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = vec![0; 65536];
        let _ = socket.read(&mut request).await.unwrap();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n";
        socket.write_all(head.as_bytes()).await.unwrap();
        let size = format!("{:x}\r\n", body.len());
        socket.write_all(size.as_bytes()).await.unwrap();
        socket.write_all(&body).await.unwrap();
        socket.write_all(b"\r\n").await.unwrap();
        socket.flush().await.unwrap();
        if !close {
            std::future::pending::<()>().await;
        }
    });
    (base, server)
}
