//! Decides how often a lasting failure is logged. A loop that retries every second would otherwise
//! fill the log with one line and push out everything older.

use std::time::Duration;
use tokio::time::Instant;

/// The pause after the first log line; each later pause is twice as long.
const FIRST_LOG_INTERVAL: Duration = Duration::from_secs(60);
const MAX_LOG_INTERVAL: Duration = Duration::from_secs(3600);

/// Tracks whether a dependency fails, for the one loop that uses it.
#[derive(Debug, Default)]
pub struct OutageLog(Option<OngoingOutage>);

#[derive(Debug)]
struct OngoingOutage {
    since: Instant,
    last_logged: Instant,
    log_interval: Duration,
}

impl OutageLog {
    /// Whether the last call failed.
    #[must_use]
    pub fn is_ongoing(&self) -> bool {
        self.0.is_some()
    }

    /// Records a failed call. Returns whether to log it: the first failure, then one after a
    /// minute, then with pauses that double up to an hour.
    #[must_use]
    pub fn record_failure(&mut self) -> bool {
        let now = Instant::now();
        let Some(failing) = &mut self.0 else {
            self.0 = Some(OngoingOutage {
                since: now,
                last_logged: now,
                log_interval: FIRST_LOG_INTERVAL,
            });
            return true;
        };
        let is_due = now.duration_since(failing.last_logged) >= failing.log_interval;
        if is_due {
            failing.last_logged = now;
            failing.log_interval = (failing.log_interval * 2).min(MAX_LOG_INTERVAL);
        }
        is_due
    }

    /// Records a successful call. Returns the length of the outage in seconds, if there was one.
    #[must_use]
    pub fn record_success(&mut self) -> Option<u64> {
        let failing = self.0.take()?;
        Some(failing.since.elapsed().as_secs())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_long_outage_is_logged_at_once_and_then_ever_less_often() {
        let start = Instant::now();
        let mut outage = OutageLog::default();
        let mut logged = Vec::new();
        while start.elapsed() < Duration::from_secs(24 * 3600) {
            if outage.record_failure() {
                logged.push(start.elapsed().as_secs());
            }
            tokio::time::advance(Duration::from_secs(1)).await;
        }
        assert_eq!(logged[..6], [0, 60, 180, 420, 900, 1860]);
        let hours = logged[7..].windows(2).all(|pair| pair[1] - pair[0] == 3600);
        assert!(hours, "{logged:?}");
        assert_eq!(outage.record_success(), Some(24 * 3600));
        assert_eq!(outage.record_success(), None);
    }

    #[tokio::test(start_paused = true)]
    async fn each_start_and_end_of_an_outage_is_reported() {
        let mut outage = OutageLog::default();
        for _change in 0..3 {
            assert!(outage.record_failure() && !outage.record_failure() && outage.is_ongoing());
            assert_eq!(outage.record_success(), Some(0));
            assert!(!outage.is_ongoing());
        }
    }
}
