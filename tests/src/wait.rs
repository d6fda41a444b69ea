//! Waiting for a condition with a deadline, the only kind of waiting in tests.

use std::time::Duration;

use tokio::time::{Instant, sleep};

const PROBE_INTERVAL: Duration = Duration::from_millis(10);

/// Probes until there is a value. Panics with `what` after `within`.
pub async fn eventually<T>(
    what: &str,
    within: Duration,
    mut probe: impl AsyncFnMut() -> Option<T>,
) -> T {
    let polling = Polling::new(what, within);
    loop {
        if let Some(value) = probe().await {
            return value;
        }
        polling.pause().await;
    }
}

/// [`eventually`] for loops in the harness: futures with async closures in them cannot be spawned.
pub(crate) struct Polling<'a> {
    what: &'a str,
    within: Duration,
    deadline: Instant,
}

impl<'a> Polling<'a> {
    pub(crate) fn new(what: &'a str, within: Duration) -> Self {
        Self {
            what,
            within,
            deadline: Instant::now() + within,
        }
    }

    /// A moment between two probes. Panics at the deadline.
    pub(crate) async fn pause(&self) {
        assert!(
            Instant::now() < self.deadline,
            "waited {:?} in vain: {}",
            self.within,
            self.what
        );
        sleep(PROBE_INTERVAL).await;
    }
}
