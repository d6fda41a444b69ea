//! The history: finished sessions in SQLite (the default, nothing to install) or Postgres.
//!
//! A database that is down never costs an answer: results are in Redis, and the `unsaved` index
//! lists those to archive until [`History::save`] succeeds. For that, [`open`] succeeds while
//! Postgres is down, every call ends within seconds, and [`HistoryError::is_transient`] says
//! whether a retry can help. Saving a session twice is harmless.
//!
//! The first call that reaches the database migrates the schema. Old and new binaries run side by
//! side, so a migration only adds (expand); unused parts are dropped one release later (contract).
//! Migrations run in one transaction: no `CONCURRENTLY`.

mod connect;
mod database;
mod database_url;
mod encryption;
mod error;
mod inspect;
mod listing;
mod maintenance;
mod migrate;
mod page;
mod pool;
mod retention;
mod search_words;
mod session;
mod sqlite_file;
mod statement;
mod summary;
mod table;
mod tls;

pub use self::database::open;
pub use self::database_url::{DatabaseUrl, DatabaseUrlError};
pub use self::error::HistoryError;
pub use self::inspect::{DatabaseStatus, inspect};
pub use self::page::{Cursor, InvalidCursor, Outcome, Page, SessionFilter, SessionSummary};
pub use self::retention::Retention;
pub use self::session::Session;
pub use self::tls::{AuthoritiesError, EncryptionError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// The store of finished sessions.
#[async_trait::async_trait]
pub trait History: Send + Sync {
    /// Stores a finished session. Of several sessions with one id the latest `created_at` wins;
    /// saving a stored session again changes nothing.
    ///
    /// # Errors
    /// [`HistoryError::Unfinished`] for a session that still runs; any error of the database.
    async fn save(&self, session: &Session) -> Result<(), HistoryError>;

    /// The session with this id. Does not check access.
    ///
    /// # Errors
    /// [`HistoryError::Corrupt`] for an unreadable row; any error of the database.
    async fn get(&self, id: Uuid) -> Result<Option<Session>, HistoryError>;

    /// A page of the sessions that match the filter, newest first.
    ///
    /// # Errors
    /// [`HistoryError::Corrupt`] for an unreadable row; any error of the database.
    async fn page(&self, wanted: &SessionFilter) -> Result<Page, HistoryError>;

    /// Deletes the session with this id; returns whether it existed. Does not check access.
    ///
    /// # Errors
    /// Any error of the database.
    async fn delete(&self, id: Uuid) -> Result<bool, HistoryError>;

    /// Deletes a batch of the oldest sessions beyond the retention at `now`; returns their number,
    /// 0 when none is left.
    ///
    /// # Errors
    /// Any error of the database.
    async fn prune(&self, keep: Retention, now: DateTime<Utc>) -> Result<usize, HistoryError>;

    /// Writes missing summaries for a batch of sessions that an older version stored, so that lists
    /// and full-text search include them; returns their number, 0 when none is left.
    ///
    /// # Errors
    /// Any error of the database.
    async fn summarise(&self) -> Result<usize, HistoryError>;

    /// Removes deleted data from the files of SQLite, too. Returns `false` if a reader prevents it:
    /// try again later. Does nothing for Postgres.
    ///
    /// # Errors
    /// Any error of the database.
    async fn scrub(&self) -> Result<bool, HistoryError>;

    /// Checks that the database answers and its schema is up to date.
    ///
    /// # Errors
    /// Any error of the database.
    async fn ping(&self) -> Result<(), HistoryError>;
}

#[cfg(test)]
mod tests;
