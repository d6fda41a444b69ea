//! The connection pools of both databases. Connections are made on first use.

use super::HistoryError;
use super::connect::{DatabaseTarget, PostgresConnector};
use super::error::Cause;
use crate::blocking_pool::BlockingPool;
use diesel::result::Error as QueryError;
use diesel::{ConnectionError, SqliteConnection};
use diesel_async::pooled_connection::deadpool::{Pool, PoolError};
use diesel_async::pooled_connection::{
    AsyncDieselConnectionManager, ManagerConfig, RecyclingMethod,
};
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use diesel_async::{AsyncConnection, AsyncPgConnection, SimpleAsyncConnection};
use futures_util::FutureExt;
use std::future::poll_fn;
use std::path::Path;
use std::pin::pin;
use std::time::Duration;
use tokio::runtime::Handle;

/// Bounds the wait for a connection, new or pooled.
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(4);
/// Bounds one statement on Postgres. On SQLite the busy timeout does.
pub(super) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// SQLite has one writer at a time: more connections would only wait for each other. Each needs a
/// thread.
const SQLITE_CONNECTIONS: usize = 4;
/// Per process, so that twenty processes fit into the default 100 connections of Postgres.
const POSTGRES_CONNECTIONS: usize = 4;

/// The settings of every SQLite connection. WAL is a property of the file: see `migrate`.
pub(super) const SQLITE_SETUP: &str = "PRAGMA busy_timeout = 5000; PRAGMA synchronous = NORMAL; \
    PRAGMA foreign_keys = ON; PRAGMA secure_delete = ON;";

pub(super) type AsyncSqlite = SyncConnectionWrapper<SqliteConnection>;

pub(super) enum Pools {
    Sqlite(Pool<AsyncSqlite>),
    Postgres(Pool<AsyncPgConnection>),
}

impl Pools {
    pub(super) fn new(target: &DatabaseTarget) -> Result<Self, HistoryError> {
        match target {
            DatabaseTarget::Sqlite(path) => Self::sqlite(path),
            DatabaseTarget::Postgres(connector) => Self::postgres(connector),
        }
    }

    fn sqlite(path: &Path) -> Result<Self, HistoryError> {
        let mut config = ManagerConfig::<AsyncSqlite>::default();
        config.recycling_method = RecyclingMethod::Fast;
        let threads = BlockingPool::new(SQLITE_CONNECTIONS);
        // The closure owns the threads and the pool owns the closure: they live equally long.
        config.custom_setup = Box::new(move |path| {
            let handle = threads.handle().cloned();
            async move {
                let mut establishing = pin!(AsyncSqlite::establish(path));
                // A connection always runs on the runtime in which it is made.
                let established = poll_fn(|context| {
                    let _inside = handle.as_ref().map(Handle::enter);
                    establishing.as_mut().poll(context)
                });
                let mut connection = established.await?;
                connection
                    .batch_execute(SQLITE_SETUP)
                    .await
                    .map_err(ConnectionError::CouldntSetupConfiguration)?;
                Ok(connection)
            }
            .boxed()
        });
        let manager = AsyncDieselConnectionManager::new_with_config(path.to_string_lossy(), config);
        Pool::builder(manager)
            .max_size(SQLITE_CONNECTIONS)
            .build()
            .map(Self::Sqlite)
            .map_err(|error| HistoryError::Unreachable(Cause::from(error)))
    }

    fn postgres(connector: &PostgresConnector) -> Result<Self, HistoryError> {
        let mut config = ManagerConfig::<AsyncPgConnection>::default();
        let connector = connector.clone();
        config.custom_setup = Box::new(move |_no_address| {
            let connector = connector.clone();
            async move { connector.connect().await.map_err(as_setup_error) }.boxed()
        });
        // The connector has the address: the pool gets none that it could log.
        Pool::builder(AsyncDieselConnectionManager::new_with_config("", config))
            .max_size(POSTGRES_CONNECTIONS)
            .build()
            .map(Self::Postgres)
            .map_err(|error| HistoryError::Unreachable(Cause::from(error)))
    }
}

/// Wraps our error into one of diesel's, which is all the pool accepts; `from_pool_error` unwraps
/// it.
fn as_setup_error(error: HistoryError) -> ConnectionError {
    ConnectionError::CouldntSetupConfiguration(QueryError::QueryBuilderError(error.into()))
}

/// Converts the error of a pool that has no connection.
pub(super) fn from_pool_error(error: PoolError) -> HistoryError {
    use diesel_async::pooled_connection::PoolError::ConnectionError as InSetup;
    let error = match error {
        PoolError::Backend(InSetup(ConnectionError::CouldntSetupConfiguration(
            QueryError::QueryBuilderError(error),
        ))) => error,
        error => return HistoryError::Unreachable(error.into()),
    };
    match error.downcast::<HistoryError>() {
        Ok(error) => *error,
        Err(error) => HistoryError::Unreachable(error),
    }
}
