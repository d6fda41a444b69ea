//! One who listens to a search.

use super::{
    feed::{End, Feed},
    frame::Frame,
};
use privachat_core::jobs::EntryId;
use std::sync::Arc;
use tokio::sync::watch;

/// Frames handed out at once.
const AT_ONCE: usize = 64;

/// What a listener hears.
#[derive(Debug)]
pub(crate) enum News {
    /// What came next, at least one.
    Frames(Vec<Frame>),
    /// The search has ended, and everything was handed out.
    Ended,
    /// There is no such search, or not any more.
    Gone,
}

/// A place in the events of one search.
pub(crate) struct Listener {
    feed: Arc<Feed>,
    after: EntryId,
    /// Frames before this one were handed out.
    next: usize,
    changed: watch::Receiver<()>,
}

impl Listener {
    pub(super) fn new(feed: Arc<Feed>, after: EntryId) -> Self {
        let changed = feed.changes();
        Self {
            feed,
            after,
            next: 0,
            changed,
        }
    }

    /// Waits for what comes next. Nothing is lost when the wait is given up.
    pub(crate) async fn next(&mut self) -> News {
        loop {
            // Mark before looking, or a change in between goes unseen.
            self.changed.borrow_and_update();
            let (frames, end) = self.feed.frames_from(self.next, AT_ONCE);
            let taken = frames.len();
            self.next += taken;
            let news: Vec<Frame> = frames
                .into_iter()
                .filter(|frame| frame.id() > self.after)
                .collect();
            if !news.is_empty() {
                return News::Frames(news);
            }
            match end {
                Some(End::Ended) => return News::Ended,
                Some(End::Gone) => return News::Gone,
                // All of these were heard before; the next may be new.
                None if taken > 0 => {}
                // The feed lives as long as this listener, so its sender does.
                None => drop(self.changed.changed().await),
            }
        }
    }
}
