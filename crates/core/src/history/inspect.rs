//! Whether the history could be opened, found out without changing anything.

use super::connect::{Connector, Target};
use super::error::Cause;
use super::migrate::{POSTGRES, SQLITE};
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

/// What a worker that starts now would find.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// No file yet; its place can be written to.
    ToBeMade,
    /// So many steps behind this version; the worker takes them.
    ToBeMigrated(usize),
    /// Nothing to do.
    UpToDate,
}

/// Looks at the history as [`open`](super::open) would, and leaves it as it is.
///
/// # Errors
/// What `open` would meet.
pub async fn inspect(url: &DatabaseUrl) -> Result<Standing, HistoryError> {
    match Target::new(url)? {
        Target::Sqlite(path) => spawn_blocking(move || sqlite(&path))
            .await
            .map_err(HistoryError::Interrupted)?,
        Target::Postgres(connector) => postgres(&connector).await,
    }
}

fn sqlite(path: &Path) -> Result<Standing, HistoryError> {
    let unusable = |cause: Cause| HistoryError::File {
        path: path.to_owned(),
        cause,
    };
    if !path.exists() {
        let made = try_to_write_near(path).map_err(|error| unusable(error.into()));
        return made.map(|()| Standing::ToBeMade);
    }
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| unusable(error.into()))?;
    // Taking the writer's lock fails where writing would.
    connection
        .batch_execute(SQLITE_SETUP)
        .and_then(|()| connection.batch_execute("BEGIN IMMEDIATE"))
        .map_err(|error| unusable(error.into()))?;
    let pending = connection.pending_migrations(SQLITE).map_err(unusable)?;
    Ok(standing(pending.len()))
}

/// Makes and removes a file in the nearest folder that there is: those between are made later.
fn try_to_write_near(path: &Path) -> io::Result<()> {
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

async fn postgres(connector: &Connector) -> Result<Standing, HistoryError> {
    let connection = connector.connect().await?;
    let counting = spawn_blocking(move || -> Result<usize, Cause> {
        let mut connection: AsyncConnectionWrapper<_> = connection.into();
        // Counting makes the table of migrations where there is none: never committed.
        connection.batch_execute("BEGIN; SET LOCAL lock_timeout = '10s'")?;
        Ok(connection.pending_migrations(POSTGRES)?.len())
    });
    let pending = counting.await.map_err(HistoryError::Interrupted)?;
    pending.map(standing).map_err(HistoryError::Migration)
}

fn standing(pending: usize) -> Standing {
    match pending {
        0 => Standing::UpToDate,
        steps => Standing::ToBeMigrated(steps),
    }
}
