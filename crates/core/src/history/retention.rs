//! How long sessions are kept.

use chrono::{DateTime, TimeDelta, Utc};

/// Sessions deleted or summarised by one call: the database is never busy with it for long.
pub(super) const BATCH: i64 = 200;

/// Which sessions are kept. By default all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Retention {
    /// Those that were posted within so many days; zero for all.
    pub days: u32,
    /// The newest so many; zero for all.
    pub most: u32,
}

impl Retention {
    /// Sessions posted before this are not kept, in microseconds since 1970.
    pub(super) fn oldest(self, now: DateTime<Utc>) -> Option<i64> {
        let oldest = now.checked_sub_signed(TimeDelta::days(self.days.into()))?;
        (self.days > 0).then(|| oldest.timestamp_micros())
    }
}
