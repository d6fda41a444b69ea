//! The state of a search, parsed from its record, and the response that shows it.

use crate::problem::Problem;
use actix_web::{HttpResponse, http::header::ContentType};
use bytes::Bytes;
use chrono::Utc;
use privachat_core::{
    jobs::Record,
    schema::{Status, record::StoredRecord},
};
use serde_json::Value;
use uuid::Uuid;

/// The state of a search.
pub(crate) enum SearchState {
    /// The result as stored, not parsed.
    Completed(Bytes),
    /// All other states, and completed records that the old service wrote.
    Other { status: Status, response: Value },
}

/// Parses a record; `Problem::Internal` when it is damaged.
pub(crate) fn parse_record(id: Uuid, record: &Record) -> Result<SearchState, Problem> {
    if let Some(result) = record.result() {
        return Ok(SearchState::Completed(result));
    }
    let stored = StoredRecord::parse(record.bytes()).map_err(damaged_record)?;
    let response = stored.to_response(id, Utc::now()).map_err(damaged_record)?;
    Ok(SearchState::Other {
        status: stored.status,
        response,
    })
}

impl SearchState {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Completed(_) => Status::Completed,
            Self::Other { status, .. } => *status,
        }
    }

    /// The response 200 with this state as its body.
    pub(crate) fn into_response(self) -> HttpResponse {
        match self {
            Self::Completed(bytes) => HttpResponse::Ok()
                .content_type(ContentType::json())
                .body(bytes),
            Self::Other { response, .. } => HttpResponse::Ok().json(response),
        }
    }
}

fn damaged_record(error: serde_json::Error) -> Problem {
    Problem::Internal(anyhow::Error::from(error).context("a stored record cannot be read"))
}
