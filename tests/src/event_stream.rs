//! Reads Server-Sent Events, byte for byte.

use std::pin::Pin;
use std::time::Duration;

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;

use crate::Client;

/// Longer than any pause of a stream, which sends a keep-alive every 15 s.
const TIMEOUT: Duration = Duration::from_secs(30);

type Chunks = Pin<Box<dyn Stream<Item = reqwest::Result<Bytes>> + Send>>;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub struct StreamEvent {
    pub id: String,
    pub kind: String,
    pub data: Value,
}

/// A stream in progress. Dropping it cuts the connection.
pub struct EventStream {
    chunks: Chunks,
    /// All received bytes.
    pub raw: Vec<u8>,
    /// How many of them are parsed.
    read: usize,
}

impl Client {
    /// The events of a search after `after`, which is sent as a header unless empty.
    pub async fn events(&self, id: &str, after: &str) -> EventStream {
        EventStream::open(self.events_request(id, after)).await
    }

    pub fn events_request(&self, id: &str, after: &str) -> RequestBuilder {
        let request = self.request(Method::GET, &format!("/api/v1/search/{id}/events"));
        if after.is_empty() {
            return request;
        }
        request.header("Last-Event-ID", after)
    }
}

impl EventStream {
    /// Sends the request and checks the head of the answer.
    pub async fn open(request: RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self {
            chunks: Box::pin(response.bytes_stream()),
            raw: Vec::new(),
            read: 0,
        }
    }

    /// The next event; None when the stream has ended or broken off.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        loop {
            while let Some(block) = self.block() {
                if let Some(event) = parse_event(&block) {
                    return Some(event);
                }
            }
            self.more().await?;
        }
    }

    /// The next chunk, as received.
    pub async fn more(&mut self) -> Option<Bytes> {
        let chunk = tokio::time::timeout(TIMEOUT, self.chunks.next()).await;
        let chunk = chunk.expect("something within 30 s")?.ok()?;
        self.raw.extend_from_slice(&chunk);
        Some(chunk)
    }

    /// All events until the end of the stream.
    pub async fn rest(&mut self) -> Vec<StreamEvent> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }

    /// Reads until an event of this kind; returns all events read.
    pub async fn until(&mut self, kind: &str) -> Vec<StreamEvent> {
        let mut all = Vec::new();
        loop {
            let event = self.next().await;
            let event = event.unwrap_or_else(|| panic!("the stream ended before {kind}: {all:?}"));
            let is_it = event.kind == kind;
            all.push(event);
            if is_it {
                return all;
            }
        }
    }

    fn block(&mut self) -> Option<String> {
        let rest = &self.raw[self.read..];
        let end = rest.windows(2).position(|pair| pair == b"\n\n")?;
        let block = String::from_utf8(rest[..end].to_vec()).expect("UTF-8");
        self.read += end + 2;
        Some(block)
    }
}

/// None for comments and `retry:`, which are no events.
pub(crate) fn parse_event(block: &str) -> Option<StreamEvent> {
    let field = |name: &str| {
        block
            .lines()
            .find_map(|line| line.strip_prefix(name)?.strip_prefix(": "))
    };
    Some(StreamEvent {
        id: field("id")?.to_owned(),
        kind: field("event")?.to_owned(),
        data: serde_json::from_str(field("data")?).expect("JSON"),
    })
}

/// The text of the answer as a client assembles it: discarded parts removed.
pub fn answer_text(events: &[StreamEvent]) -> String {
    events
        .iter()
        .fold(String::new(), |mut text, event| match event.kind.as_str() {
            "started" | "retry" | "released" | "discard" => String::new(),
            "text" => {
                text.push_str(event.data["delta"].as_str().expect("a delta"));
                text
            }
            _ => text,
        })
}
