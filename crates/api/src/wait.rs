//! Waiting for a search without polling: a ring says that it changed, a slow clock covers lost rings.

use crate::{
    problem::Problem,
    reply::{self, State as SearchState},
    state::State,
};
use privachat_core::jobs::{Cancelled, JobsError};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until, timeout_at};
use uuid::Uuid;

/// The safety net under the subscription.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How often Redis is tried while it is away.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Looks at a search once; `None` when there is no such search.
pub(crate) async fn look(state: &State, id: Uuid) -> Result<Option<SearchState>, Problem> {
    let record = state.jobs.record(id).await?;
    record.map(|record| reply::state(id, &record)).transpose()
}

/// Looks at a search until `enough` says so, or until `until`; then gives its last state, `None`
/// when there is no such search. Once the search was seen, an outage of Redis is waited out: the
/// search goes on in its worker meanwhile.
pub(crate) async fn wait_for(
    state: &State,
    id: Uuid,
    until: Instant,
    enough: impl Fn(&SearchState) -> bool,
) -> Result<Option<SearchState>, Problem> {
    // Listen before looking, or a change in between goes unseen.
    let mut ring = state.changes.listen(id);
    let mut seen = false;
    loop {
        let record = match state.jobs.record(id).await {
            Err(JobsError::Unavailable(_)) if seen && Instant::now() < until => {
                sleep_until(until.min(Instant::now() + TRY_AGAIN)).await;
                continue;
            }
            outcome => outcome?,
        };
        let Some(record) = record else {
            return Ok(None);
        };
        seen = true;
        let now = reply::state(id, &record)?;
        if enough(&now) || Instant::now() >= until {
            return Ok(Some(now));
        }
        let _rung_or_not = timeout_at(until.min(Instant::now() + LOOK_AGAIN), ring.rung()).await;
    }
}

/// Cancels a search when its only reader goes away before it has ended.
pub(crate) struct CancelOnDrop {
    state: Arc<State>,
    id: Option<Uuid>,
}

impl CancelOnDrop {
    pub(crate) fn new(state: Arc<State>, id: Uuid) -> Self {
        Self {
            state,
            id: Some(id),
        }
    }

    /// Leaves the search alone.
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
                Ok(Cancelled::AtOnce | Cancelled::Flagged) => {
                    tracing::info!(session_id = %id, "cancelled: its caller went away");
                }
                Ok(Cancelled::Ended | Cancelled::Absent) => {}
                Err(error) => {
                    tracing::warn!(session_id = %id, error = %error, "could not be cancelled after its caller went away");
                }
            }
        });
    }
}
