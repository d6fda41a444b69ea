//! [`Retention`]: which sessions are kept.

use chrono::{DateTime, TimeDelta, Utc};

/// The bound of sessions that one call deletes or summarises, so that it keeps the database busy
/// only briefly.
pub(super) const MAX_BATCH: i64 = 200;

/// Which sessions are kept; all by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Keep sessions posted within this many days; 0 for all.
    pub days: u32,
    /// Keep at most this many sessions, the newest; 0 for all.
    pub max_sessions: u32,
}

impl Retention {
    /// Sessions posted before this time (Unix microseconds) are deleted; `None` if all are kept.
    pub(super) fn cutoff(self, now: DateTime<Utc>) -> Option<i64> {
        let oldest = now.checked_sub_signed(TimeDelta::days(self.days.into()))?;
        (self.days > 0).then(|| oldest.timestamp_micros())
    }
}
