//! How often to speak of a failure that goes on. A loop that tries again every second would fill the log with
//! one and the same line, and what happened before it would be pushed out.

use std::time::Duration;
use tokio::time::Instant;

/// The pause after the first line; each one is twice the one before.
const FIRST_PAUSE: Duration = Duration::from_secs(60);
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);

/// A part that is away or not, as the one loop that uses it sees it.
#[derive(Debug, Default)]
pub struct Outage(Option<Failing>);

#[derive(Debug)]
struct Failing {
    since: Instant,
    told: Instant,
    pause: Duration,
}

impl Outage {
    /// Whether the last use failed.
    #[must_use]
    pub fn goes_on(&self) -> bool {
        self.0.is_some()
    }

    /// A use failed. Tells whether to log it: the first one, then after a minute, then with pauses that double up
    /// to an hour.
    #[must_use]
    pub fn failed(&mut self) -> bool {
        let now = Instant::now();
        let Some(failing) = &mut self.0 else {
            self.0 = Some(Failing {
                since: now,
                told: now,
                pause: FIRST_PAUSE,
            });
            return true;
        };
        let is_due = now.duration_since(failing.told) >= failing.pause;
        if is_due {
            failing.told = now;
            failing.pause = (failing.pause * 2).min(LONGEST_PAUSE);
        }
        is_due
    }

    /// A use went well. Tells how many seconds the outage took, if there was one.
    #[must_use]
    pub fn ended(&mut self) -> Option<u64> {
        let failing = self.0.take()?;
        Some(failing.since.elapsed().as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_day_of_outage_is_told_in_a_line_at_its_start_and_ever_fewer_after_it() {
        let start = Instant::now();
        let mut outage = Outage::default();
        let mut told = Vec::new();
        while start.elapsed() < Duration::from_secs(24 * 3600) {
            if outage.failed() {
                told.push(start.elapsed().as_secs());
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(told[..6], [0, 60, 180, 420, 900, 1860]);
        let hours = told[7..].windows(2).all(|pair| pair[1] - pair[0] == 3600);
        assert!(hours, "{told:?}");
        assert_eq!(outage.ended(), Some(24 * 3600));
        assert_eq!(outage.ended(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn each_change_is_told() {
        let mut outage = Outage::default();
        for _change in 0..3 {
            assert!(outage.failed() && !outage.failed() && outage.goes_on());
            assert_eq!(outage.ended(), Some(0));
            assert!(!outage.goes_on());
        }
    }
}
