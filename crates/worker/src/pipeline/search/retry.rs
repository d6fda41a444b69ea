//! Retries calls that failed with a transient error, while there is time.

use crate::pipeline::{
    deadline::Deadline,
    provider::{ProviderError, ProviderResponse},
};
use std::{ops::RangeInclusive, time::Duration};

/// The delay before a retry, in milliseconds. Random, so that searches that failed together do not
/// retry together.
const RETRY_DELAY_MS: RangeInclusive<u64> = 100..=400;
/// With less time than this, a retry is not worth its call.
const MIN_RETRY_TIME: Duration = Duration::from_millis(500);

/// Makes `call` until it succeeds or fails permanently, at most `1 + retries` times and while there
/// is time.
pub(super) async fn with_retries<F>(
    retries: usize,
    deadline: Deadline,
    call: impl Fn() -> F,
) -> Result<ProviderResponse, ProviderError>
where
    F: Future<Output = Result<ProviderResponse, ProviderError>>,
{
    let mut result = call().await;
    for _ in 0..retries {
        let Err(error) = &result else { break };
        let Some(pause) = retry_delay(error) else {
            break;
        };
        if deadline.remaining() < pause + MIN_RETRY_TIME {
            break;
        }
        tokio::time::sleep(pause).await;
        result = call().await;
    }
    result
}

/// The delay before a retry after `error`; `None` if a retry cannot help.
fn retry_delay(error: &ProviderError) -> Option<Duration> {
    let jitter = || Duration::from_millis(rand::random_range(RETRY_DELAY_MS));
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

    fn rate_limited(seconds: u64) -> ProviderError {
        ProviderError::RateLimited {
            provider: PROVIDER,
            retry_after: Some(Duration::from_secs(seconds)),
        }
    }

    /// The number of calls and whether the last one succeeded, if the first `failures` calls fail.
    async fn calls_and_success(
        error: ProviderError,
        failures: usize,
        budget: Duration,
    ) -> (usize, bool) {
        let calls = Cell::new(0);
        let result = with_retries(2, Deadline::after(budget), || {
            calls.set(calls.get() + 1);
            let fails = calls.get() <= failures;
            let error = error.clone();
            async move {
                if fails {
                    Err(error)
                } else {
                    Ok(ProviderResponse::default())
                }
            }
        });
        let is_ok = result.await.is_ok();
        (calls.get(), is_ok)
    }

    #[tokio::test(start_paused = true)]
    async fn transient_errors_are_retried_at_most_twice() {
        let budget = Duration::from_secs(10);
        assert_eq!(calls_and_success(unavailable(), 0, budget).await, (1, true));
        assert_eq!(calls_and_success(unavailable(), 2, budget).await, (3, true));
        assert_eq!(
            calls_and_success(unavailable(), 9, budget).await,
            (3, false)
        );
    }

    #[tokio::test(start_paused = true)]
    async fn retry_after_is_respected_if_there_is_time() {
        let start = Instant::now();
        let budget = Duration::from_secs(10);
        assert_eq!(
            calls_and_success(rate_limited(2), 1, budget).await,
            (2, true)
        );
        let waited = start.elapsed();
        assert!(waited >= Duration::from_millis(2100), "{waited:?}");
        assert!(waited <= Duration::from_millis(2400), "{waited:?}");

        let start = Instant::now();
        assert_eq!(
            calls_and_success(rate_limited(60), 1, budget).await,
            (1, false)
        );
        assert!(start.elapsed().is_zero(), "no wait without a retry");
    }

    #[tokio::test(start_paused = true)]
    async fn permanent_errors_and_timeouts_are_not_retried() {
        let budget = Duration::from_secs(10);
        for error in [
            ProviderError::TimedOut { provider: PROVIDER },
            ProviderError::Malformed {
                provider: PROVIDER,
                reason: "not JSON".to_owned(),
            },
        ] {
            assert_eq!(calls_and_success(error, 1, budget).await, (1, false));
        }
        let short = Duration::from_millis(400);
        assert_eq!(calls_and_success(unavailable(), 1, short).await, (1, false));
    }
}
