//! The queue as people watch it: however many watch, this process reads it once a second, and not
//! at all when nobody does.

mod snapshot;
pub(crate) mod sse;

pub(crate) use snapshot::{Snapshot, take};

use bytes::Bytes;
use privachat_core::jobs::Jobs;
use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch, time::sleep};

/// Between two looks.
const PAUSE: Duration = Duration::from_secs(1);

/// The last snapshot, encoded as an event; none before the first look.
type Latest = Option<Bytes>;

/// Looks at the queue for all who watch it.
pub(crate) struct QueueFeed {
    jobs: Jobs,
    /// Where the reader runs: it outlives the thread of the request that started it.
    runtime: Handle,
    latest: Mutex<Weak<watch::Sender<Latest>>>,
}

impl QueueFeed {
    pub(crate) fn new(jobs: Jobs, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            jobs,
            runtime,
            latest: Mutex::default(),
        })
    }

    /// Follows the queue; the first who does starts the reader.
    pub(crate) fn watch(self: &Arc<Self>) -> watch::Receiver<Latest> {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = latest.upgrade() {
            let mut receiver = sender.subscribe();
            // What is there already is news to the one who comes.
            receiver.mark_changed();
            return receiver;
        }
        let (sender, receiver) = watch::channel(None);
        let sender = Arc::new(sender);
        *latest = Arc::downgrade(&sender);
        self.runtime.spawn(Arc::clone(self).read(sender));
        receiver
    }

    async fn read(self: Arc<Self>, sender: Arc<watch::Sender<Latest>>) {
        let mut shown: Option<Snapshot> = None;
        loop {
            match take(&self.jobs).await {
                Ok(snapshot) => {
                    if !shown.as_ref().is_some_and(|shown| shown.shows(&snapshot)) {
                        sender.send_replace(sse::event(&snapshot));
                        shown = Some(snapshot);
                    }
                }
                Err(error) => {
                    tracing::debug!(error = %error, "cannot look at the queue; trying again");
                }
            }
            tokio::select! {
                () = sender.closed() => {}
                () = sleep(PAUSE) => {}
            }
            if self.is_done(&sender) {
                return;
            }
        }
    }

    /// Whether nobody watches; whoever comes after that starts another reader.
    fn is_done(&self, sender: &watch::Sender<Latest>) -> bool {
        let mut latest = self.latest.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.receiver_count() > 0 {
            return false;
        }
        *latest = Weak::new();
        true
    }
}
