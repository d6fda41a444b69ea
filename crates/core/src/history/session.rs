//! A finished session, as the rest of the program knows it.

use crate::mode::Mode;
use crate::schema::Status;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A session that has ended: an answer, or the reason why there is none.
#[derive(Debug, Clone)]
pub struct Session {
    /// Names the search.
    pub id: Uuid,
    /// The name of the API key that posted it; `None` without keys.
    pub owner: Option<String>,
    /// The question.
    pub query: String,
    /// How thorough the search was.
    pub mode: Mode,
    /// A terminal status.
    pub status: Status,
    /// The response, byte for byte as it was served.
    pub result: Option<Box<RawValue>>,
    /// Why there is no answer, for a person.
    pub error: Option<String>,
    /// Why there is no answer, for a program.
    pub error_code: Option<String>,
    /// When it was posted; kept to the microsecond.
    pub created_at: DateTime<Utc>,
    /// When it ended; kept to the microsecond.
    pub completed_at: DateTime<Utc>,
}
