//! Pages of the session list: the filter, the cursor and the entries.

use crate::mode::Mode;
use crate::schema::{Status, time};
use chrono::{DateTime, SecondsFormat, Utc};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// The filter, start and size of a page, newest first.
#[derive(Debug, Clone, Default)]
pub struct SessionFilter {
    /// Only sessions of the API key with this name; all if `None`.
    pub owner: Option<String>,
    /// Only sessions of this mode.
    pub mode: Option<Mode>,
    /// Only sessions with this outcome.
    pub outcome: Option<Outcome>,
    /// Only sessions with all of these words in question or answer. A word of three or more
    /// characters also matches as a prefix. A text without words matches nothing.
    pub text: Option<String>,
    /// Where the page begins; at the newest session if `None`.
    pub before: Option<Cursor>,
    /// The largest number of sessions on the page.
    pub limit: u16,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// With an answer.
    Completed,
    /// Without an answer, cancelled or not.
    Failed,
    /// Without an answer, because a client cancelled it.
    Cancelled,
}

impl Outcome {
    /// Every outcome.
    pub const ALL: [Self; 3] = [Self::Completed, Self::Failed, Self::Cancelled];

    /// The name on the wire.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The position between two sessions where a page begins. New sessions do not move it, and it stays
/// valid if the session that it was made from is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    /// The page has sessions older than this, and those of the same time with a smaller id.
    pub(super) created_at: DateTime<Utc>,
    /// `None` to exclude all sessions of the same time.
    pub(super) id: Option<Uuid>,
}

/// The text is not a [`Cursor`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a time nor a next_before")]
pub struct InvalidCursor;

impl fmt::Display for Cursor {
    /// The text needs no escaping in a query string.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        match self.id {
            Some(id) => write!(f, "{time}_{id}"),
            None => f.write_str(&time),
        }
    }
}

impl FromStr for Cursor {
    type Err = InvalidCursor;

    /// Parses the text of `Display`, or any ISO 8601 time: the page then begins right before that
    /// time.
    fn from_str(text: &str) -> Result<Self, InvalidCursor> {
        let (at, id) = match text.split_once('_') {
            Some((at, id)) => {
                let id = Uuid::try_parse(id).map_err(|_not_a_uuid| InvalidCursor)?;
                (at, Some(id))
            }
            None => (text, None),
        };
        let created_at = time::parse(at).map_err(|_not_a_time| InvalidCursor)?;
        Ok(Self { created_at, id })
    }
}

/// One entry of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionSummary {
    /// The id of the search.
    pub id: Uuid,
    /// The question.
    pub query: String,
    /// The mode of the search; balanced for a direct one.
    pub mode: Mode,
    /// A terminal status: completed or failed.
    pub status: Status,
    /// The error code, if there is no answer.
    pub error_code: Option<String>,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
    /// The beginning of the answer.
    pub excerpt: Option<String>,
    /// The number of sources; `None` until a worker has summarised a session of an older version.
    pub source_count: Option<u64>,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub sessions: Vec<SessionSummary>,
    /// The start of the next page, if there is one.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_a_round_trip() {
        for text in [
            "2026-11-23T14:36:40.942499Z_9117064c-0000-4000-8000-000000000001",
            "2026-11-23T14:36:40.942499Z",
        ] {
            assert_eq!(text.parse::<Cursor>().unwrap().to_string(), text);
        }
        let other: Cursor = "2026-11-23T15:36:40+01:00".parse().unwrap();
        assert_eq!(other.to_string(), "2026-11-23T14:36:40.000000Z");
    }

    #[test]
    fn other_text_is_no_cursor() {
        for text in [
            "",
            "_",
            "yesterday",
            "2026-11-23T14:36:40Z_",
            "1700000000_x",
        ] {
            assert_eq!(text.parse::<Cursor>(), Err(InvalidCursor), "{text}");
        }
    }
}
