//! The providers that are configured, each with its breaker.

use super::breaker::{Breaker, State};
use crate::pipeline::{
    deadline::Deadline,
    provider::{Found, ProviderError, ProviderQuery, SearchProvider},
};
use privachat_core::schema::SearchEngine;
use std::{fmt, sync::Arc, time::Duration};

/// A provider that had less time than this is not blamed for missing it.
const FAIR_SHARE: Duration = Duration::from_secs(1);

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
}

impl Guarded {
    /// The provider's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        self.provider.name()
    }

    /// Asks the provider, unless it has been failing; cut at the deadline.
    ///
    /// # Errors
    /// What the provider says, `TimedOut` when it is late, `Unavailable` while its breaker is open.
    pub async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        let permit = self.breaker.admit().map_err(|left| self.resting(left))?;
        let share = deadline.remaining();
        let Some(result) = deadline.cut(self.provider.search(query, deadline)).await else {
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
            Err(_) => permit.failed(),
        }
        result
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
