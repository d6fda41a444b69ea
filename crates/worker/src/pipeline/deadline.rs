//! The moment by which a search, or a part of it, must end.

use std::time::Duration;
use tokio::time::Instant;

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// `budget` from now.
    #[must_use]
    pub fn after(budget: Duration) -> Self {
        Self(Instant::now() + budget)
    }

    /// The time left; zero once the deadline has passed.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    #[must_use]
    pub fn has_passed(self) -> bool {
        self.remaining().is_zero()
    }

    /// The earlier of this deadline and `budget` from now.
    #[must_use]
    pub fn at_most(self, budget: Duration) -> Self {
        self.min(Self::after(budget))
    }

    /// `reserve` before this deadline, to leave time for later work.
    #[must_use]
    pub fn earlier_by(self, reserve: Duration) -> Self {
        Self(self.0.checked_sub(reserve).unwrap_or_else(Instant::now))
    }

    /// For `tokio::time::timeout_at`.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
    }

    /// Runs `work` until the deadline; `None` if it has not ended by then.
    pub async fn limit<F: Future>(self, work: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0, work).await.ok()
    }

    /// Runs `work`, which should observe the deadline itself, until `grace` after it; `None` if it
    /// has not ended by then.
    pub async fn limit_with_grace<F: Future>(self, grace: Duration, work: F) -> Option<F::Output> {
        tokio::time::timeout_at(self.0 + grace, work).await.ok()
    }
}
