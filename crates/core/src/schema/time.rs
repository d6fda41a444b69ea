//! Timestamps on the wire: ISO 8601, UTC, always six decimals and a numeric offset, the one form
//! that every client library reads (older Pythons refuse `Z` and other numbers of decimals).

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The wire form, as in `2026-11-23T14:36:40.942499+00:00`.
#[must_use]
pub fn format(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Reads the wire form, and the form of the old service, which left the offset out.
///
/// # Errors
/// When `text` is no ISO 8601 timestamp.
pub fn parse(text: &str) -> Result<DateTime<Utc>, chrono::ParseError> {
    DateTime::parse_from_rfc3339(text)
        .map(|at| at.with_timezone(&Utc))
        .or_else(|_| {
            NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%M:%S%.f").map(|at| at.and_utc())
        })
}

/// Serialises the wire form.
///
/// # Errors
/// When the serialiser fails.
pub fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&format(at))
}

/// Deserialises what [`parse`] reads.
///
/// # Errors
/// When the text is no ISO 8601 timestamp.
pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    let text = String::deserialize(deserializer)?;
    parse(&text).map_err(D::Error::custom)
}
