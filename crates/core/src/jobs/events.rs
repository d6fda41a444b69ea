//! Reading a job's events. The job scripts write them, each under the nonce of its attempt; only
//! the first event, `queued`, is not stored: the reader adds it.

use super::{Jobs, JobsError, error::parse_reply};
use crate::keys;
use bytes::Bytes;
use redis::{from_redis_value, streams::StreamRangeReply};
use std::{fmt, str::FromStr};
use uuid::Uuid;

const QUEUED: &str = "queued";

/// The position of an event in its job's stream: larger is later. Its text is that of Redis,
/// `1764000000000-0`.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// Milliseconds since the Unix epoch, by the clock of Redis.
    millis: u64,
    /// Distinguishes the events of one millisecond.
    number: u64,
}

impl EventId {
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

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{}", self.millis, self.number)
    }
}

/// The text is not the id of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an event id; its form is 1764000000000-0")]
pub struct InvalidEventId;

impl FromStr for EventId {
    type Err = InvalidEventId;

    /// The number is optional, as in Redis.
    fn from_str(text: &str) -> Result<Self, InvalidEventId> {
        let (millis, number) = text.split_once('-').unwrap_or((text, "0"));
        let parse = |part: &str| {
            let is_plain = part.bytes().all(|byte| byte.is_ascii_digit());
            is_plain.then(|| part.parse().ok()).flatten()
        };
        match (parse(millis), parse(number)) {
            (Some(millis), Some(number)) => Ok(Self { millis, number }),
            _ => Err(InvalidEventId),
        }
    }
}

/// One event of a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    pub id: EventId,
    /// `queued`, `text`, …
    pub kind: String,
    /// A JSON object.
    pub data: Bytes,
}

impl StoredEvent {
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
        after: EventId,
        limit: usize,
    ) -> Result<Vec<StoredEvent>, JobsError> {
        let mut range = redis::cmd("XRANGE");
        range
            .arg(keys::events(id))
            .arg(format!("({after}"))
            .arg("+")
            .arg("COUNT")
            .arg(limit);
        if after >= EventId::FIRST {
            let reply: StreamRangeReply = self.query(&range).await?;
            return reply.ids.into_iter().map(parse_event).collect();
        }
        let mut both = redis::pipe();
        both.add_command(range).cmd("EXISTS").arg(keys::control(id));
        let both = &both;
        let asked = self
            .redis
            .run(|mut connection| async move { both.query_async(&mut connection).await });
        let (reply, exists): (StreamRangeReply, bool) = parse_reply(asked.await?)?;
        let stored: Result<Vec<_>, _> = reply.ids.into_iter().map(parse_event).collect();
        let mut entries = stored?;
        // The previous version stored `queued` like the others.
        if exists && entries.first().is_none_or(|first| first.kind != QUEUED) {
            entries.insert(0, queued_event());
            entries.truncate(limit);
        }
        Ok(entries)
    }
}

/// The first event of every job. It is not stored, as it only says that the job exists.
fn queued_event() -> StoredEvent {
    StoredEvent {
        id: EventId::FIRST,
        kind: QUEUED.to_owned(),
        data: Bytes::from_static(br#"{"type":"queued"}"#),
    }
}

fn parse_event(stored: redis::streams::StreamId) -> Result<StoredEvent, JobsError> {
    let mut fields = stored.map;
    let mut field = |name: &str| {
        let value = fields.remove(name);
        let bytes = value.and_then(|value| from_redis_value::<Vec<u8>>(value).ok());
        bytes.ok_or_else(|| JobsError::Unexpected(format!("an event without {name}")))
    };
    let unexpected = |error: &dyn fmt::Display| JobsError::Unexpected(error.to_string());
    Ok(StoredEvent {
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
        let id: EventId = "1764000000000-12".parse().unwrap();
        assert_eq!(id.to_string(), "1764000000000-12");
        assert!("1764000000000-2".parse::<EventId>().unwrap() < id);
        assert!("1764000000001".parse::<EventId>().unwrap() > id);
        assert!(EventId::START < id);
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
            assert_eq!(text.parse::<EventId>(), Err(InvalidEventId), "{text}");
        }
    }
}
