//! Maintenance: writes summaries and deletes sessions in small batches.

use super::HistoryError;
use super::database::Database;
use super::retention::MAX_BATCH;
use super::statement::{run_uncancellable, with_connection};
use super::summary::SummaryRow;
use super::table::{session_summaries as summaries, sessions};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::upsert::excluded;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl,
};
use diesel_async::RunQueryDsl;

impl Database {
    /// Stores a summary, unless its session was deleted or replaced by a later one with the same
    /// id.
    pub(super) async fn save_summary(&self, summary: SummaryRow) -> Result<(), HistoryError> {
        let pools = self.ready().await?;
        let saved = run_uncancellable(async move {
            // Selects from `sessions` instead of relying on the foreign key: a rolled-back
            // insertion into SQLite's full-text index pins the connection to an old snapshot.
            let row = sessions::table
                .filter(sessions::id.eq(summary.id))
                .filter(sessions::created_at.eq(summary.created_at))
                .select((
                    sessions::id,
                    sessions::created_at,
                    summary.excerpt.into_sql::<Nullable<Text>>(),
                    summary.source_count.into_sql::<BigInt>(),
                    summary.words.into_sql::<Text>(),
                ));
            with_connection!(pools, |connection: _Db| diesel::insert_into(
                summaries::table
            )
            .values(row)
            .into_columns(summaries::all_columns)
            .on_conflict(summaries::id)
            .do_update()
            .set((
                summaries::created_at.eq(excluded(summaries::created_at)),
                summaries::excerpt.eq(excluded(summaries::excerpt)),
                summaries::source_count.eq(excluded(summaries::source_count)),
                summaries::words.eq(excluded(summaries::words)),
            ))
            .execute(&mut connection))
        });
        match saved.await {
            // Postgres: the session was deleted in the meantime.
            Err(HistoryError::Query(QueryError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation,
                _,
            ))) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    pub(super) async fn missing_summaries(&self) -> Result<Vec<SummaryRow>, HistoryError> {
        let pools = self.ready().await?;
        let rows = run_uncancellable(async move {
            let summary = summaries::id
                .eq(sessions::id)
                .and(summaries::created_at.eq(sessions::created_at));
            with_connection!(pools, |connection: _Db| sessions::table
                .left_join(summaries::table.on(summary))
                .filter(summaries::id.nullable().is_null())
                .select((
                    sessions::id,
                    sessions::created_at,
                    sessions::query,
                    sessions::result
                ))
                .limit(MAX_BATCH)
                .load::<(String, i64, String, Option<String>)>(&mut connection))
        });
        let summaries = rows
            .await?
            .into_iter()
            .map(|(id, at, query, result)| SummaryRow::new(id, at, &query, result.as_deref()));
        Ok(summaries.collect())
    }

    /// The ids of a batch of the oldest sessions before a position.
    pub(super) async fn oldest_before(
        &self,
        at: i64,
        id: String,
    ) -> Result<Vec<String>, HistoryError> {
        let pools = self.ready().await?;
        run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| sessions::table
                .filter(sessions::created_at.le(at))
                .filter(sessions::created_at.lt(at).or(sessions::id.lt(id)))
                .order((sessions::created_at.asc(), sessions::id.asc()))
                .select(sessions::id)
                .limit(MAX_BATCH)
                .load::<String>(&mut connection))
        })
        .await
    }

    /// The position of the newest session beyond the newest `others`.
    pub(super) async fn beyond_newest(
        &self,
        others: u32,
    ) -> Result<Option<(i64, String)>, HistoryError> {
        let pools = self.ready().await?;
        run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| async {
                sessions::table
                    .order((sessions::created_at.desc(), sessions::id.desc()))
                    .select((sessions::created_at, sessions::id))
                    .offset(others.into())
                    .first(&mut connection)
                    .await
                    .optional()
            })
        })
        .await
    }

    pub(super) async fn delete_ids(&self, ids: Vec<String>) -> Result<usize, HistoryError> {
        let pools = self.ready().await?;
        run_uncancellable(async move {
            with_connection!(pools, |connection: _Db| diesel::delete(
                sessions::table.filter(sessions::id.eq_any(ids))
            )
            .execute(&mut connection))
        })
        .await
    }
}
