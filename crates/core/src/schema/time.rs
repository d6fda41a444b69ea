//! Timestamps on the wire: ISO 8601, UTC, always six decimals and a numeric offset. Every client
//! library reads this form; older Pythons refuse `Z` and other numbers of decimals.

use chrono::{DateTime, NaiveDateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serializer, de::Error};

/// The wire form, as in `2026-11-23T14:36:40.942499+00:00`.
#[must_use]
pub fn format(at: &DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Micros, false)
}

/// Parses the wire form, and the form of the old service, which has no offset.
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

/// For a timestamp that may be unknown.
pub mod optional {
    use super::{DateTime, Deserialize, Deserializer, Error, Serializer, Utc, parse};

    /// Serialises the wire form, or null.
    ///
    /// # Errors
    /// When the serialiser fails.
    pub fn serialize<S: Serializer>(
        at: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, serializer),
            None => serializer.serialize_none(),
        }
    }

    /// Deserialises what [`parse`] reads, or null.
    ///
    /// # Errors
    /// When the text is no ISO 8601 timestamp.
    pub fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        let text = Option::<String>::deserialize(deserializer)?;
        text.map(|text| parse(&text).map_err(D::Error::custom))
            .transpose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_six_decimals_and_a_numeric_offset() {
        let at = parse("2026-11-23T14:36:40Z").unwrap();
        assert_eq!(format(&at), "2026-11-23T14:36:40.000000+00:00");
    }

    #[test]
    fn timestamps_of_the_old_service_are_read_as_utc() {
        let old = parse("2026-11-23T14:36:40.942499").unwrap();
        assert_eq!(format(&old), "2026-11-23T14:36:40.942499+00:00");
    }
}
