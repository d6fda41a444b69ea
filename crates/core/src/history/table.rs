//! The tables, and the conversion between rows and [`Session`].

use super::summary::SummaryRow;
use super::{HistoryError, Session};
use crate::mode::Mode;
use crate::schema::Status;
use chrono::{DateTime, Utc};
use diesel::prelude::{AsChangeset, Insertable, Queryable};
use serde_json::value::RawValue;
use uuid::Uuid;

// One table for both databases, so it uses only types that both have and sort alike: ids as text,
// times as Unix microseconds. JSONB would lose the order of the result's members.
diesel::table! {
    sessions (id) {
        id -> Text,
        owner -> Nullable<Text>,
        query -> Text,
        mode -> Text,
        status -> Text,
        error -> Nullable<Text>,
        error_code -> Nullable<Text>,
        created_at -> BigInt,
        completed_at -> BigInt,
        result -> Nullable<Text>,
    }
}

// SQLite has another first column, `seq`, which only its full-text index uses.
diesel::table! {
    session_summaries (id) {
        id -> Text,
        created_at -> BigInt,
        excerpt -> Nullable<Text>,
        source_count -> BigInt,
        words -> Text,
    }
}

diesel::allow_tables_to_appear_in_same_query!(sessions, session_summaries);

#[derive(Debug, Insertable, Queryable, AsChangeset)]
#[diesel(table_name = sessions, treat_none_as_null = true)]
pub(super) struct SessionRow {
    id: String,
    owner: Option<String>,
    query: String,
    mode: String,
    status: String,
    error: Option<String>,
    error_code: Option<String>,
    created_at: i64,
    completed_at: i64,
    result: Option<String>,
}

impl TryFrom<&Session> for SessionRow {
    type Error = HistoryError;

    fn try_from(session: &Session) -> Result<Self, HistoryError> {
        if !session.status.is_terminal() {
            return Err(HistoryError::Unfinished(session.id));
        }
        Ok(Self {
            id: session.id.to_string(),
            owner: session.owner.as_deref().map(replace_nul),
            query: replace_nul(&session.query),
            mode: session.mode.as_str().to_owned(),
            status: session.status.as_str().to_owned(),
            error: session.error.as_deref().map(replace_nul),
            error_code: session.error_code.as_deref().map(replace_nul),
            created_at: session.created_at.timestamp_micros(),
            completed_at: session.completed_at.timestamp_micros(),
            result: session.result.as_ref().map(|json| json.get().to_owned()),
        })
    }
}

impl TryFrom<SessionRow> for Session {
    type Error = HistoryError;

    fn try_from(row: SessionRow) -> Result<Self, HistoryError> {
        let corrupt = |column| HistoryError::Corrupt {
            id: row.id.clone(),
            column,
        };
        Ok(Self {
            id: Uuid::try_parse(&row.id).map_err(|_not_a_uuid| corrupt("id"))?,
            mode: Mode::from_stored(&row.mode).ok_or_else(|| corrupt("mode"))?,
            status: terminal_status(&row.status).ok_or_else(|| corrupt("status"))?,
            created_at: from_micros(row.created_at).ok_or_else(|| corrupt("created_at"))?,
            completed_at: from_micros(row.completed_at).ok_or_else(|| corrupt("completed_at"))?,
            result: match &row.result {
                Some(json) => Some(
                    RawValue::from_string(json.clone()).map_err(|_not_json| corrupt("result"))?,
                ),
                None => None,
            },
            owner: row.owner,
            query: row.query,
            error: row.error,
            error_code: row.error_code,
        })
    }
}

impl SessionRow {
    pub(super) fn summary(&self) -> SummaryRow {
        SummaryRow::new(
            self.id.clone(),
            self.created_at,
            &self.query,
            self.result.as_deref(),
        )
    }
}

/// Replaces NUL, which Postgres cannot store, by the replacement character on both databases.
fn replace_nul(text: &str) -> String {
    text.replace('\0', "\u{fffd}")
}

pub(super) fn terminal_status(name: &str) -> Option<Status> {
    [Status::Completed, Status::Failed]
        .into_iter()
        .find(|status| status.as_str() == name)
}

pub(super) fn from_micros(micros: i64) -> Option<DateTime<Utc>> {
    DateTime::from_timestamp_micros(micros)
}
