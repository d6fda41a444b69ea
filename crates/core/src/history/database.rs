//! [`History`] over either pool.

use super::listing::{self, ListedRow, listing};
use super::pool::{CONNECT_WAIT, Pools, STATEMENT_WAIT};
use super::retention::{BATCH, Retention};
use super::summary::Summary;
use super::table::{Row, session_summaries as summaries, sessions};
use super::words::words;
use super::{DatabaseUrl, History, HistoryError, Page, Session, Wanted, migrate};
use chrono::{DateTime, Utc};
use diesel::pg::Pg;
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use diesel::sql_types::{BigInt, Nullable, Text};
use diesel::sqlite::Sqlite;
use diesel::upsert::excluded;
use diesel::{
    BoolExpressionMethods, ExpressionMethods, IntoSql, JoinOnDsl, NullableExpressionMethods,
    OptionalExtension, QueryDsl,
};
use diesel_async::RunQueryDsl;
use diesel_async::pooled_connection::deadpool::{Object, PoolError};
use std::collections::BTreeSet;
use std::future::Future;
use std::sync::Arc;
use std::time::Duration;
use tokio::sync::OnceCell;
use tokio::time::timeout;
use uuid::Uuid;

/// Longest wait for the schema, which includes a connection.
const SCHEMA_WAIT: Duration = Duration::from_secs(5);

/// Opens the history. A database that does not answer yet is logged and tried again by each call.
///
/// # Errors
/// What no later try can mend: a file that cannot be written, a schema that cannot be migrated.
pub async fn open(url: &DatabaseUrl) -> Result<Arc<dyn History>, HistoryError> {
    let pools = match url {
        DatabaseUrl::Sqlite(path) => Pools::sqlite(path.as_path())?,
        DatabaseUrl::Postgres(url) => Pools::postgres(url.expose())?,
    };
    let database = Database {
        url: url.clone(),
        pools: Arc::new(pools),
        migrated: OnceCell::new(),
    };
    match database.ready().await {
        Ok(_) => {}
        Err(error) if error.is_transient() => {
            tracing::warn!(
                error = &error as &dyn std::error::Error,
                "history is not available yet; finished sessions wait in Redis"
            );
        }
        Err(error) => return Err(error),
    }
    Ok(Arc::new(database))
}

struct Database {
    url: DatabaseUrl,
    pools: Arc<Pools>,
    migrated: OnceCell<()>,
}

impl Database {
    /// The pools, once the schema is up to date. Callers that arrive meanwhile share one attempt.
    async fn ready(&self) -> Result<Arc<Pools>, HistoryError> {
        let migrated = self.migrated.get_or_try_init(|| async {
            migrate::run(&self.url).await?;
            tracing::info!("history is available and its schema up to date");
            Ok(())
        });
        timeout(SCHEMA_WAIT, migrated)
            .await
            .map_err(|_elapsed| HistoryError::Timeout(SCHEMA_WAIT))??;
        Ok(Arc::clone(&self.pools))
    }
}

/// Runs one statement on a connection of whichever pool there is: the two connection types share
/// no object-safe trait, so the statement is compiled once for each. It may ask for the backend.
macro_rules! with_connection {
    ($pools:expr, |$connection:ident: $backend:ident| $statement:expr) => {
        match &*$pools {
            Pools::Sqlite(pool) => {
                type $backend = Sqlite;
                let pool = pool.clone();
                let connect = to_its_end(async move { pool.get().await.map_err(unreachable) });
                let mut $connection = in_time(connect).await?;
                let outcome = $statement.await;
                if outcome.is_err() {
                    // A full-text index may keep it in the past after a statement that was undone.
                    drop(Object::take($connection));
                }
                outcome.map_err(HistoryError::Query)
            }
            Pools::Postgres(pool) => {
                type $backend = Pg;
                let connect = async { pool.get().await.map_err(unreachable) };
                let mut $connection = in_time(connect).await?;
                match timeout(STATEMENT_WAIT, $statement).await {
                    Ok(outcome) => outcome.map_err(HistoryError::Query),
                    Err(_elapsed) => {
                        // The answer may still come: nobody else may take it for theirs.
                        drop(Object::take($connection));
                        Err(HistoryError::Timeout(STATEMENT_WAIT))
                    }
                }
            }
        }
    };
}

