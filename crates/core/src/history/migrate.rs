//! Migrates the schema; any number of processes may start this at once.

use super::HistoryError;
use super::connect::{DatabaseTarget, PostgresConnector};
use super::error::Cause;
use super::pool::SQLITE_SETUP;
use super::sqlite_file::make_private;
use diesel::connection::SimpleConnection;
use diesel::result::Error as QueryError;
use diesel::{Connection, RunQueryDsl, SqliteConnection};
use diesel_async::AsyncPgConnection;
use diesel_async::async_connection_wrapper::AsyncConnectionWrapper;
use diesel_migrations::{EmbeddedMigrations, MigrationHarness, embed_migrations};
use std::path::Path;
use std::time::{Duration, Instant};
use tokio::task::spawn_blocking;

pub(super) const SQLITE_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/sqlite");
pub(super) const POSTGRES_MIGRATIONS: EmbeddedMigrations = embed_migrations!("migrations/postgres");

/// An arbitrary id that no other program should use: the first eight bytes of "privachat".
const ADVISORY_LOCK: i64 = i64::from_be_bytes(*b"privacha");
/// Equal to SQLite's busy timeout.
const WAL_SWITCH_TIMEOUT: Duration = Duration::from_secs(5);
const WAL_SWITCH_INTERVAL: Duration = Duration::from_millis(20);

/// Runs the pending migrations.
pub(super) async fn run(target: &DatabaseTarget) -> Result<(), HistoryError> {
    match target {
        DatabaseTarget::Sqlite(path) => sqlite(path).await,
        DatabaseTarget::Postgres(connector) => postgres(connector).await,
    }
}

async fn sqlite(path: &Path) -> Result<(), HistoryError> {
    let path = path.to_owned();
    spawn_blocking(move || sqlite_blocking(&path))
        .await
        .map_err(HistoryError::Interrupted)?
}

fn sqlite_blocking(path: &Path) -> Result<(), HistoryError> {
    let unusable = |cause: Cause| {
        if is_locked(cause.as_ref()) {
            return HistoryError::Migration(cause);
        }
        HistoryError::File {
            path: path.to_owned(),
            cause,
        }
    };
    if let Some(folder) = path.parent() {
        std::fs::create_dir_all(folder).map_err(|error| unusable(error.into()))?;
    }
    make_private(path).map_err(|error| unusable(error.into()))?;
    let mut connection = SqliteConnection::establish(&path.to_string_lossy())
        .map_err(|error| unusable(error.into()))?;
    connection
        .batch_execute(SQLITE_SETUP)
        .and_then(|()| switch_to_wal(&mut connection))
        .map_err(|error| unusable(error.into()))?;
    connection
        .immediate_transaction(|connection| {
            connection
                .run_pending_migrations(SQLITE_MIGRATIONS)
                .map(drop)
        })
        .map_err(unusable)
}

/// Retries while the file is locked: SQLite ignores its busy timeout for this change.
fn switch_to_wal(connection: &mut SqliteConnection) -> Result<(), QueryError> {
    let deadline = Instant::now() + WAL_SWITCH_TIMEOUT;
    loop {
        match connection.batch_execute("PRAGMA journal_mode = WAL") {
            Err(error) if is_locked(&error) && Instant::now() < deadline => {
                std::thread::sleep(WAL_SWITCH_INTERVAL);
            }
            outcome => return outcome,
        }
    }
}

/// Compares the message, because Diesel passes no result code on. SQLite's messages are fixed and
/// never translated.
fn is_locked(error: &dyn std::error::Error) -> bool {
    error.to_string().contains("locked")
}

async fn postgres(connector: &PostgresConnector) -> Result<(), HistoryError> {
    let connection = connector.connect().await?;
    // Unlike `block_in_place`, this works in every kind of runtime.
    spawn_blocking(move || postgres_blocking(connection))
        .await
        .map_err(HistoryError::Interrupted)?
        .map_err(HistoryError::Migration)
}

/// The advisory lock ends with the transaction, so a crashed process leaves none behind.
fn postgres_blocking(connection: AsyncPgConnection) -> Result<(), Cause> {
    let mut connection: AsyncConnectionWrapper<_> = connection.into();
    Connection::transaction(&mut connection, |connection| {
        connection.batch_execute("SET LOCAL lock_timeout = '10s'")?;
        diesel::sql_query(format!("SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))
            .execute(connection)?;
        connection
            .run_pending_migrations(POSTGRES_MIGRATIONS)
            .map(drop)
    })
}
