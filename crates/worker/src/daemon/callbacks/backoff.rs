//! Delays between failed calls of a callback.

use std::time::Duration;

/// Seconds after the first failed call, the second, and so on; the last repeats. Follows the
/// example of Standard Webhooks, with more calls in the first hour, because a record lives a day.
const RETRY_DELAYS_SECONDS: [u64; 9] = [5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800];
/// The largest random change of a delay, as a share of it, so that calls that failed together are
/// not repeated together.
const JITTER: f64 = 0.2;

/// The delay after `failed_calls`. A receiver's `Retry-After` can lengthen it, to 8 hours at most.
pub(super) fn retry_delay(failed_calls: u32, retry_after: Option<Duration>) -> Duration {
    jittered_delay(failed_calls, retry_after, rand::random_range(-1.0..=1.0))
}

fn jittered_delay(failed_calls: u32, retry_after: Option<Duration>, chance: f64) -> Duration {
    let [.., longest] = RETRY_DELAYS_SECONDS.map(Duration::from_secs);
    let index = usize::try_from(failed_calls.saturating_sub(1)).unwrap_or(usize::MAX);
    let usual = RETRY_DELAYS_SECONDS
        .get(index)
        .map_or(longest, |seconds| Duration::from_secs(*seconds));
    let usual = usual.mul_f64(1.0 + JITTER * chance);
    retry_after.map_or(usual, |asked| usual.max(asked.min(longest)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn delays_grow_to_eight_hours_and_stay_there() {
        let seconds: Vec<u64> = (1..=11)
            .map(|n| jittered_delay(n, None, 0.0).as_secs())
            .collect();
        assert_eq!(
            seconds,
            [
                5, 30, 120, 600, 1_800, 3_600, 7_200, 14_400, 28_800, 28_800, 28_800
            ]
        );
    }

    #[test]
    fn jitter_changes_a_delay_by_a_fifth_at_most() {
        for _ in 0..1_000 {
            let pause = retry_delay(2, None).as_secs_f64();
            assert!((24.0..=36.0).contains(&pause), "{pause}");
        }
        assert_ne!(retry_delay(9, None), retry_delay(9, None));
    }

    #[test]
    fn retry_after_lengthens_a_delay_to_eight_hours_at_most_and_never_shortens_it() {
        let asked = |seconds| jittered_delay(2, Some(Duration::from_secs(seconds)), 0.0).as_secs();
        assert_eq!([asked(1), asked(300), asked(1_000_000)], [30, 300, 28_800]);
    }
}
