//! The Retry-After header (RFC 9110, 10.2.3).

use chrono::{DateTime, Utc};
use reqwest::header::{HeaderMap, RETRY_AFTER};
use std::time::Duration;

/// Longer waits are of no use to a search; this also keeps absurd numbers out of arithmetic.
const MAX_RETRY_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// The requested delay, given as seconds or as a date. Zero for a date in the past; at most a day.
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<Duration> {
    let value = headers.get(RETRY_AFTER)?.to_str().ok()?.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        let wait = Duration::try_from_secs_f64(seconds).ok()?;
        return Some(wait.min(MAX_RETRY_AFTER));
    }
    let at = DateTime::parse_from_rfc2822(value).ok()?;
    let wait = (at.with_timezone(&Utc) - now).to_std().unwrap_or_default();
    Some(wait.min(MAX_RETRY_AFTER))
}
