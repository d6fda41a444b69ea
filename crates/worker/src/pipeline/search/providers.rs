//! The providers that are configured, each with its breaker.

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

/// A provider that had less time than this is not blamed for missing it.
const FAIR_SHARE: Duration = Duration::from_secs(1);
/// Further tries after trouble in passing, when nobody else can be asked, and when somebody can.
const RETRIES_ALONE: usize = 2;
const RETRIES_FOLLOWED: usize = 1;

/// The providers that are on. Cheap to clone; clones share the breakers.
#[derive(Clone, Default)]
pub struct Providers {
    all: Arc<[Guarded]>,
}

impl Providers {
    /// Takes every configured provider; of two with the same name the first counts.
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

    /// Whether `engine` is configured; `auto` is when anything is.
    #[must_use]
    pub fn has(&self, engine: SearchEngine) -> bool {
        match engine {
            SearchEngine::Auto => !self.all.is_empty(),
            named => self.get(named).is_some(),
        }
    }

    /// The names of those that are on.
    pub fn names(&self) -> impl Iterator<Item = &'static str> {
        self.all.iter().map(Guarded::name)
    }

    /// What each breaker lets through, for metrics.
    pub fn states(&self) -> impl Iterator<Item = (&'static str, State)> {
        self.all
            .iter()
            .map(|guarded| (guarded.name(), guarded.breaker.state()))
    }

    /// How each provider has been doing, as far as this process has seen.
    #[must_use]
    pub fn health(&self) -> Vec<ProviderHealth> {
        self.all.iter().map(Guarded::health).collect()
    }

    /// The provider of that name.
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

/// A provider behind its breaker.
pub struct Guarded {
    provider: Arc<dyn SearchProvider>,
    breaker: Breaker,
    usual: Usual,
}

impl Guarded {
    /// The provider's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// How long an answer is waited for before somebody else is asked too.
    pub(super) fn patience(&self) -> Duration {
        self.usual.patience()
    }

    /// Asks the provider, unless it has been failing; cut at the deadline. What fails in passing is
    /// tried again.
    ///
    /// # Errors
    /// What the provider says, `TimedOut` when it is late, `Unavailable` while its breaker is open.
    pub async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        self.search_in_chain(query, true, deadline).await
    }

    /// Asks as [`Self::search`] does; unless the provider `is_last`, somebody else can be asked,
    /// and fewer tries are made.
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
            // One query can cause these; they say nothing about the next.
            Err(ProviderError::Refused { .. } | ProviderError::Malformed { .. }) => drop(permit),
            Err(_) => permit.failed(),
        }
        result
    }

    /// One call. How long a failure takes says nothing about answers.
    async fn ask(&self, query: &ProviderQuery, deadline: Deadline) -> Result<Found, ProviderError> {
        let start = Instant::now();
        let result = self.provider.search(query, deadline).await;
        if result.is_ok() {
            self.usual.record(start.elapsed());
        }
        result
    }

    /// Counts a call that was given up because another provider, asked later, was faster.
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
