//! The events of a search as a response of Server-Sent Events.

use super::{Frame, Subscriber, Update};
use crate::{
    metrics::SubscriberGuard,
    sse::{self, HEARTBEAT_COMMENT, HEARTBEAT_INTERVAL},
};
use actix_web::{HttpResponse, HttpResponseBuilder};
use bytes::Bytes;
use futures_util::stream;
use std::collections::VecDeque;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;

/// A response that sends `first`, then the events of `listener`, until the search has ended or the
/// process stops. After a stop the last event is missing, so the client reconnects.
pub(crate) fn search_events_response(
    answer: HttpResponseBuilder,
    first: Vec<Frame>,
    listener: Subscriber,
    stopping: CancellationToken,
    listening: SubscriberGuard,
) -> HttpResponse {
    let mut sending = EventSender {
        ready: VecDeque::new(),
        subscriber: Some(listener),
        shutdown: stopping,
        _listening: listening,
    };
    sending.push_frames(first);
    let chunks = stream::unfold(sending, |mut sending| async move {
        let chunk = sending.next().await?;
        Some((chunk, sending))
    });
    sse::streaming_response(answer, chunks)
}

struct EventSender {
    ready: VecDeque<Bytes>,
    subscriber: Option<Subscriber>,
    shutdown: CancellationToken,
    _listening: SubscriberGuard,
}

impl EventSender {
    async fn next(&mut self) -> Option<Bytes> {
        loop {
            if let Some(chunk) = self.ready.pop_front() {
                return Some(chunk);
            }
            let listener = self.subscriber.as_mut()?;
            let news = tokio::select! {
                news = listener.next() => news,
                () = sleep(HEARTBEAT_INTERVAL) => return Some(HEARTBEAT_COMMENT),
                () = self.shutdown.cancelled() => return None,
            };
            match news {
                Update::Frames(frames) => self.push_frames(frames),
                Update::Ended | Update::Gone => return None,
            }
        }
    }

    fn push_frames(&mut self, frames: Vec<Frame>) {
        if frames.last().is_some_and(Frame::is_last) {
            self.subscriber = None;
        }
        self.ready
            .extend(frames.iter().map(|frame| frame.sse().clone()));
    }
}
