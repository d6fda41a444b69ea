//! Snapshots of the queue for operators. One task reads the queue once a second for all
//! subscribers, and stops with the last one.

mod snapshot;
pub(crate) mod sse;

pub(crate) use snapshot::{Snapshot, take_snapshot};

use bytes::Bytes;
use privachat_core::jobs::Jobs;
use std::{
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{runtime::Handle, sync::watch, time::sleep};

/// Between two reads of the queue.
const READ_INTERVAL: Duration = Duration::from_secs(1);

/// The last snapshot, encoded as an event; `None` before the first read.
type LatestEvent = Option<Bytes>;

/// Distributes the snapshots of the queue to all subscribers.
pub(crate) struct QueueStream {
    jobs: Jobs,
    /// Runs the reader task: it outlives the thread of the request that starts it.
    runtime: Handle,
    sender: Mutex<Weak<watch::Sender<LatestEvent>>>,
}

impl QueueStream {
    pub(crate) fn new(jobs: Jobs, runtime: Handle) -> Arc<Self> {
        Arc::new(Self {
            jobs,
            runtime,
            sender: Mutex::default(),
        })
    }

    /// Subscribes to the queue; the first subscriber starts the reader.
    pub(crate) fn subscribe(self: &Arc<Self>) -> watch::Receiver<LatestEvent> {
        let mut latest = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = latest.upgrade() {
            let mut receiver = sender.subscribe();
            // The present snapshot is new to this subscriber.
            receiver.mark_changed();
            return receiver;
        }
        let (sender, receiver) = watch::channel(None);
        let sender = Arc::new(sender);
        *latest = Arc::downgrade(&sender);
        self.runtime.spawn(Arc::clone(self).run_reader(sender));
        receiver
    }

    async fn run_reader(self: Arc<Self>, sender: Arc<watch::Sender<LatestEvent>>) {
        let mut shown: Option<Snapshot> = None;
        loop {
            match take_snapshot(&self.jobs).await {
                Ok(snapshot) => {
                    if !shown
                        .as_ref()
                        .is_some_and(|shown| shown.equals_except_ages(&snapshot))
                    {
                        sender.send_replace(sse::encode_event(&snapshot));
                        shown = Some(snapshot);
                    }
                }
                Err(error) => {
                    tracing::debug!(error = %error, "cannot read the queue; trying again");
                }
            }
            tokio::select! {
                () = sender.closed() => {}
                () = sleep(READ_INTERVAL) => {}
            }
            if self.stop_if_unused(&sender) {
                return;
            }
        }
    }

    /// Whether the last subscriber has dropped; then the next one starts another reader.
    fn stop_if_unused(&self, sender: &watch::Sender<LatestEvent>) -> bool {
        let mut latest = self.sender.lock().unwrap_or_else(PoisonError::into_inner);
        if sender.receiver_count() > 0 {
            return false;
        }
        *latest = Weak::new();
        true
    }
}
