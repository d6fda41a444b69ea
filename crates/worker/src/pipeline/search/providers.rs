//! The configured providers ([`Providers`]), each behind a circuit breaker and with its latencies
//! ([`ProtectedProvider`]).

use super::{
    breaker::{BreakerState, CircuitBreaker},
    latency::LatencyWindow,
    retry,
};
use crate::pipeline::{
    deadline::Deadline,
    provider::{ProviderError, ProviderQuery, ProviderResponse, SearchProvider},
};
use privachat_core::schema::{SearchEngine, worker::ProviderHealth};
use std::{fmt, sync::Arc, time::Duration};
use tokio::time::Instant;

/// A timeout counts as a failure only if the provider had at least this long.
const MIN_COUNTED_TIMEOUT: Duration = Duration::from_secs(1);
/// Retries after a transient error, if no other provider follows.
const RETRIES_AS_LAST: usize = 2;
/// Retries after a transient error, if another provider follows.
const RETRIES_BEFORE_NEXT: usize = 1;

/// Cheap to clone; clones share the breakers.
#[derive(Clone, Default)]
pub struct Providers {
    all: Arc<[ProtectedProvider]>,
}

impl Providers {
    /// Of two providers with the same name, the first is used.
    #[must_use]
    pub fn new(providers: Vec<Arc<dyn SearchProvider>>) -> Self {
        let all = providers
            .into_iter()
            .map(|provider| ProtectedProvider {
                provider,
                breaker: CircuitBreaker::default(),
                usual: LatencyWindow::default(),
            })
            .collect();
        Self { all }
    }

    /// Whether `engine` is configured; for `auto`, whether any provider is.
    #[must_use]
    pub fn is_configured(&self, engine: SearchEngine) -> bool {
        match engine {
            SearchEngine::Auto => !self.all.is_empty(),
            named => self.get(named).is_some(),
        }
    }

    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(ProtectedProvider::name)
    }

    /// The state of each breaker.
    pub fn breaker_states(&self) -> impl Iterator<Item = (&'static str, BreakerState)> {
        self.all
            .iter()
            .map(|guarded| (guarded.name(), guarded.breaker.state()))
    }

    /// The health of each provider, as this process has seen it.
    #[must_use]
    pub fn health(&self) -> Vec<ProviderHealth> {
        self.all.iter().map(ProtectedProvider::health).collect()
    }

    #[must_use]
    pub fn get(&self, engine: SearchEngine) -> Option<&ProtectedProvider> {
        self.all
            .iter()
            .find(|guarded| guarded.name() == engine.as_str())
    }
}

impl fmt::Debug for Providers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.breaker_states()).finish()
    }
}

/// A provider behind its circuit breaker.
pub struct ProtectedProvider {
    provider: Arc<dyn SearchProvider>,
    breaker: CircuitBreaker,
    usual: LatencyWindow,
}

impl ProtectedProvider {
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
    ) -> Result<ProviderResponse, ProviderError> {
        self.search_in_chain(query, true, deadline).await
    }

    /// Calls the provider as [`Self::search`] does, with fewer retries unless it `is_last` in the
    /// chain.
    pub(super) async fn search_in_chain(
        &self,
        query: &ProviderQuery,
        is_last: bool,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let permit = self.breaker.admit().map_err(|left| self.resting(left))?;
        let share = deadline.remaining();
        let retries = match (permit.is_probe(), is_last) {
            (true, _) => 0,
            (false, true) => RETRIES_AS_LAST,
            (false, false) => RETRIES_BEFORE_NEXT,
        };
        let asking = retry::with_retries(retries, deadline, || self.ask(query, deadline));
        let Some(result) = deadline.limit(asking).await else {
            if share >= MIN_COUNTED_TIMEOUT {
                permit.failed();
            }
            return Err(ProviderError::TimedOut {
                provider: self.name(),
            });
        };
        match &result {
            Ok(_) => permit.succeeded(),
            Err(ProviderError::TimedOut { .. }) if share < MIN_COUNTED_TIMEOUT => drop(permit),
            // The query may be the cause: the next one may succeed.
            Err(ProviderError::Refused { .. } | ProviderError::Malformed { .. }) => drop(permit),
            Err(_) => permit.failed(),
        }
        result
    }

    /// Makes one call. Only successful calls count for the latency.
    async fn ask(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
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
