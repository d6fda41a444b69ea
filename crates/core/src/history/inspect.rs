//! [`inspect`]: checks whether the history can be opened, without changing it.

use super::connect::{DatabaseTarget, PostgresConnector};
use super::error::Cause;
use super::migrate::{POSTGRES_MIGRATIONS, SQLITE_MIGRATIONS};
use super::pool::SQLITE_SETUP;
use super::{DatabaseUrl, HistoryError};
use diesel::connection::SimpleConnection;
use diesel::{Connection, SqliteConnection};
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::MigrationHarness;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use tokio::task::spawn_blocking;
use uuid::Uuid;

/// The state of the database that a starting worker would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DatabaseStatus {
    /// No file yet; it can be created.
    Missing,
    /// This many migrations are pending; the worker runs them.
    PendingMigrations(usize),
    /// The schema is up to date.
    UpToDate,
}

/// Checks the history as [`open`](super::open) would, without changing it.
///
/// # Errors
/// The error that `open` or a first call would return.
pub async fn inspect(url: &DatabaseUrl) -> Result<DatabaseStatus, HistoryError> {
    match DatabaseTarget::new(url)? {
        DatabaseTarget::Sqlite(path) => spawn_blocking(move || sqlite(&path))
            .await
            .map_err(HistoryError::Interrupted)?,
        DatabaseTarget::Postgres(connector) => postgres(&connector).await,
    }
}

fn sqlite(path: &Path) -> Result<DatabaseStatus, HistoryError> {
    let unusable = |cause: Cause| HistoryError::File {
        path: path.to_owned(),
        cause,
    };
    if !path.exists() {
        let made = check_writable(path).map_err(|error| unusable(error.into()));
        return made.map(|()| DatabaseStatus::Missing);
    }
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| unusable(error.into()))?;
    // The writer's lock can be taken only if the file can be written.
    connection
        .batch_execute(SQLITE_SETUP)
        .and_then(|()| connection.batch_execute("BEGIN IMMEDIATE"))
        .map_err(|error| unusable(error.into()))?;
    let pending = connection
        .pending_migrations(SQLITE_MIGRATIONS)
        .map_err(unusable)?;
    Ok(status_of(pending.len()))
}

/// Creates and removes a file in the nearest existing parent folder; `open` creates the folders
/// between.
fn check_writable(path: &Path) -> io::Result<()> {
    let folder = path.ancestors().skip(1).find(|folder| folder.exists());
    let probe = folder
        .unwrap_or(Path::new("."))
        .join(format!(".privachat-{}", Uuid::new_v4()));
    OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&probe)?;
    fs::remove_file(&probe)
}

async fn postgres(connector: &PostgresConnector) -> Result<DatabaseStatus, HistoryError> {
    let connection = connector.connect().await?;
    let counting = spawn_blocking(move || -> Result<usize, Cause> {
        let mut connection: AsyncConnectionWrapper<_> = connection.into();
        // Counting creates the table of migrations if it is missing; this is never committed.
        connection.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'")?;
        Ok(connection.pending_migrations(POSTGRES_MIGRATIONS)?.len())
    });
    let pending = counting.await.map_err(HistoryError::Interrupted)?;
    pending.map(status_of).map_err(HistoryError::Migration)
}

fn status_of(pending: usize) -> DatabaseStatus {
    match pending {
        0 => DatabaseStatus::UpToDate,
        steps => DatabaseStatus::PendingMigrations(steps),
    }
}
