//! Event streams of searches. For any number of subscribers the process reads the events of a
//! search once and encodes each once.
//!
//! ```text
//!  worker ─ script ─▶ Redis stream + notification ─▶ EventStream ─▶ Subscriber ─▶ SSE
//!                                                    (one a search) ▶ Subscriber ─▶ WebSocket
//! ```
//!
//! A [`Subscriber`] is a position in the frames of a [`EventStream`]. It buffers nothing: a slow subscriber
//! costs no memory, and a late one reads the same frames.

mod event_stream;
mod frame;
pub(crate) mod socket;
pub(crate) mod sse;
mod subscriber;
mod websocket;

pub(crate) use frame::Frame;
pub(crate) use subscriber::{Subscriber, Update};

use event_stream::EventStream;
use privachat_core::jobs::{EventId, Jobs, Notifier};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::runtime::Handle;
use uuid::Uuid;

/// The event streams that have subscribers.
pub(crate) struct EventStreams {
    jobs: Jobs,
    notifier: Notifier,
    /// Runs the reader tasks: they outlive the thread of the request that starts them.
    runtime: Handle,
    streams: Mutex<HashMap<Uuid, Weak<EventStream>>>,
}

impl EventStreams {
    /// `changes` must be running.
    pub(crate) fn new(jobs: Jobs, changes: Notifier, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            jobs,
            notifier: changes,
            runtime,
            streams: Mutex::default(),
        })
    }

    /// Subscribes to the events of a search after `after`. A search that does not exist yields
    /// [`Update::Ended`].
    pub(crate) fn subscribe(self: &Arc<Self>, id: Uuid, after: EventId) -> Subscriber {
        Subscriber::new(self.open_stream(id), after)
    }

    fn open_stream(self: &Arc<Self>, id: Uuid) -> Arc<EventStream> {
        let mut feeds = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&id).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Arc::new(EventStream::new(Arc::clone(self), id));
        feeds.insert(id, Arc::downgrade(&feed));
        let follower = event_stream::run_reader(
            Arc::downgrade(&feed),
            self.jobs.clone(),
            self.notifier.clone(),
            id,
        );
        self.runtime
            .spawn(feed.closed().run_until_cancelled_owned(follower));
        feed
    }

    /// Removes the event stream of a search after its last subscriber has dropped.
    fn remove(&self, id: Uuid) {
        let mut feeds = self.streams.lock().unwrap_or_else(PoisonError::into_inner);
        // A new subscriber may have started another one meanwhile.
        if feeds.get(&id).is_some_and(|feed| feed.strong_count() == 0) {
            feeds.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
