//! Waits for a search to change: the notifier wakes the wait, and a slow recheck covers lost
//! notifications.

use crate::{
    problem::Problem,
    search_state::{self, SearchState},
    state::AppState,
};
use privachat_core::jobs::{CancelResult, JobsError};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

/// Covers notifications that Pub/Sub loses.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Between two attempts while Redis is unreachable.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Loads a search; `None` when it does not exist or has expired.
pub(crate) async fn load_state(state: &AppState, id: Uuid) -> Result<Option<SearchState>, Problem> {
    let record = state.jobs.record(id).await?;
    record
        .map(|record| search_state::parse_record(id, &record))
        .transpose()
}

/// Waits until `enough` holds or `until` has passed; returns the last state, `None` when the search
/// does not exist. After the first successful read, an outage of Redis is waited out: the worker
/// continues the search meanwhile.
pub(crate) async fn wait_until(
    state: &AppState,
    id: Uuid,
    until: Instant,
    enough: impl Fn(&SearchState) -> bool,
) -> Result<Option<SearchState>, Problem> {
    // Subscribe before the first read, or a change in between is lost.
    let mut ring = state.notifier.subscribe(id);
    let mut seen = false;
    loop {
        let record = match state.jobs.record(id).await {
            Err(JobsError::Unavailable(_)) if seen && Instant::now() < until => {
                sleep_until(until.min(Instant::now() + RETRY_INTERVAL)).await;
                continue;
            }
            outcome => outcome?,
        };
        let Some(record) = record else {
            return Ok(None);
        };
        seen = true;
        let now = search_state::parse_record(id, &record)?;
        if enough(&now) || Instant::now() >= until {
            return Ok(Some(now));
        }
        let _rung_or_not =
            timeout_at(until.min(Instant::now() + RECHECK_INTERVAL), ring.changed()).await;
    }
}

/// Cancels a synchronous search when its client disconnects before it has ended.
pub(crate) struct CancelOnDrop {
    state: Arc<AppState>,
    id: Option<Uuid>,
}

impl CancelOnDrop {
    pub(crate) fn new(state: Arc<AppState>, id: Uuid) -> Self {
        Self {
            state,
            id: Some(id),
        }
    }

    /// Keeps the search running.
    pub(crate) fn disarm(mut self) {
        self.id = None;
    }
}

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        let Some(id) = self.id else {
            return;
        };
        let state = Arc::clone(&self.state);
        actix_web::rt::spawn(async move {
            match state.jobs.cancel(id).await {
                Ok(CancelResult::Cancelled | CancelResult::Requested) => {
                    tracing::info!(session_id = %id, "cancelled: its client disconnected");
                }
                Ok(CancelResult::AlreadyEnded | CancelResult::Absent) => {}
                Err(error) => {
                    tracing::warn!(session_id = %id, error = %error, "cannot cancel the search of a client that disconnected");
                }
            }
        });
    }
}
