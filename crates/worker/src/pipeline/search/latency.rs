//! The recent latencies of a provider ([`LatencyWindow`]), from which the hedge delay follows.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Latencies that are kept.
const WINDOW_SIZE: usize = 32;
/// Latencies that are needed for a percentile.
const MIN_SAMPLES: usize = 5;
/// The minimum hedge delay.
const MIN_HEDGE_DELAY: Duration = Duration::from_millis(800);
/// The hedge delay without enough latencies.
const DEFAULT_HEDGE_DELAY: Duration = Duration::from_secs(3);

/// The latest latencies of one provider, shared by all searches of a process.
#[derive(Debug, Default)]
pub(super) struct LatencyWindow(Mutex<VecDeque<Duration>>);

impl LatencyWindow {
    pub(super) fn record(&self, took: Duration) {
        let mut times = self.lock();
        if times.len() == WINDOW_SIZE {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// The 95th percentile; `None` with too few latencies.
    pub(super) fn p95(&self) -> Option<Duration> {
        let mut times: Vec<Duration> = self.lock().iter().copied().collect();
        if times.len() < MIN_SAMPLES {
            return None;
        }
        times.sort_unstable();
        let rank = (times.len() * 95).div_ceil(100);
        times.get(rank.saturating_sub(1)).copied()
    }

    /// How long to wait for an answer before the next provider is called too.
    pub(super) fn patience(&self) -> Duration {
        self.p95()
            .map_or(DEFAULT_HEDGE_DELAY, |usual| usual.max(MIN_HEDGE_DELAY))
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Duration>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_hedge_delay_follows_the_95th_percentile() {
        let usual = LatencyWindow::default();
        assert_eq!(usual.patience(), DEFAULT_HEDGE_DELAY);
        for _ in 0..20 {
            usual.record(Duration::from_millis(100));
        }
        assert_eq!(usual.p95(), Some(Duration::from_millis(100)));
        assert_eq!(usual.patience(), MIN_HEDGE_DELAY);
        usual.record(Duration::from_secs(9));
        assert_eq!(
            usual.patience(),
            MIN_HEDGE_DELAY,
            "one slow answer does not count"
        );
        for _ in 0..12 {
            usual.record(Duration::from_secs(2));
        }
        assert_eq!(usual.patience(), Duration::from_secs(2));
    }

    #[test]
    fn only_the_latest_latencies_count() {
        let usual = LatencyWindow::default();
        for seconds in [9, 1] {
            for _ in 0..WINDOW_SIZE {
                usual.record(Duration::from_secs(seconds));
            }
        }
        assert_eq!(usual.p95(), Some(Duration::from_secs(1)));
    }
}
