//! Runs one statement on either pool, with timeouts, and never drops it half-way.

use super::HistoryError;
use super::pool::CONNECT_TIMEOUT;
use std::future::Future;
use tokio::time::timeout;

/// Runs one statement on a connection of either pool. A macro, because the two connection types
/// share no object-safe trait: the statement is compiled once for each, and may use the backend
/// type `$backend`.
macro_rules! with_connection {
    ($pools:expr, |$connection:ident: $backend:ident| $statement:expr) => {
        match &*$pools {
            $crate::history::pool::Pools::Sqlite(pool) => {
                type $backend = diesel::sqlite::Sqlite;
                let pool = pool.clone();
                let connect = $crate::history::statement::run_uncancellable(async move {
                    pool.get()
                        .await
                        .map_err($crate::history::pool::from_pool_error)
                });
                let mut $connection =
                    $crate::history::statement::with_connect_timeout(connect).await?;
                let outcome = $statement.await;
                if outcome.is_err() {
                    // After a rolled-back statement, FTS5 may pin the connection to an old
                    // snapshot.
                    drop(diesel_async::pooled_connection::deadpool::Object::take(
                        $connection,
                    ));
                }
                outcome.map_err($crate::history::HistoryError::Query)
            }
            $crate::history::pool::Pools::Postgres(pool) => {
                type $backend = diesel::pg::Pg;
                let connect = async {
                    pool.get()
                        .await
                        .map_err($crate::history::pool::from_pool_error)
                };
                let mut $connection =
                    $crate::history::statement::with_connect_timeout(connect).await?;
                match tokio::time::timeout($crate::history::pool::STATEMENT_TIMEOUT, $statement)
                    .await
                {
                    Ok(outcome) => outcome.map_err($crate::history::HistoryError::Query),
                    Err(_elapsed) => {
                        // The reply may still arrive: close the connection, do not reuse it.
                        drop(diesel_async::pooled_connection::deadpool::Object::take(
                            $connection,
                        ));
                        Err($crate::history::HistoryError::Timeout(
                            $crate::history::pool::STATEMENT_TIMEOUT,
                        ))
                    }
                }
            }
        }
    };
}
pub(super) use with_connection;

/// Runs `work` in its own task, so that it completes even if the caller is dropped. If a future
/// that waits for SQLite is dropped half-way, its thread continues and the driver panics.
pub(super) async fn run_uncancellable<T: Send + 'static>(
    work: impl Future<Output = Result<T, HistoryError>> + Send + 'static,
) -> Result<T, HistoryError> {
    tokio::spawn(work)
        .await
        .map_err(HistoryError::Interrupted)?
}

pub(super) async fn with_connect_timeout<T>(
    connect: impl Future<Output = Result<T, HistoryError>>,
) -> Result<T, HistoryError> {
    timeout(CONNECT_TIMEOUT, connect)
        .await
        .map_err(|_elapsed| HistoryError::Timeout(CONNECT_TIMEOUT))?
}
