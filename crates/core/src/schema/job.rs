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
    /// The `X-Request-Id` of the POST, for the logs of the worker.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The trace that the POST belongs to, in the form of W3C Trace Context's `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// What was asked for.
    pub search: SearchRequest,
}
