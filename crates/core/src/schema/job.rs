//! What the API hands to a worker through Redis.

use super::{SearchRequest, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A search on its way to a worker.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchJob {
    /// When it was posted; every later answer repeats it.
    #[serde(with = "time")]
    pub created_at: DateTime<Utc>,
    /// What was asked for.
    pub search: SearchRequest,
}
