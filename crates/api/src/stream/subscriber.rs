//! [`Subscriber`]: one subscriber to the events of a search.

use super::{
    event_stream::{EventStream, StreamEnd},
    frame::Frame,
};
use privachat_core::jobs::EventId;
use std::sync::Arc;
use tokio::sync::watch;

/// Frames of one update.
const MAX_FRAMES_PER_UPDATE: usize = 64;

/// What a subscriber receives.
#[derive(Debug)]
pub(crate) enum Update {
    /// The next events, at least one.
    Frames(Vec<Frame>),
    /// The search has ended, and all events were received.
    Ended,
    /// The search does not exist or has expired.
    Gone,
}

/// A position in the events of one search.
pub(crate) struct Subscriber {
    stream: Arc<EventStream>,
    /// Events up to this one are skipped.
    after: EventId,
    /// The index of the next frame.
    next: usize,
    changed: watch::Receiver<()>,
}

impl Subscriber {
    pub(super) fn new(stream: Arc<EventStream>, after: EventId) -> Self {
        let changed = stream.change_receiver();
        Self {
            stream,
            after,
            next: 0,
            changed,
        }
    }

    /// Waits for the next update. Cancel safe: a dropped wait loses no event.
    pub(crate) async fn next(&mut self) -> Update {
        loop {
            // Mark as seen before reading, or a change in between is missed.
            self.changed.borrow_and_update();
            let (frames, end) = self.stream.frames_from(self.next, MAX_FRAMES_PER_UPDATE);
            let taken = frames.len();
            self.next += taken;
            let news: Vec<Frame> = frames
                .into_iter()
                .filter(|frame| frame.id() > self.after)
                .collect();
            if !news.is_empty() {
                return Update::Frames(news);
            }
            match end {
                Some(StreamEnd::Ended) => return Update::Ended,
                Some(StreamEnd::Gone) => return Update::Gone,
                // All skipped; later frames may be new.
                None if taken > 0 => {}
                // Never an error: `self.feed` keeps the sender alive.
                None => drop(self.changed.changed().await),
            }
        }
    }
}
