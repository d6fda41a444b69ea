//! Trying again: what failed in passing is asked once more while there is time.

use crate::pipeline::{
    deadline::Deadline,
    provider::{Found, ProviderError},
};
use std::{ops::RangeInclusive, time::Duration};

/// What is waited before another try, in milliseconds. Random, so that the searches that failed
/// together do not come back together.
const PAUSE: RangeInclusive<u64> = 100..=400;
/// A try that has less time than this is not worth its call.
const LEAST: Duration = Duration::from_millis(500);

/// Runs `call` until it succeeds, fails for good, was made `1 + retries` times, or there is no time
/// for another.
pub(super) async fn retrying<F>(
    retries: usize,
    deadline: Deadline,
    call: impl Fn() -> F,
) -> Result<Found, ProviderError>
where
    F: Future<Output = Result<Found, ProviderError>>,
{
    let mut result = call().await;
    for _ in 0..retries {
        let Err(error) = &result else { break };
        let Some(pause) = pause_after(error) else {
            break;
        };
        if deadline.remaining() < pause + LEAST {
            break;
        }
        tokio::time::sleep(pause).await;
        result = call().await;
    }
    result
}

/// How long to wait after `error`; `None` when another try cannot help: it was late already, or
/// was refused.
fn pause_after(error: &ProviderError) -> Option<Duration> {
    let jitter = || Duration::from_millis(rand::random_range(PAUSE));
    match error {
        ProviderError::RateLimited {
            retry_after: Some(wait),
            ..
        } => Some(*wait + jitter()),
        ProviderError::Unavailable { .. } | ProviderError::RateLimited { .. } => Some(jitter()),
        ProviderError::TimedOut { .. }
        | ProviderError::Refused { .. }
        | ProviderError::Malformed { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;
    use tokio::time::Instant;

    const PROVIDER: &str = "searxng";

    fn unavailable() -> ProviderError {
        ProviderError::Unavailable {
            provider: PROVIDER,
            reason: "HTTP 503".to_owned(),
        }
    }

    fn limited(seconds: u64) -> ProviderError {
        ProviderError::RateLimited {
            provider: PROVIDER,
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    /// Calls made and whether it ended well, when the first `failures` calls fail.
    async fn tried(error: ProviderError, failures: usize, budget: Duration) -> (usize, bool) {
        let calls = Cell::new(0);
        let result = retrying(2, Deadline::after(budget), || {
            calls.set(calls.get() + 1);
            let fails = calls.get() <= failures;
            let error = error.clone();
            async move {
                if fails {
                    Err(error)
                } else {
                    Ok(Found::default())
                }
            }
        });
        let is_ok = result.await.is_ok();
        (calls.get(), is_ok)
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_in_passing_is_tried_again_twice_at_most() {
        let budget = Duration::from_secs(10);
        assert_eq!(tried(unavailable(), 0, budget).await, (1, true));
        assert_eq!(tried(unavailable(), 2, budget).await, (3, true));
        assert_eq!(tried(unavailable(), 9, budget).await, (3, false));
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_provider_asks_for_is_kept_if_there_is_time() {
        let start = Instant::now();
        let budget = Duration::from_secs(10);
        assert_eq!(tried(limited(2), 1, budget).await, (2, true));
        let waited = start.elapsed();
        assert!(waited >= Duration::from_millis(2100), "{waited:?}");
        assert!(waited <= Duration::from_millis(2400), "{waited:?}");

        let start = Instant::now();
        assert_eq!(tried(limited(60), 1, budget).await, (1, false));
        assert!(start.elapsed().is_zero(), "nothing is waited for in vain");
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_and_lateness_are_final() {
        let budget = Duration::from_secs(10);
        for error in [
            ProviderError::TimedOut { provider: PROVIDER },
            ProviderError::Malformed {
                provider: PROVIDER,
                reason: "not JSON".to_owned(),
            },
        ] {
            assert_eq!(tried(error, 1, budget).await, (1, false));
        }
        let short = Duration::from_millis(400);
        assert_eq!(tried(unavailable(), 1, short).await, (1, false));
    }
}
