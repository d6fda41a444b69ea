//! A search over WebSocket: <https://www.rfc-editor.org/rfc/rfc6455>.

use super::{Frame, Listener, News};
use crate::{
    problem::{Problem, named},
    state::State,
};
use actix_ws::{
    AggregatedMessage, AggregatedMessageStream, CloseCode, Closed, MessageStream, ProtocolError,
    Session,
};
use bytestring::ByteString;
use privachat_core::{jobs::Cancelled, schema::problem as code};
use serde::Deserialize;
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, interval, timeout};
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
    session: Session,
    messages: AggregatedMessageStream,
    state: Arc<State>,
    id: Uuid,
    heard: Instant,
}

/// Why a socket ends: with a closing frame, or because nobody is there to read it.
enum End {
    Close(CloseCode),
    Drop,
}

impl From<Closed> for End {
    fn from(Closed: Closed) -> Self {
        Self::Drop
    }
}

/// What a client may say.
#[derive(Deserialize)]
struct Order {
    cancel: bool,
}

impl Socket {
    pub(crate) fn new(
        session: Session,
        messages: MessageStream,
        state: Arc<State>,
        id: Uuid,
    ) -> Self {
        let messages = messages.max_frame_size(LONGEST).aggregate_continuations();
        Self {
            session,
            messages: messages.max_continuation_size(LONGEST),
            state,
            id,
            heard: Instant::now(),
        }
    }

    /// Sends what the listener hears until the search has ended, the peer has gone, or the process
    /// stops.
    pub(crate) async fn run(mut self, listener: Listener) {
        let Err(end) = self.talk(listener).await;
        if let End::Close(code) = end {
            let closing = self.session.close(Some(code.into()));
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
                message = self.messages.recv() => {
                    self.heard = Instant::now();
                    Box::pin(self.hear(message)).await?;
                }
                _ = beat.tick() => {
                    if self.heard.elapsed() > SILENCE {
                        return Err(End::Drop);
                    }
                    in_time(self.session.ping(b"")).await?;
                }
                () = stopping.cancelled() => return Err(End::Close(CloseCode::Restart)),
            }
        }
    }

    async fn tell(&mut self, news: News) -> Result<(), End> {
        let frames = match news {
            News::Frames(frames) => frames,
            News::Ended => return Err(End::Close(CloseCode::Normal)),
            News::Gone => return Err(End::Close(CloseCode::Other(GONE))),
        };
        for frame in &frames {
            let text = ByteString::try_from(frame.json().clone());
            let text = text.map_err(|_not_utf8| End::Close(CloseCode::Error))?;
            in_time(self.session.text(text)).await?;
        }
        match frames.last().is_some_and(Frame::is_last) {
            true => Err(End::Close(CloseCode::Normal)),
            false => Ok(()),
        }
    }

    async fn hear(
        &mut self,
        message: Option<Result<AggregatedMessage, ProtocolError>>,
    ) -> Result<(), End> {
        match message {
            None | Some(Err(ProtocolError::Io(_))) => Err(End::Drop),
            Some(Ok(AggregatedMessage::Close(_))) => Err(End::Close(CloseCode::Normal)),
            Some(Err(ProtocolError::Overflow)) => Err(End::Close(CloseCode::Size)),
            Some(Err(_)) => Err(End::Close(CloseCode::Protocol)),
            Some(Ok(AggregatedMessage::Pong(_))) => Ok(()),
            Some(Ok(AggregatedMessage::Ping(data))) => in_time(self.session.pong(&data)).await,
            Some(Ok(AggregatedMessage::Text(text))) => self.obey(text.as_bytes()).await,
            Some(Ok(AggregatedMessage::Binary(_))) => self.obey(b"").await,
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
        in_time(self.session.text(named(error, message).to_string())).await
    }
}

/// Nothing is buffered for a peer that does not read: what holds 32 frames and the connection's
/// buffer is full then, and sending waits.
async fn in_time(sending: impl Future<Output = Result<(), Closed>>) -> Result<(), End> {
    match timeout(UNREAD, sending).await {
        Ok(sent) => Ok(sent?),
        Err(_elapsed) => Err(End::Drop),
    }
}
