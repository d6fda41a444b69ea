//! [`EventSocket`]: sends the events of a search over WebSocket and handles the client's commands
//! (<https://www.rfc-editor.org/rfc/rfc6455>).

use super::{
    Frame, Subscriber, Update,
    websocket::{self, WebSocket},
};
use crate::{
    problem::{Problem, error_body},
    state::AppState,
};
use actix_web::{HttpRequest, HttpResponse, web::Payload};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use privachat_core::{jobs::CancelResult, schema::error_code as code};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::{
    Error, Message, Utf8Bytes,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use uuid::Uuid;

/// Between two pings.
const PING_INTERVAL: Duration = Duration::from_secs(15);
/// A peer that is silent for this long counts as lost: it missed two pings.
const PEER_TIMEOUT: Duration = Duration::from_secs(40);
/// How long a send may wait for a peer that does not read.
const SEND_TIMEOUT: Duration = Duration::from_secs(30);
/// Bytes of a message from the peer; the longest valid one has 15.
const MAX_MESSAGE_BYTES: usize = 4096;
/// Close code for a search that has expired: private codes begin at 4000; this one resembles 404.
const CLOSE_CODE_EXPIRED: u16 = 4404;

/// An open WebSocket for one search.
pub(crate) struct EventSocket {
    websocket: WebSocket,
    state: Arc<AppState>,
    id: Uuid,
    last_received: Instant,
}

/// How a socket ends: with a close frame, or without one because the peer is lost.
enum SocketEnd {
    Close(CloseCode),
    Drop,
}

/// A command of the client.
#[derive(Deserialize)]
struct ClientCommand {
    cancel: bool,
}

impl EventSocket {
    /// Performs the handshake: the response that opens the socket, and the socket.
    /// `UpgradeRequired` when the request is no handshake.
    pub(crate) async fn open(
        request: &HttpRequest,
        payload: Payload,
        state: Arc<AppState>,
        id: Uuid,
    ) -> Result<(HttpResponse, Self), Problem> {
        let (answer, wire) = websocket::accept(request, payload, MAX_MESSAGE_BYTES)
            .await
            .map_err(|_no_handshake| Problem::UpgradeRequired)?;
        let socket = Self {
            websocket: wire,
            state,
            id,
            last_received: Instant::now(),
        };
        Ok((answer, socket))
    }

    /// Sends events until the search has ended, the peer is lost or the process stops.
    pub(crate) async fn run(mut self, listener: Subscriber) {
        let Err(end) = self.event_loop(listener).await;
        if let SocketEnd::Close(code) = end {
            let reason = Utf8Bytes::default();
            let closing = self.websocket.close(Some(CloseFrame { code, reason }));
            let _sent_or_gone = timeout(SEND_TIMEOUT, closing).await;
        }
    }

    async fn event_loop(
        &mut self,
        mut listener: Subscriber,
    ) -> Result<std::convert::Infallible, SocketEnd> {
        let stopping = self.state.shutdown.clone();
        let mut beat = interval(PING_INTERVAL);
        loop {
            tokio::select! {
                // Boxed, so that ten thousand idle sockets do not reserve memory for sending.
                news = listener.next() => Box::pin(self.send_update(news)).await?,
                message = self.websocket.next() => {
                    self.last_received = Instant::now();
                    Box::pin(self.handle_message(message)).await?;
                }
                _ = beat.tick() => {
                    if self.last_received.elapsed() > PEER_TIMEOUT {
                        return Err(SocketEnd::Drop);
                    }
                    self.send(Message::Ping(Bytes::new())).await?;
                }
                () = stopping.cancelled() => return Err(SocketEnd::Close(CloseCode::Restart)),
            }
        }
    }

    async fn send_update(&mut self, news: Update) -> Result<(), SocketEnd> {
        let frames = match news {
            Update::Frames(frames) => frames,
            Update::Ended => return Err(SocketEnd::Close(CloseCode::Normal)),
            Update::Gone => return Err(SocketEnd::Close(CloseCode::Library(CLOSE_CODE_EXPIRED))),
        };
        for frame in &frames {
            let text = Utf8Bytes::try_from(frame.json().clone());
            let text = text.map_err(|_not_utf8| SocketEnd::Close(CloseCode::Error))?;
            self.send(Message::Text(text)).await?;
        }
        match frames.last().is_some_and(Frame::is_last) {
            true => Err(SocketEnd::Close(CloseCode::Normal)),
            false => Ok(()),
        }
    }

    async fn handle_message(
        &mut self,
        message: Option<Result<Message, Error>>,
    ) -> Result<(), SocketEnd> {
        match message {
            Some(Ok(Message::Close(_))) => Err(SocketEnd::Close(CloseCode::Normal)),
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(()),
            // tungstenite has queued the pong. Flush it before reading on: otherwise the pongs for
            // a peer that sends pings and does not read would pile up.
            Some(Ok(Message::Ping(_))) => with_send_timeout(self.websocket.flush()).await,
            Some(Ok(Message::Text(text))) => self.handle_command(text.as_bytes()).await,
            Some(Ok(Message::Binary(_))) => self.handle_command(b"").await,
            Some(Err(error)) => Err(end_for_error(&error)),
            None => Err(SocketEnd::Drop),
        }
    }

    async fn handle_command(&mut self, order: &[u8]) -> Result<(), SocketEnd> {
        let Ok(ClientCommand { cancel: true }) = serde_json::from_slice(order) else {
            return self
                .send_error(code::UNKNOWN_MESSAGE, "Send {\"cancel\":true} or nothing")
                .await;
        };
        match self.state.jobs.cancel(self.id).await.map_err(Problem::from) {
            Ok(CancelResult::Cancelled | CancelResult::Requested) => {
                tracing::info!(session_id = %self.id, "cancelled by a client");
                Ok(())
            }
            Ok(CancelResult::Absent | CancelResult::AlreadyEnded) => {
                self.send_error(code::ALREADY_FINISHED, "The search has ended")
                    .await
            }
            Err(error) => {
                tracing::warn!(session_id = %self.id, error = %error, "cannot cancel");
                self.send_error(
                    code::SERVICE_UNAVAILABLE,
                    "A part of the service does not answer at the moment: try again",
                )
                .await
            }
        }
    }

    async fn send_error(&mut self, error: &str, message: &str) -> Result<(), SocketEnd> {
        let text = error_body(error, message).to_string();
        self.send(Message::text(text)).await
    }

    /// Waits while the small send buffer is full, so a peer that does not read costs no memory.
    async fn send(&mut self, message: Message) -> Result<(), SocketEnd> {
        with_send_timeout(self.websocket.send(message)).await
    }
}

async fn with_send_timeout(
    sending: impl Future<Output = Result<(), Error>>,
) -> Result<(), SocketEnd> {
    match timeout(SEND_TIMEOUT, sending).await {
        Ok(sent) => sent.map_err(|_gone| SocketEnd::Drop),
        Err(_elapsed) => Err(SocketEnd::Drop),
    }
}

/// The close code for an error of the peer.
fn end_for_error(error: &Error) -> SocketEnd {
    match error {
        Error::Capacity(_) => SocketEnd::Close(CloseCode::Size),
        Error::Utf8(_) => SocketEnd::Close(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => SocketEnd::Drop,
        Error::Protocol(_) => SocketEnd::Close(CloseCode::Protocol),
        _gone => SocketEnd::Drop,
    }
}
