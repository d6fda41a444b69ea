//! Watching searches: however many listen to one, this process reads its events once.
//!
//! ```text
//!  worker ─ script ─▶ stream in Redis + ring ─▶ Feed (one per watched search) ─▶ Listener ─▶ SSE
//!                                               frames, encoded once          ─▶ Listener ─▶ WebSocket
//! ```
//!
//! A listener is a place in the feed's list of frames. It holds nothing itself: one that does not
//! read costs no memory, and one that comes later reads the same frames.

mod feed;
mod frame;
mod listener;
pub(crate) mod socket;
pub(crate) mod sse;
mod wire;

pub(crate) use frame::Frame;
pub(crate) use listener::{Listener, News};

use feed::Feed;
use privachat_core::jobs::{Bell, EntryId, Jobs};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::runtime::Handle;
use uuid::Uuid;

/// The feeds of the searches that somebody watches.
pub(crate) struct Feeds {
    jobs: Jobs,
    changes: Bell,
    /// Where the followers run: they outlive the thread of the request that started them.
    runtime: Handle,
    feeds: Mutex<HashMap<Uuid, Weak<Feed>>>,
}

impl Feeds {
    /// `changes` must be following the channel of changes.
    pub(crate) fn new(jobs: Jobs, changes: Bell, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            jobs,
            changes,
            runtime,
            feeds: Mutex::default(),
        })
    }

    /// Listens to what a search tells after `after`. The search need not exist: then there is no news.
    pub(crate) fn listen(self: &Arc<Self>, id: Uuid, after: EntryId) -> Listener {
        Listener::new(self.feed(id), after)
    }

    fn feed(self: &Arc<Self>, id: Uuid) -> Arc<Feed> {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(feed) = feeds.get(&id).and_then(Weak::upgrade) {
            return feed;
        }
        let feed = Arc::new(Feed::new(Arc::clone(self), id));
        feeds.insert(id, Arc::downgrade(&feed));
        let follower = feed::follow(
            Arc::downgrade(&feed),
            self.jobs.clone(),
            self.changes.clone(),
            id,
        );
        self.runtime
            .spawn(feed.closed().run_until_cancelled_owned(follower));
        feed
    }

    /// The last listener of a feed has gone.
    fn strike(&self, id: Uuid) {
        let mut feeds = self.feeds.lock().unwrap_or_else(PoisonError::into_inner);
        // Another may have come meanwhile, and begun a new one.
        if feeds.get(&id).is_some_and(|feed| feed.strong_count() == 0) {
            feeds.remove(&id);
        }
    }
}

#[cfg(test)]
mod tests;
