//! The list of sessions: one statement for both databases.

use super::page::{Page, SessionFilter, SessionSummary};
use super::search_words::{fts5_query, postgres_query};
use super::table::{from_micros, terminal_status};
use super::{Cursor, HistoryError};
use crate::mode::Mode;
use diesel::backend::Backend;
use diesel::pg::Pg;
use diesel::prelude::Queryable;
use diesel::sqlite::Sqlite;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Full-text search on one database.
pub(super) trait TextSearch: Backend {
    /// The SQL condition on `session_summaries`: the text before and after its parameter.
    const CONDITION: (&'static str, &'static str);

    /// The parameter that matches all of these words.
    fn parameter(words: &BTreeSet<String>) -> String;
}

impl TextSearch for Sqlite {
    const CONDITION: (&'static str, &'static str) = (
        "session_summaries.seq IN (SELECT rowid FROM session_words WHERE session_words MATCH ",
        ")",
    );

    fn parameter(words: &BTreeSet<String>) -> String {
        fts5_query(words)
    }
}

impl TextSearch for Pg {
    // The array makes the planner use the word index first and once. Otherwise it scans all
    // sessions, which takes a hundred times as long for a rare word.
    const CONDITION: (&'static str, &'static str) = (
        "session_summaries.id = ANY(ARRAY(SELECT id FROM session_summaries WHERE \
         array_to_tsvector(string_to_array(words, ' ')) @@ CAST(",
        " AS tsquery)))",
    );

    fn parameter(words: &BTreeSet<String>) -> String {
        postgres_query(words)
    }
}

/// The statement for the filter `$filter` on the backend `$db`. It loads one row more than the
/// limit to detect a next page. A macro, because a statement's type contains its backend.
macro_rules! listing {
    ($db:ty, $filter:expr, $words:expr) => {{
        use crate::history::listing::TextSearch;
        use crate::history::page::{Outcome, SessionFilter};
        use crate::history::table::{session_summaries as summaries, sessions};
        use crate::schema::{Status, error_code};
        use diesel::dsl::sql;
        use diesel::sql_types::{Bool, Text};
        use diesel::{BoolExpressionMethods, JoinOnDsl, NullableExpressionMethods};

        let filter: &SessionFilter = $filter;
        let words: Option<&std::collections::BTreeSet<String>> = $words;
        // A summary of an earlier session with the same id does not count.
        let summary = summaries::id
            .eq(sessions::id)
            .and(summaries::created_at.eq(sessions::created_at));
        let mut rows = sessions::table
            .left_join(summaries::table.on(summary))
            .select((
                sessions::id,
                sessions::query,
                sessions::mode,
                sessions::status,
                sessions::error_code,
                sessions::created_at,
                sessions::completed_at,
                summaries::excerpt.nullable(),
                summaries::source_count.nullable(),
            ))
            .order((sessions::created_at.desc(), sessions::id.desc()))
            .limit(i64::from(filter.limit) + 1)
            .into_boxed::<$db>();
        if let Some(owner) = &filter.owner {
            rows = rows.filter(sessions::owner.eq(owner.clone()));
        }
        if let Some(mode) = filter.mode {
            rows = rows.filter(sessions::mode.eq(mode.as_str()));
        }
        match filter.outcome {
            None => {}
            Some(Outcome::Completed) => {
                rows = rows.filter(sessions::status.eq(Status::Completed.as_str()));
            }
            Some(Outcome::Failed) => {
                rows = rows.filter(sessions::status.eq(Status::Failed.as_str()));
            }
            Some(Outcome::Cancelled) => {
                rows = rows
                    .filter(sessions::status.eq(Status::Failed.as_str()))
                    .filter(sessions::error_code.eq(error_code::CANCELLED));
            }
        }
        if let Some(before) = filter.before {
            let at = before.created_at.timestamp_micros();
            let id = before.id.map(|id| id.to_string()).unwrap_or_default();
            // Two conditions instead of one OR: the first bounds the index scan.
            rows = rows
                .filter(sessions::created_at.le(at))
                .filter(sessions::created_at.lt(at).or(sessions::id.lt(id)));
        }
        if let Some(words) = words {
            let (before, after) = <$db as TextSearch>::CONDITION;
            let condition = sql::<Bool>(before)
                .bind::<Text, _>(<$db as TextSearch>::parameter(words))
                .sql(after);
            rows = rows.filter(condition);
        }
        rows
    }};
}
pub(super) use listing;

#[derive(Debug, Queryable)]
pub(super) struct SessionListRow {
    id: String,
    query: String,
    mode: String,
    status: String,
    error_code: Option<String>,
    created_at: i64,
    completed_at: i64,
    excerpt: Option<String>,
    source_count: Option<i64>,
}

/// The page of `rows`, which may hold one row more than the limit.
pub(super) fn page_of(
    filter: &SessionFilter,
    rows: Vec<SessionListRow>,
) -> Result<Page, HistoryError> {
    let more = rows.len() > usize::from(filter.limit);
    let sessions: Vec<SessionSummary> = rows
        .into_iter()
        .take(filter.limit.into())
        .map(SessionSummary::try_from)
        .collect::<Result<_, _>>()?;
    let next = sessions.last().filter(|_| more).map(|last| Cursor {
        created_at: last.created_at,
        id: Some(last.id),
    });
    Ok(Page { sessions, next })
}

impl TryFrom<SessionListRow> for SessionSummary {
    type Error = HistoryError;

    fn try_from(row: SessionListRow) -> Result<Self, HistoryError> {
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
            query: row.query,
            error_code: row.error_code,
            excerpt: row.excerpt,
            source_count: row
                .source_count
                .map(|count| u64::try_from(count).unwrap_or(0)),
        })
    }
}
