//! Pages of the history: what is asked for and what comes back.

use crate::mode::Mode;
use crate::schema::{Status, time};
use chrono::{DateTime, SecondsFormat, Utc};
use std::{fmt, str::FromStr};
use uuid::Uuid;

/// Which sessions are wanted, newest first.
#[derive(Debug, Clone, Default)]
pub struct Wanted {
    /// Those of this API key only; of all when `None`.
    pub owner: Option<String>,
    /// Those of this mode only.
    pub mode: Option<Mode>,
    /// Those that ended like this only.
    pub ending: Option<Ending>,
    /// Those with all of these words in their question or answer. A word of three characters or
    /// more also finds what begins with it. Text without any word finds nothing.
    pub text: Option<String>,
    /// Where the page begins; at the newest when `None`.
    pub before: Option<Before>,
    /// At most so many.
    pub limit: u16,
}

/// How a search ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// With an answer.
    Completed,
    /// Without one, cancelled or not.
    Failed,
    /// Without one, because a client cancelled it.
    Cancelled,
}

impl Ending {
    /// Every ending.
    pub const ALL: [Self; 3] = [Self::Completed, Self::Failed, Self::Cancelled];

    /// Its name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

/// The place between two sessions where a page begins. New sessions do not move it, and it stays
/// good when the session that it was made of is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Before {
    /// Older than this, or as old and with a smaller id.
    pub(super) created_at: DateTime<Utc>,
    /// `None` for nothing that is as old.
    pub(super) id: Option<Uuid>,
}

/// A text that is no [`Before`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("neither a time nor a next_before")]
pub struct NoPlace;

impl fmt::Display for Before {
    /// Safe in a query string as it is.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let time = self.created_at.to_rfc3339_opts(SecondsFormat::Micros, true);
        match self.id {
            Some(id) => write!(f, "{time}_{id}"),
            None => f.write_str(&time),
        }
    }
}

impl FromStr for Before {
    type Err = NoPlace;

    /// What `Display` writes, or any ISO 8601 time: then the page begins right before it.
    fn from_str(text: &str) -> Result<Self, NoPlace> {
        let (at, id) = match text.split_once('_') {
            Some((at, id)) => {
                let id = Uuid::try_parse(id).map_err(|_not_a_uuid| NoPlace)?;
                (at, Some(id))
            }
            None => (text, None),
        };
        let created_at = time::parse(at).map_err(|_not_a_time| NoPlace)?;
        Ok(Self { created_at, id })
    }
}

/// One line of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listed {
    /// Names the search.
    pub id: Uuid,
    /// The question.
    pub query: String,
    /// How thorough the search was.
    pub mode: Mode,
    /// A terminal status.
    pub status: Status,
    /// Why there is no answer, for a program.
    pub error_code: Option<String>,
    /// When it was posted.
    pub created_at: DateTime<Utc>,
    /// When it ended.
    pub completed_at: DateTime<Utc>,
    /// How the answer begins.
    pub excerpt: Option<String>,
    /// How many sources there are; `None` until a worker has looked at what an older version stored.
    pub source_count: Option<u64>,
}

/// A page of the list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// Newest first.
    pub sessions: Vec<Listed>,
    /// Where the next page begins, if there is one.
    pub next: Option<Before>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_read_back_as_it_was_written() {
        for text in [
            "2026-11-23T14:36:40.942499Z_9117064c-0000-4000-8000-000000000001",
            "2026-11-23T14:36:40.942499Z",
        ] {
            assert_eq!(text.parse::<Before>().unwrap().to_string(), text);
        }
        let other: Before = "2026-11-23T15:36:40+01:00".parse().unwrap();
        assert_eq!(other.to_string(), "2026-11-23T14:36:40.000000Z");
    }

    #[test]
    fn other_text_is_no_place() {
        for text in [
            "",
            "_",
            "yesterday",
            "2026-11-23T14:36:40Z_",
            "1700000000_x",
        ] {
            assert_eq!(text.parse::<Before>(), Err(NoPlace), "{text}");
        }
    }
}
