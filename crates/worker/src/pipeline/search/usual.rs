//! The recent latencies of a provider ([`Usual`]), from which the hedge delay follows.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Latencies that are kept.
const REMEMBERED: usize = 32;
/// Latencies that are needed for a percentile.
const ENOUGH: usize = 5;
/// The minimum hedge delay.
const LEAST: Duration = Duration::from_millis(800);
/// The hedge delay without enough latencies.
const UNKNOWN: Duration = Duration::from_secs(3);

/// The latest latencies of one provider, shared by all searches of a process.
#[derive(Debug, Default)]
pub(super) struct Usual(Mutex<VecDeque<Duration>>);

impl Usual {
    pub(super) fn record(&self, took: Duration) {
        let mut times = self.lock();
        if times.len() == REMEMBERED {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// The 95th percentile; `None` with too few latencies.
    pub(super) fn p95(&self) -> Option<Duration> {
        let mut times: Vec<Duration> = self.lock().iter().copied().collect();
        if times.len() < ENOUGH {
            return None;
        }
        times.sort_unstable();
        let rank = (times.len() * 95).div_ceil(100);
        times.get(rank.saturating_sub(1)).copied()
    }

    /// How long to wait for an answer before the next provider is called too.
    pub(super) fn patience(&self) -> Duration {
        self.p95().map_or(UNKNOWN, |usual| usual.max(LEAST))
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
        let usual = Usual::default();
        assert_eq!(usual.patience(), UNKNOWN);
        for _ in 0..20 {
            usual.record(Duration::from_millis(100));
        }
        assert_eq!(usual.p95(), Some(Duration::from_millis(100)));
        assert_eq!(usual.patience(), LEAST);
        usual.record(Duration::from_secs(9));
        assert_eq!(usual.patience(), LEAST, "one slow answer does not count");
        for _ in 0..12 {
            usual.record(Duration::from_secs(2));
        }
        assert_eq!(usual.patience(), Duration::from_secs(2));
    }

    #[test]
    fn only_the_latest_latencies_count() {
        let usual = Usual::default();
        for seconds in [9, 1] {
            for _ in 0..REMEMBERED {
                usual.record(Duration::from_secs(seconds));
            }
        }
        assert_eq!(usual.p95(), Some(Duration::from_secs(1)));
    }
}
