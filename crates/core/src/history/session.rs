//! [`Session`]: a finished search in the history.

use crate::mode::Mode;
use crate::schema::Status;
use chrono::{DateTime, Utc};
use serde_json::value::RawValue;
use uuid::Uuid;

/// A finished search: an answer, or the reason why there is none.
#[derive(Debug, Clone)]
pub struct Session {
    /// The id of the search.
    pub id: Uuid,
    /// The name of the API key of the POST; `None` if the service has no keys.
    pub owner: Option<String>,
    /// The question.
    pub query: String,
    /// The mode of the search; balanced for a direct one.
    pub mode: Mode,
    /// A terminal status: completed or failed.
    pub status: Status,
    /// The response, byte for byte as served.
    pub result: Option<Box<RawValue>>,
    /// The error text for a person, if there is no answer.
    pub error: Option<String>,
    /// The error code, if there is no answer.
    pub error_code: Option<String>,
    /// The time of the POST, stored to the microsecond.
    pub created_at: DateTime<Utc>,
    /// The time of the end, stored to the microsecond.
    pub completed_at: DateTime<Utc>,
}
