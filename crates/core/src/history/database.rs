//! [`History`] over either pool.

use super::pool::{CONNECT_WAIT, Pools, STATEMENT_WAIT};
use super::table::{Row, sessions};
use super::{DatabaseUrl, History, HistoryError, Session, migrate};
use diesel::upsert::excluded;
use diesel::{ExpressionMethods, OptionalExtension, QueryDsl};
use diesel_async::RunQueryDsl;
use diesel_async::pooled_connection::deadpool::{Object, PoolError};
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
/// no object-safe trait, so the statement is compiled once for each.
macro_rules! with_connection {
    ($pools:expr, |$connection:ident| $statement:expr) => {
        match &*$pools {
            Pools::Sqlite(pool) => {
                let pool = pool.clone();
                let connect = to_its_end(async move { pool.get().await.map_err(unreachable) });
                let mut $connection = in_time(connect).await?;
                $statement.await.map_err(HistoryError::Query)
            }
            Pools::Postgres(pool) => {
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
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection| diesel::insert_into(sessions::table)
                .values(&row)
                .on_conflict(sessions::id)
                .do_update()
                .set(&row)
                // The same id again, later: its idempotency key was used again after its record
                // had expired. A repeated save of the same session changes nothing.
                .filter(sessions::created_at.lt(excluded(sessions::created_at)))
                .execute(&mut connection))
        })
        .await
        .map(drop)
    }

    async fn get(&self, id: Uuid) -> Result<Option<Session>, HistoryError> {
        let pools = self.ready().await?;
        let row = to_its_end(async move {
            with_connection!(pools, |connection| async {
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

    async fn ping(&self) -> Result<(), HistoryError> {
        let pools = self.ready().await?;
        to_its_end(async move {
            with_connection!(pools, |connection| diesel::sql_query("SELECT 1")
                .execute(&mut connection))
        })
        .await
        .map(drop)
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
