//! [`SearchJob`]: what the API sends to a worker through Redis.

use super::{SearchRequest, time};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

/// A search request with its context, as the payload of a job.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchJob {
    /// The time of the POST; every response has it.
    #[serde(with = "time")]
    pub created_at: DateTime<Utc>,
    /// The `X-Request-Id` of the POST, for the worker's log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The trace of the POST, in the form of W3C Trace Context's `traceparent`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub traceparent: Option<String>,
    /// The checked request.
    pub search: SearchRequest,
}
