//! A search over WebSocket: <https://www.rfc-editor.org/rfc/rfc6455>.

use super::{
    Frame, Listener, News,
    wire::{self, Wire},
};
use crate::{
    problem::{Problem, named},
    state::State,
};
use actix_web::{HttpRequest, HttpResponse, web::Payload};
use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use privachat_core::{jobs::Cancelled, schema::problem as code};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, interval, timeout};
use tokio_tungstenite::tungstenite::{
    Error, Message, Utf8Bytes,
    error::ProtocolError,
    protocol::{CloseFrame, frame::coding::CloseCode},
};
use uuid::Uuid;

/// How often the peer is asked whether it is there.
const PING: Duration = Duration::from_secs(15);
/// A peer that was silent for this long has gone: it missed two pings.
const SILENCE: Duration = Duration::from_secs(40);
/// How long a peer may leave no room for what is sent.
const UNREAD: Duration = Duration::from_secs(30);
/// Bytes of a message from the peer; the longest sensible one has 15.
const LONGEST: usize = 4096;
/// The search has expired: private codes begin at 4000, and this one reads like a 404.
const GONE: u16 = 4404;

/// An open socket.
pub(crate) struct Socket {
    wire: Wire,
    state: Arc<State>,
    id: Uuid,
    heard: Instant,
}

/// Why a socket ends: with a closing frame, or because nobody is there to read it.
enum End {
    Close(CloseCode),
    Drop,
}

/// What a client may say.
#[derive(Deserialize)]
struct Order {
    cancel: bool,
}

impl Socket {
    /// The answer that opens the socket, and the socket.
    pub(crate) async fn open(
        request: &HttpRequest,
        payload: Payload,
        state: Arc<State>,
        id: Uuid,
    ) -> Result<(HttpResponse, Self), Problem> {
        let (answer, wire) = wire::open(request, payload, LONGEST)
            .await
            .map_err(|_no_handshake| Problem::UpgradeRequired)?;
        let socket = Self {
            wire,
            state,
            id,
            heard: Instant::now(),
        };
        Ok((answer, socket))
    }

    /// Sends what the listener hears until the search has ended, the peer has gone, or the process
    /// stops.
    pub(crate) async fn run(mut self, listener: Listener) {
        let Err(end) = self.talk(listener).await;
        if let End::Close(code) = end {
            let reason = Utf8Bytes::default();
            let closing = self.wire.close(Some(CloseFrame { code, reason }));
            let _sent_or_gone = timeout(UNREAD, closing).await;
        }
    }

    async fn talk(&mut self, mut listener: Listener) -> Result<std::convert::Infallible, End> {
        let stopping = self.state.stopping.clone();
        let mut beat = interval(PING);
        loop {
            tokio::select! {
                // Boxed, for the memory of ten thousand who wait: what is on its way is small.
                news = listener.next() => Box::pin(self.tell(news)).await?,
                message = self.wire.next() => {
                    self.heard = Instant::now();
                    Box::pin(self.hear(message)).await?;
                }
                _ = beat.tick() => {
                    if self.heard.elapsed() > SILENCE {
                        return Err(End::Drop);
                    }
                    self.say(Message::Ping(Bytes::new())).await?;
                }
                () = stopping.cancelled() => return Err(End::Close(CloseCode::Restart)),
            }
        }
    }

    async fn tell(&mut self, news: News) -> Result<(), End> {
        let frames = match news {
            News::Frames(frames) => frames,
            News::Ended => return Err(End::Close(CloseCode::Normal)),
            News::Gone => return Err(End::Close(CloseCode::Library(GONE))),
        };
        for frame in &frames {
            let text = Utf8Bytes::try_from(frame.json().clone());
            let text = text.map_err(|_not_utf8| End::Close(CloseCode::Error))?;
            self.say(Message::Text(text)).await?;
        }
        match frames.last().is_some_and(Frame::is_last) {
            true => Err(End::Close(CloseCode::Normal)),
            false => Ok(()),
        }
    }

    async fn hear(&mut self, message: Option<Result<Message, Error>>) -> Result<(), End> {
        match message {
            Some(Ok(Message::Close(_))) => Err(End::Close(CloseCode::Normal)),
            Some(Ok(Message::Pong(_) | Message::Frame(_))) => Ok(()),
            // The pong is on its way already. Until it has gone nothing more is read: a peer that asks
            // and does not listen would have its pongs pile up here.
            Some(Ok(Message::Ping(_))) => in_time(self.wire.flush()).await,
            Some(Ok(Message::Text(text))) => self.obey(text.as_bytes()).await,
            Some(Ok(Message::Binary(_))) => self.obey(b"").await,
            Some(Err(error)) => Err(end_of(&error)),
            None => Err(End::Drop),
        }
    }

    async fn obey(&mut self, order: &[u8]) -> Result<(), End> {
        let Ok(Order { cancel: true }) = serde_json::from_slice(order) else {
            return self
                .refuse(code::UNKNOWN_MESSAGE, "Send {\"cancel\":true} or nothing")
                .await;
        };
        match self.state.jobs.cancel(self.id).await.map_err(Problem::from) {
            Ok(Cancelled::AtOnce | Cancelled::Flagged) => {
                tracing::info!(session_id = %self.id, "cancelled by a client");
                Ok(())
            }
            Ok(Cancelled::Absent | Cancelled::Ended) => {
                self.refuse(code::ALREADY_FINISHED, "The search has ended")
                    .await
            }
            Err(error) => {
                tracing::warn!(session_id = %self.id, error = %error, "cannot cancel");
                self.refuse(
                    code::SERVICE_UNAVAILABLE,
                    "A part of the service does not answer at the moment: try again",
                )
                .await
            }
        }
    }

    async fn refuse(&mut self, error: &str, message: &str) -> Result<(), End> {
        let text = named(error, message).to_string();
        self.say(Message::text(text)).await
    }

    /// Nothing is buffered for a peer that does not read: once the few bytes are full that wait for the
    /// connection, sending waits.
    async fn say(&mut self, message: Message) -> Result<(), End> {
        in_time(self.wire.send(message)).await
    }
}

async fn in_time(sending: impl Future<Output = Result<(), Error>>) -> Result<(), End> {
    match timeout(UNREAD, sending).await {
        Ok(sent) => sent.map_err(|_gone| End::Drop),
        Err(_elapsed) => Err(End::Drop),
    }
}

/// What the peer is told of what it did.
fn end_of(error: &Error) -> End {
    match error {
        Error::Capacity(_) => End::Close(CloseCode::Size),
        Error::Utf8(_) => End::Close(CloseCode::Invalid),
        Error::Protocol(ProtocolError::ResetWithoutClosingHandshake) => End::Drop,
        Error::Protocol(_) => End::Close(CloseCode::Protocol),
        _gone => End::Drop,
    }
}
