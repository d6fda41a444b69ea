//! A WebSocket client, frame by frame.

use std::time::Duration;

use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::{Error, Message};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use crate::Client;
use crate::event_stream::StreamEvent;

/// Longer than any pause of a socket, whose pings come every 15 s.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A WebSocket that follows a search.
pub struct WebSocket {
    stream: WebSocketStream<MaybeTlsStream<TcpStream>>,
    /// The code the server closed with.
    pub closed: Option<u16>,
}

impl Client {
    /// Follows the events of a search after `after`.
    pub async fn socket(&self, id: &str, after: &str) -> WebSocket {
        let base = self.base().replacen("http", "ws", 1);
        let address = format!("{base}/api/v1/search/{id}/ws?after={after}");
        let mut request = address.into_client_request().expect("an address");
        if let Some(key) = self.key() {
            let value = format!("Bearer {key}").parse().expect("a header");
            request.headers_mut().insert("authorization", value);
        }
        let (stream, _answer) = connect_async(request).await.expect("an open socket");
        WebSocket {
            stream,
            closed: None,
        }
    }
}

impl WebSocket {
    /// The next text frame; None when the socket was closed.
    pub async fn text(&mut self) -> Option<String> {
        loop {
            let message = tokio::time::timeout(TIMEOUT, self.stream.next()).await;
            match message.expect("something within 30 s")? {
                Ok(Message::Text(text)) => return Some(text.to_string()),
                Ok(Message::Close(frame)) => self.closed = frame.map(|frame| frame.code.into()),
                Ok(_ping) => {}
                Err(_cut) => return None,
            }
        }
    }

    /// The next frame as JSON.
    pub async fn json(&mut self) -> Option<Value> {
        let text = self.text().await?;
        Some(serde_json::from_str(&text).expect("JSON"))
    }

    /// The next event.
    pub async fn next(&mut self) -> Option<StreamEvent> {
        let data = self.json().await?;
        let member = |name: &str| data[name].as_str().expect("an event").to_owned();
        Some(StreamEvent {
            id: member("id"),
            kind: member("type"),
            data,
        })
    }

    /// All events until the end.
    pub async fn rest(&mut self) -> Vec<StreamEvent> {
        let mut all = Vec::new();
        while let Some(event) = self.next().await {
            all.push(event);
        }
        all
    }

    pub async fn send_text(&mut self, text: impl Into<String>) -> Result<(), Error> {
        self.stream.send(Message::text(text.into())).await
    }
}
