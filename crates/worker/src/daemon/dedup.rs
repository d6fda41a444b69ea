//! Single flight: equal searches share one run, and its result is cached for later ones.
//!
//! Within a worker they share a [`InFlightRun`]; workers share through Redis (see [`leader_lock`]). Each
//! search gets all events and its own result. A cancelled follower detaches alone; the run is
//! aborted when the last one detaches.

mod cache_entry;
mod in_flight;
mod leader_lock;
#[cfg(test)]
mod tests;

use crate::pipeline::{Context, Deadline, Outcome, PipelineError, ProgressSink};
use in_flight::{InFlightRun, RunSpec};
use leader_lock::Coordinator;
use privachat_core::{
    cache::Cache,
    schema::{SearchRequest, Stage, error_code},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// How much later than a search's own deadline the deadline of a run may be to be joined: covers
/// equal searches that arrive at the same time.
const JOIN_TOLERANCE: Duration = Duration::from_millis(50);
/// How long after its deadline a search may end.
const DEADLINE_TOLERANCE: Duration = Duration::from_millis(100);

/// The in-flight runs of this worker, by the digest of their request.
pub(super) struct SingleFlight {
    context: Context,
    coordinator: Arc<Coordinator>,
    in_flight: Mutex<HashMap<String, Weak<InFlightRun>>>,
}

/// The result of a run.
#[derive(Debug, Clone)]
pub(super) struct RunResult {
    pub(super) result: Result<Outcome, PipelineError>,
    /// Whether it comes from a cache entry.
    pub(super) cached: bool,
}

impl SingleFlight {
    /// Caches results in `cache` for `ttl`; zero turns the answer cache off.
    pub(super) fn new(context: Context, cache: Cache, ttl: Duration) -> Self {
        Self {
            context,
            coordinator: Arc::new(Coordinator::new(cache, ttl)),
            in_flight: Mutex::default(),
        }
    }

    /// Runs the search, or joins an equal one. With `cache: false` it always runs alone. A later
    /// attempt never waits for another worker: its leader may be the worker that was lost with the
    /// first one.
    pub(super) async fn run(
        &self,
        request: &SearchRequest,
        is_first: bool,
        deadline: Deadline,
        sink: &dyn ProgressSink,
    ) -> RunResult {
        let flight = self.join_or_start(request, is_first, deadline);
        let ended = deadline
            .limit_with_grace(DEADLINE_TOLERANCE, flight.subscribe(sink))
            .await;
        match ended {
            Some(Some(ran)) => flight.without_repeated_usage(&ran),
            Some(None) => RunResult::uncached(Err(ended_unexpectedly())),
            None => RunResult::uncached(Err(PipelineError::timed_out())),
        }
    }

    /// The run to follow: an in-flight one, or a new one.
    fn join_or_start(
        &self,
        request: &SearchRequest,
        is_first: bool,
        deadline: Deadline,
    ) -> Arc<InFlightRun> {
        let shared = request.cache.then(|| self.digest(request)).flatten();
        let work = RunSpec {
            context: self.context.clone(),
            request: request.clone(),
            deadline,
            coordinator: shared
                .clone()
                .map(|digest| (Arc::clone(&self.coordinator), digest)),
            may_follow: is_first,
        };
        let Some(digest) = shared else {
            return Arc::new(InFlightRun::start(work));
        };
        let mut flights = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let under_way = flights.get(&digest).and_then(Weak::upgrade);
        match under_way {
            Some(flight) if flight.ends_by(deadline) => flight,
            other => {
                let flight = Arc::new(InFlightRun::start(work));
                flights.retain(|_, flight| flight.strong_count() > 0);
                // Keep the run with the earlier deadline: more searches can join it.
                if other.is_none() {
                    flights.insert(digest, Arc::downgrade(&flight));
                }
                flight
            }
        }
    }

    /// Identifies equal searches: all that changes the answer, of the request, the version and the
    /// configuration.
    fn digest(&self, request: &SearchRequest) -> Option<String> {
        let asked = SearchRequest {
            async_mode: false,
            ttl_seconds: None,
            timeout: None,
            cache: true,
            callback_url: None,
            ..request.clone()
        };
        let model = self.context.model.as_ref().map(|model| model.name());
        let providers: Vec<&str> = self.context.providers.names().collect();
        let set_up = (env!("CARGO_PKG_VERSION"), model, providers);
        let json = serde_json::to_vec(&(asked, set_up)).ok()?;
        let digest = Sha256::digest(json);
        Some(digest.iter().map(|byte| format!("{byte:02x}")).collect())
    }
}

impl RunResult {
    fn uncached(result: Result<Outcome, PipelineError>) -> Self {
        Self {
            result,
            cached: false,
        }
    }
}

fn ended_unexpectedly() -> PipelineError {
    PipelineError {
        stage: Stage::Search,
        code: error_code::INTERNAL,
        message: "The search ended unexpectedly.".to_owned(),
        hint: None,
        retryable: true,
        retry_after: None,
        warnings: Vec::new(),
    }
}
