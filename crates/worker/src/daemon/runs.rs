//! Searches that are the same run once, and what they find is kept for the next.
//!
//! In a process they share a [`Flight`]; workers share through the cache (see [`others`]). Each
//! caller keeps its own events and its own end: whoever leaves leaves alone, and the run goes with
//! the last.

mod entry;
mod flight;
mod others;
#[cfg(test)]
mod tests;

use crate::pipeline::{Context, Deadline, Outcome, PipelineError, ProgressSink};
use flight::{Flight, Work};
use others::Others;
use privachat_core::{
    cache::Cache,
    schema::{SearchRequest, Stage, problem},
};
use sha2::{Digest as _, Sha256};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

/// A run that ends this much after a caller's own deadline is still worth joining: both came in the
/// same moment.
const SAME_MOMENT: Duration = Duration::from_millis(50);
/// How late a search may end.
const TOLERATED: Duration = Duration::from_millis(100);

/// The searches that run in this worker, by what they ask.
pub(super) struct Runs {
    context: Context,
    others: Arc<Others>,
    flights: Mutex<HashMap<String, Weak<Flight>>>,
}

/// How a search ended.
#[derive(Debug, Clone)]
pub(super) struct Ran {
    pub(super) result: Result<Outcome, PipelineError>,
    /// Whether it had been answered before.
    pub(super) cached: bool,
}

impl Runs {
    /// Keeps answers in `cache` for `ttl`; zero for not at all.
    pub(super) fn new(context: Context, cache: Cache, ttl: Duration) -> Self {
        Self {
            context,
            others: Arc::new(Others::new(cache, ttl)),
            flights: Mutex::default(),
        }
    }

    /// Runs the search, or joins one that asks the same. With `cache: false` it runs for itself.
    /// A search that is not on its first attempt waits for no other worker: that may have been its
    /// own, which is dead.
    pub(super) async fn run(
        &self,
        request: &SearchRequest,
        is_first: bool,
        deadline: Deadline,
        sink: &dyn ProgressSink,
    ) -> Ran {
        let flight = self.flight(request, is_first, deadline);
        let ended = deadline.cut_after(TOLERATED, flight.follow(sink)).await;
        match ended {
            Some(Some(ran)) => flight.billed(&ran),
            Some(None) => Ran::of(Err(broken())),
            None => Ran::of(Err(PipelineError::too_late())),
        }
    }

    /// The run to follow: one that is under way, or a new one.
    fn flight(&self, request: &SearchRequest, is_first: bool, deadline: Deadline) -> Arc<Flight> {
        let shared = request.cache.then(|| self.digest(request)).flatten();
        let work = Work {
            context: self.context.clone(),
            request: request.clone(),
            deadline,
            others: shared
                .clone()
                .map(|digest| (Arc::clone(&self.others), digest)),
            may_wait: is_first,
        };
        let Some(digest) = shared else {
            return Arc::new(Flight::start(work));
        };
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let under_way = flights.get(&digest).and_then(Weak::upgrade);
        match under_way {
            Some(flight) if flight.ends_by(deadline) => flight,
            other => {
                let flight = Arc::new(Flight::start(work));
                flights.retain(|_, flight| flight.strong_count() > 0);
                // Later callers join the one that ends first: more of them can.
                if other.is_none() {
                    flights.insert(digest, Arc::downgrade(&flight));
                }
                flight
            }
        }
    }

    /// Names what is asked, of this version and this set-up. What does not change the answer does
    /// not count.
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

impl Ran {
    fn of(result: Result<Outcome, PipelineError>) -> Self {
        Self {
            result,
            cached: false,
        }
    }
}

fn broken() -> PipelineError {
    PipelineError {
        stage: Stage::Search,
        code: problem::INTERNAL,
        message: "The search ended unexpectedly.".to_owned(),
        hint: None,
        retryable: true,
        retry_after: None,
        warnings: Vec::new(),
    }
}
