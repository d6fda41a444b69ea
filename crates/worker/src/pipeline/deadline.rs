//! The one moment by which a search, or a part of it, has to end.

use std::time::Duration;
use tokio::time::Instant;

/// A point in time that work must not run past.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The deadline that is `budget` away from now.
    #[must_use]
    pub fn after(budget: Duration) -> Self {
        Self(Instant::now() + budget)
    }

    /// What is left; zero once it has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// Whether it has passed.
    #[must_use]
    pub fn is_over(self) -> bool {
        self.remaining().is_zero()
    }

    /// The earlier of this deadline and `budget` from now.
    #[must_use]
    pub fn within(self, budget: Duration) -> Self {
        self.min(Self::after(budget))
    }

    /// This deadline moved `reserve` earlier, so that something else can still run after it.
    #[must_use]
    pub fn keep(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// The moment itself, for `tokio::time::timeout_at`.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Runs `work` until the deadline; `None` when it was cut.
    pub async fn cut<F: Future>(self, work: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, work).await.ok()
    }

    /// Runs `work` until `grace` after the deadline, which it knows itself; `None` when it was cut.
    pub async fn cut_after<F: Future>(self, grace: Duration, work: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0 + grace, work).await.ok()
    }
}
