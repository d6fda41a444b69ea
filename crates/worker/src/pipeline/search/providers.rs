//! The configured providers ([`Providers`]), each behind a circuit breaker and with its latencies
//! ([`Guarded`]).

use super::{
    breaker::{Breaker, State},
    retry,
    usual::Usual,
};
use crate::pipeline::{
    deadline::Deadline,
    provider::{Found, ProviderError, ProviderQuery, SearchProvider},
};
use privachat_core::schema::{SearchEngine, worker::ProviderHealth};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A timeout counts as a failure only if the provider had at least this long.
const FAIR_SHARE: Duration = Duration::from_secs(1);
/// Retries after a transient error, if no other provider follows.
const RETRIES_ALONE: usize = 2;
/// Retries after a transient error, if another provider follows.
const RETRIES_FOLLOWED: usize = 1;

/// Cheap to clone; clones share the breakers.
#[derive(Clone, Default)]
pub struct Providers {
    all: Arc<[Guarded]>,
}

impl Providers {
    /// Of two providers with the same name, the first is used.
    #[must_use]
    pub fn new(providers: Vec<Arc<dyn SearchProvider>>) -> Self {
        let all = providers
            .into_iter()
            .map(|provider| Guarded {
                provider,
                breaker: Breaker::default(),
                usual: Usual::default(),
            })
            .collect();
        Self { all }
    }

    /// Whether `engine` is configured; for `auto`, whether any provider is.
    #[must_use]
    pub fn has(&self, engine: SearchEngine) -> bool {
        match engine {
            SearchEngine::Auto => !self.all.is_empty(),
            named => self.get(named).is_some(),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(Guarded::name)
    }

    /// The state of each breaker.
    pub fn states(&self) -> impl Iterator<Item = (&'static str, State)> {
        self.all
            .iter()
            .map(|guarded| (guarded.name(), guarded.breaker.state()))
    }

    /// The health of each provider, as this process has seen it.
    #[must_use]
    pub fn health(&self) -> Vec<ProviderHealth> {
        self.all.iter().map(Guarded::health).collect()
    }

    #[must_use]
    pub fn get(&self, engine: SearchEngine) -> Option<&Guarded> {
        self.all
            .iter()
            .find(|guarded| guarded.name() == engine.as_str())
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.states()).finish()
    }
}

/// A provider behind its circuit breaker.
pub struct Guarded {
    provider: Arc<dyn SearchProvider>,
    breaker: Breaker,
    usual: Usual,
}

impl Guarded {
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// How long to wait for an answer before the next provider is called too.
    pub(super) fn patience(&self) -> Duration {
        self.usual.patience()
    }

    /// Calls the provider until `deadline` and retries transient errors.
    ///
    /// # Errors
    /// The error of the provider; `TimedOut` at the deadline; `Unavailable` while its breaker is
    /// open.
    pub async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        self.search_in_chain(query, true, deadline).await
    }

    /// Calls the provider as [`Self::search`] does, with fewer retries unless it `is_last` in the
    /// chain.
    pub(super) async fn search_in_chain(
        &self,
        query: &ProviderQuery,
        is_last: bool,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        let permit = self.breaker.admit().map_err(|left| self.resting(left))?;
        let share = deadline.remaining();
        let retries = match (permit.is_probe(), is_last) {
            (true, _) => 0,
            (false, true) => RETRIES_ALONE,
            (false, false) => RETRIES_FOLLOWED,
        };
        let asking = retry::retrying(retries, deadline, || self.ask(query, deadline));
        let Some(result) = deadline.cut(asking).await else {
            if share >= FAIR_SHARE {
                permit.failed();
            }
            return Err(ProviderError::TimedOut {
                provider: self.name(),
            });
        };
        match &result {
            Ok(_) => permit.succeeded(),
            Err(ProviderError::TimedOut { .. }) if share < FAIR_SHARE => drop(permit),
            // The query may be the cause: the next one may succeed.
            Err(ProviderError::Refused { .. } | ProviderError::Malformed { .. }) => drop(permit),
            Err(_) => permit.failed(),
        }
        result
    }

    /// Makes one call. Only successful calls count for the latency.
    async fn ask(&self, query: &ProviderQuery, deadline: Deadline) -> Result<Found, ProviderError> {
        let start = Instant::now();
        let result = self.provider.search(query, deadline).await;
        if result.is_ok() {
            self.usual.record(start.elapsed());
        }
        result
    }

    /// Counts as a failure that another provider, called later, answered first.
    pub(super) fn was_outrun(&self) {
        if let Ok(permit) = self.breaker.admit() {
            permit.failed();
        }
    }

    fn health(&self) -> ProviderHealth {
        ProviderHealth {
            name: self.name().to_owned(),
            state: self.breaker.state().as_str().to_owned(),
            usual_ms: self
                .usual
                .p95()
                .map(|usual| u64::try_from(usual.as_millis()).unwrap_or(u64::MAX)),
            failures: self.breaker.failures(),
        }
    }

    fn resting(&self, left: Duration) -> ProviderError {
        ProviderError::Unavailable {
            provider: self.name(),
            reason: format!(
                "it failed repeatedly; the next try is in {} s",
                left.as_secs_f64().ceil()
            ),
        }
    }
}