#[async_trait::async_trait]
impl History for Database {
    async fn save(&self, session: &Session) -> Result<(), HistoryError> {
        use diesel::query_dsl::methods::FilterDsl;
        let row = Row::try_from(session)?;
        let summary = row.summary();
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection: _Db| diesel::insert_into(
                sessions::table
            )
            .values(&row)
            .on_conflict(sessions::id)
            .do_update()
            .set(&row)
            // The same id again, later: its idempotency key was used again after its record
            // had expired. A repeated save of the same session changes nothing.
            .filter(sessions::created_at.lt(excluded(sessions::created_at)))
            .execute(&mut connection))
        })
        .await?;
        // If this fails, the caller tries again, or `summarise` makes up for it.
        self.save_summary(summary).await
    }

    async fn get(&self, id: Uuid) -> Result<Option<Session>, HistoryError> {
        let pools = self.ready().await?;
        let row = to_its_end(async move {
            with_connection!(pools, |connection: _Db| async {
                sessions::table
                    .filter(sessions::id.eq(id.to_string()))
                    .first::<Row>(&mut connection)
                    .await
                    .optional()
            })
        })
        .await?;
        row.map(Session::try_from).transpose()
    }

    async fn page(&self, wanted: &Wanted) -> Result<Page, HistoryError> {
        let words = wanted.text.as_deref().map(words);
        if words.as_ref().is_some_and(BTreeSet::is_empty) {
            return Ok(Page {
                sessions: Vec::new(),
                next: None,
            });
        }
        let asked = wanted.clone();
        let pools = self.ready().await?;
        let rows = to_its_end(async move {
            with_connection!(pools, |connection: Db| listing!(Db, &asked, words.as_ref())
                .load::<ListedRow>(&mut connection))
        });
        listing::page(wanted, rows.await?)
    }

    async fn delete(&self, id: Uuid) -> Result<bool, HistoryError> {
        Ok(self.delete_all(vec![id.to_string()]).await? > 0)
    }

    async fn prune(&self, keep: Retention, now: DateTime<Utc>) -> Result<usize, HistoryError> {
        let mut ids = Vec::new();
        if let Some(oldest) = keep.oldest(now) {
            ids = self.posted_before(oldest, String::new()).await?;
        }
        if ids.is_empty()
            && keep.most > 0
            && let Some((at, id)) = self.newest_but(keep.most).await?
        {
            // The place right behind it: ids are text, and no text is between.
            ids = self.posted_before(at, format!("{id}\u{1}")).await?;
        }
        if ids.is_empty() {
            return Ok(0);
        }
        self.delete_all(ids).await
    }

    async fn summarise(&self) -> Result<usize, HistoryError> {
        let bare = self.without_summary().await?;
        let found = bare.len();
        for row in bare {
            self.save_summary(row).await?;
        }
        Ok(found)
    }

    async fn ping(&self) -> Result<(), HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection: _Db| diesel::sql_query("SELECT 1")
                .execute(&mut connection))
        })
        .await
        .map(drop)
    }
}

impl Database {
    /// Keeps a summary if its session is still there, and not yet another one under the same id.
    async fn save_summary(&self, summary: Summary) -> Result<(), HistoryError> {
        let pools = self.ready().await?;
        let saved = to_its_end(async move {
            // From its session, as SQLite's full-text index does not survive an insertion that is
            // undone for want of one: the connection is stuck in the past from then on.
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
            // Postgres: its session was deleted a moment ago.
            Err(HistoryError::Query(QueryError::DatabaseError(
                DatabaseErrorKind::ForeignKeyViolation,
                _,
            ))) => Ok(()),
            outcome => outcome.map(drop),
        }
    }

    async fn without_summary(&self) -> Result<Vec<Summary>, HistoryError> {
        let pools = self.ready().await?;
        let rows = to_its_end(async move {
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
                .limit(BATCH)
                .load::<(String, i64, String, Option<String>)>(&mut connection))
        });
        let summaries = rows
            .await?
            .into_iter()
            .map(|(id, at, query, result)| Summary::new(id, at, &query, result.as_deref()));
        Ok(summaries.collect())
    }

    /// Some of the oldest sessions in front of a place.
    async fn posted_before(&self, at: i64, id: String) -> Result<Vec<String>, HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection: _Db| sessions::table
                .filter(sessions::created_at.le(at))
                .filter(sessions::created_at.lt(at).or(sessions::id.lt(id)))
                .order((sessions::created_at.asc(), sessions::id.asc()))
                .select(sessions::id)
                .limit(BATCH)
                .load::<String>(&mut connection))
        })
        .await
    }

    /// The newest session that so many others are newer than.
    async fn newest_but(&self, others: u32) -> Result<Option<(i64, String)>, HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
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

    async fn delete_all(&self, ids: Vec<String>) -> Result<usize, HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection: _Db| diesel::delete(
                sessions::table.filter(sessions::id.eq_any(ids))
            )
            .execute(&mut connection))
        })
        .await
    }
}

/// Runs a future apart from its caller: one that waits for SQLite must not be dropped half-way,
/// as its thread works on and the driver panics.
async fn to_its_end<T: Send + 'static>(
    work: impl Future<Output = Result<T, HistoryError>> + Send + 'static,
) -> Result<T, HistoryError> {
    tokio::spawn(work)
        .await
        .map_err(HistoryError::Interrupted)?
}

async fn in_time<T>(
    connect: impl Future<Output = Result<T, HistoryError>>,
) -> Result<T, HistoryError> {
    timeout(CONNECT_WAIT, connect)
        .await
        .map_err(|_elapsed| HistoryError::Timeout(CONNECT_WAIT))?
}

fn unreachable(error: PoolError) -> HistoryError {
    HistoryError::Unreachable(error.into())
}
