//! How long a provider usually takes: what is slower than that is worth a try elsewhere.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Answers that are remembered.
const REMEMBERED: usize = 32;
/// Below this many answers nothing is usual yet.
const ENOUGH: usize = 5;
/// Nobody is called slow before this.
const LEAST: Duration = Duration::from_millis(800);
/// What is waited for a provider of which little is known.
const UNKNOWN: Duration = Duration::from_secs(3);

/// The latest answering times of one provider, shared by all searches of a process.
#[derive(Debug, Default)]
pub(super) struct Usual(Mutex<VecDeque<Duration>>);

impl Usual {
    /// Remembers how long an answer took.
    pub(super) fn record(&self, took: Duration) {
        let mut times = self.lock();
        if times.len() == REMEMBERED {
            times.pop_front();
        }
        times.push_back(took);
    }

    /// The time within which 19 of 20 answers came, once there are a few.
    pub(super) fn p95(&self) -> Option<Duration> {
        let mut times: Vec<Duration> = self.lock().iter().copied().collect();
        if times.len() < ENOUGH {
            return None;
        }
        times.sort_unstable();
        let rank = (times.len() * 95).div_ceil(100);
        times.get(rank.saturating_sub(1)).copied()
    }

    /// How long an answer is waited for before somebody else is asked too.
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
    fn patience_follows_the_slowest_of_the_usual_answers() {
        let usual = Usual::default();
        assert_eq!(usual.patience(), UNKNOWN);
        for _ in 0..20 {
            usual.record(Duration::from_millis(100));
        }
        assert_eq!(usual.p95(), Some(Duration::from_millis(100)));
        assert_eq!(usual.patience(), LEAST);
        usual.record(Duration::from_secs(9));
        assert_eq!(usual.patience(), LEAST, "one slow answer is no habit");
        for _ in 0..12 {
            usual.record(Duration::from_secs(2));
        }
        assert_eq!(usual.patience(), Duration::from_secs(2));
    }

    #[test]
    fn only_the_latest_answers_count() {
        let usual = Usual::default();
        for seconds in [9, 1] {
            for _ in 0..REMEMBERED {
                usual.record(Duration::from_secs(seconds));
            }
        }
        assert_eq!(usual.p95(), Some(Duration::from_secs(1)));
    }
}
