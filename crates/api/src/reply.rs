//! Answers about a search, from its stored record.

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

/// What a record says about its search.
pub(crate) enum State {
    /// The stored result as it is: nothing is parsed.
    Completed(Bytes),
    /// Anything else, and completed records of other writers.
    Other { status: Status, response: Value },
}

/// Reads a record.
pub(crate) fn state(id: Uuid, record: &Record) -> Result<State, Problem> {
    if let Some(result) = record.result() {
        return Ok(State::Completed(result));
    }
    let stored = StoredRecord::parse(record.bytes()).map_err(unreadable)?;
    let response = stored.response(id, Utc::now()).map_err(unreadable)?;
    Ok(State::Other {
        status: stored.status,
        response,
    })
}

impl State {
    pub(crate) fn status(&self) -> Status {
        match self {
            Self::Completed(_) => Status::Completed,
            Self::Other { status, .. } => *status,
        }
    }

    /// 200 with the response.
    pub(crate) fn ok(self) -> HttpResponse {
        match self {
            Self::Completed(bytes) => HttpResponse::Ok()
                .content_type(ContentType::json())
                .body(bytes),
            Self::Other { response, .. } => HttpResponse::Ok().json(response),
        }
    }
}

fn unreadable(error: serde_json::Error) -> Problem {
    Problem::Internal(anyhow::Error::from(error).context("a stored record cannot be read"))
}
