//! Reading a job's events. The job scripts write them, each under the nonce of its attempt; only
//! the first event, `queued`, is not stored: the reader adds it.

use super::{Jobs, JobsError, error::read};
use crate::keys;
use bytes::Bytes;
use redis::{from_redis_value, streams::StreamRangeReply};
use std::{fmt, str::FromStr};
use uuid::Uuid;

const QUEUED: &str = "queued";

/// The position of an event in its job's stream: larger is later. Its text is that of Redis,
/// `1764000000000-0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId {
    /// Milliseconds since the Unix epoch, by the clock of Redis.
    millis: u64,
    /// Distinguishes the events of one millisecond.
    number: u64,
}

impl EntryId {
    /// Before every event.
    pub const START: Self = Self {
        millis: 0,
        number: 0,
    };
    /// The lowest id of an event: that of `queued`.
    pub const FIRST: Self = Self {
        millis: 0,
        number: 1,
    };
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

/// The text is not the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event id; its form is 1764000000000-0")]
pub struct NoEntryId;

impl FromStr for EntryId {
    type Err = NoEntryId;

    /// The number is optional, as in Redis.
    fn from_str(text: &str) -> Result<Self, NoEntryId> {
        let (millis, number) = text.split_once('-').unwrap_or((text, "0"));
        let parse = |part: &str| {
            let is_plain = part.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| part.parse().ok()).flatten()
        };
        match (parse(millis), parse(number)) {
            (Some(millis), Some(number)) => Ok(Self { millis, number }),
            _ => Err(NoEntryId),
        }
    }
}

/// One event of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    pub id: EntryId,
    /// `queued`, `text`, …
    pub kind: String,
    /// A JSON object.
    pub data: Bytes,
}

impl Entry {
    /// Whether the job ends with this event.
    #[must_use]
    pub fn is_last(&self) -> bool {
        matches!(self.kind.as_str(), "completed" | "failed")
    }
}

impl Jobs {
    /// Up to `limit` events of a job after `after`, in order; none when the job does not exist.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer, `Unexpected` when a stored event cannot be read.
    pub async fn events_after(
        &self,
        id: Uuid,
        after: EntryId,
        limit: usize,
    ) -> Result<Vec<Entry>, JobsError> {
        let mut range = redis::cmd("XRANGE");
        range
            .arg(keys::events(id))
            .arg(format!("({after}"))
            .arg("+")
            .arg("COUNT")
            .arg(limit);
        if after >= EntryId::FIRST {
            let reply: StreamRangeReply = self.query(&range).await?;
            return reply.ids.into_iter().map(entry).collect();
        }
        let mut both = redis::pipe();
        both.add_command(range).cmd("EXISTS").arg(keys::control(id));
        let both = &both;
        let asked = self
            .redis
            .run(|mut connection| async move { both.query_async(&mut connection).await });
        let (reply, exists): (StreamRangeReply, bool) = read(asked.await?)?;
        let stored: Result<Vec<_>, _> = reply.ids.into_iter().map(entry).collect();
        let mut entries = stored?;
        // The previous version stored `queued` like the others.
        if exists && entries.first().is_none_or(|first| first.kind != QUEUED) {
            entries.insert(0, queued());
            entries.truncate(limit);
        }
        Ok(entries)
    }
}

/// The first event of every job. It is not stored, as it only says that the job exists.
fn queued() -> Entry {
    Entry {
        id: EntryId::FIRST,
        kind: QUEUED.to_owned(),
        data: Bytes::from_static(br#"{"type":"queued"}"#),
    }
}

fn entry(stored: redis::streams::StreamId) -> Result<Entry, JobsError> {
    let mut fields = stored.map;
    let mut field = |name: &str| {
        let value = fields.remove(name);
        let bytes = value.and_then(|value| from_redis_value::<Vec<u8>>(value).ok());
        bytes.ok_or_else(|| JobsError::Unexpected(format!("an event without {name}")))
    };
    let unexpected = |error: &dyn fmt::Display| JobsError::Unexpected(error.to_string());
    Ok(Entry {
        id: stored.id.parse().map_err(|error| unexpected(&error))?,
        kind: String::from_utf8(field("type")?).map_err(|error| unexpected(&error))?,
        data: field("data")?.into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_round_trip_and_keep_their_order() {
        let id: EntryId = "1764000000000-12".parse().unwrap();
        assert_eq!(id.to_string(), "1764000000000-12");
        assert!("1764000000000-2".parse::<EntryId>().unwrap() < id);
        assert!("1764000000001".parse::<EntryId>().unwrap() > id);
        assert!(EntryId::START < id);
    }

    #[test]
    fn invalid_ids_are_refused() {
        for text in [
            "",
            "-",
            "1-",
            "-1",
            "+1-0",
            "1-0-0",
            "x-0",
            "(1-0",
            "99999999999999999999-0",
        ] {
            assert_eq!(text.parse::<EntryId>(), Err(NoEntryId), "{text}");
        }
    }
}
