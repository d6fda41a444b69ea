//! A circuit breaker: calls to a provider that keeps failing are refused for a while, so that
//! searches do not spend their time on it.
//!
//! Closed → (five failures in a row) → open → (30 s) → half open: one probe → closed or open again.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Failures in a row that open a breaker.
pub const FAILURE_THRESHOLD: u32 = 5;
/// How long a breaker stays open before it allows a probe.
pub const OPEN_TIME: Duration = Duration::from_secs(30);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BreakerState {
    /// Allows every call.
    Closed,
    /// Allows no call.
    Open,
    /// Allows one call, the probe.
    HalfOpen,
}

impl BreakerState {
    /// The name in metrics.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Closed => "closed",
            Self::Open => "open",
            Self::HalfOpen => "half_open",
        }
    }
}

/// The breaker of one provider, shared by all searches of a process.
#[derive(Debug, Default)]
pub struct CircuitBreaker {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    failures: u32,
    open_until: Option<Instant>,
    probing: bool,
}

impl CircuitBreaker {
    /// Permits a call.
    ///
    /// # Errors
    /// While open: the time until the next probe, zero while a probe runs.
    pub fn admit(&self) -> Result<CallPermit<'_>, Duration> {
        let mut inner = self.lock();
        let Some(open_until) = inner.open_until else {
            return Ok(CallPermit::new(self, false));
        };
        let left = open_until.saturating_duration_since(Instant::now());
        if !left.is_zero() || inner.probing {
            return Err(left);
        }
        inner.probing = true;
        Ok(CallPermit::new(self, true))
    }

    #[must_use]
    pub fn state(&self) -> BreakerState {
        match self.lock().open_until {
            None => BreakerState::Closed,
            Some(until) if until > Instant::now() => BreakerState::Open,
            Some(_) => BreakerState::HalfOpen,
        }
    }

    /// Failures in a row.
    #[must_use]
    pub fn failures(&self) -> u32 {
        self.lock().failures
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The permit for one call. Dropped without [`Self::succeeded`] or [`Self::failed`], as when a
/// search is cancelled, it counts neither way and allows another probe.
#[derive(Debug)]
pub struct CallPermit<'a> {
    breaker: &'a CircuitBreaker,
    probe: bool,
}

impl<'a> CallPermit<'a> {
    fn new(breaker: &'a CircuitBreaker, probe: bool) -> Self {
        Self { breaker, probe }
    }

    /// Whether this call decides if the breaker closes.
    #[must_use]
    pub fn is_probe(&self) -> bool {
        self.probe
    }

    /// Records a success.
    pub fn succeeded(self) {
        let mut inner = self.breaker.lock();
        // A call that began before the breaker opened is outdated: only a probe closes it.
        if self.probe || inner.open_until.is_none() {
            *inner = Inner::default();
        }
    }

    /// Records a failure.
    pub fn failed(self) {
        let mut inner = self.breaker.lock();
        inner.failures += 1;
        let opens =
            self.probe || (inner.failures >= FAILURE_THRESHOLD && inner.open_until.is_none());
        if opens {
            inner.open_until = Some(Instant::now() + OPEN_TIME);
        }
    }
}

impl Drop for CallPermit<'_> {
    fn drop(&mut self) {
        if self.probe {
            self.breaker.lock().probing = false;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::advance;

    fn fail_times(breaker: &CircuitBreaker, times: u32) {
        for _ in 0..times {
            breaker.admit().unwrap().failed();
        }
    }

    #[tokio::test(start_paused = true)]
    async fn five_failures_in_a_row_open_the_breaker_and_four_do_not() {
        let breaker = CircuitBreaker::default();
        fail_times(&breaker, FAILURE_THRESHOLD - 1);
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.admit().unwrap().succeeded();
        fail_times(&breaker, FAILURE_THRESHOLD - 1);
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail_times(&breaker, 1);
        assert_eq!(breaker.state(), BreakerState::Open);
        assert_eq!(breaker.admit().unwrap_err(), OPEN_TIME);
    }

    #[tokio::test(start_paused = true)]
    async fn one_probe_closes_or_reopens_the_breaker() {
        let breaker = CircuitBreaker::default();
        fail_times(&breaker, FAILURE_THRESHOLD);
        advance(OPEN_TIME).await;
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        let probe = breaker.admit().unwrap();
        assert!(breaker.admit().is_err(), "one probe at a time");
        probe.failed();
        assert_eq!(breaker.state(), BreakerState::Open);

        advance(OPEN_TIME).await;
        breaker.admit().unwrap().succeeded();
        assert_eq!(breaker.state(), BreakerState::Closed);
        fail_times(&breaker, FAILURE_THRESHOLD - 1);
        assert_eq!(
            breaker.state(),
            BreakerState::Closed,
            "the count starts at zero"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn a_cancelled_probe_allows_another_one() {
        let breaker = CircuitBreaker::default();
        fail_times(&breaker, FAILURE_THRESHOLD);
        advance(OPEN_TIME).await;
        drop(breaker.admit().unwrap());
        assert!(breaker.admit().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_success_of_an_earlier_call_does_not_close_the_breaker() {
        let breaker = CircuitBreaker::default();
        let early = breaker.admit().unwrap();
        fail_times(&breaker, FAILURE_THRESHOLD);
        early.succeeded();
        assert_eq!(breaker.state(), BreakerState::Open);
    }
}
