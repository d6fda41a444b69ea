//! Finished sessions, kept in SQLite (the default, nothing to install) or Postgres.
//!
//! A database that is down never costs an answer: results live in Redis, and what could not be
//! saved waits in the outbox there until [`History::save`] succeeds. For that, [`open`] succeeds
//! while Postgres is down, every call ends within seconds, and [`HistoryError::is_transient`] says
//! whether another try can help. Saving a session twice is harmless.
//!
//! The schema is brought up to date by the first call that reaches the database. Old and new
//! binaries run side by side, so a migration only ever adds (expand); what is no longer read is
//! dropped one release later (contract). Migrations run in one transaction: no `CONCURRENTLY`.

mod connect;
mod database;
mod encryption;
mod error;
mod file;
mod inspect;
mod listing;
mod migrate;
mod page;
mod pool;
mod retention;
mod session;
mod statement;
mod summary;
mod table;
mod tls;
mod upkeep;
mod url;
mod words;

pub use self::database::open;
pub use self::error::HistoryError;
pub use self::inspect::{Standing, inspect};
pub use self::page::{Before, Ending, Listed, NoPlace, Page, Wanted};
pub use self::retention::Retention;
pub use self::session::Session;
pub use self::tls::{AuthoritiesError, EncryptionFault};
pub use self::url::{DatabaseUrl, DatabaseUrlError};

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Where finished sessions are kept.
#[async_trait::async_trait]
pub trait History: Send + Sync {
    /// Keeps a finished session. Of several sessions under one id the latest created counts; a repeat
    /// of one that is kept changes nothing.
    ///
    /// # Errors
    /// [`HistoryError::Unfinished`] for a session that still runs; otherwise what the database says.
    async fn save(&self, session: &Session) -> Result<(), HistoryError>;

    /// The session of that id, if it is kept. Whether the caller may see it is the caller's check.
    ///
    /// # Errors
    /// What the database says, or [`HistoryError::Corrupt`].
    async fn get(&self, id: Uuid) -> Result<Option<Session>, HistoryError>;

    /// A page of the sessions that are wanted, newest first.
    ///
    /// # Errors
    /// What the database says, or [`HistoryError::Corrupt`].
    async fn page(&self, wanted: &Wanted) -> Result<Page, HistoryError>;

    /// Deletes the session of that id; tells whether there was one. Whether the caller may is the
    /// caller's check.
    ///
    /// # Errors
    /// What the database says.
    async fn delete(&self, id: Uuid) -> Result<bool, HistoryError>;

    /// Deletes some of the oldest sessions that are not to be kept at `now`; how many. Zero when
    /// there are none left.
    ///
    /// # Errors
    /// What the database says.
    async fn prune(&self, keep: Retention, now: DateTime<Utc>) -> Result<usize, HistoryError>;

    /// Makes some sessions that an older version stored known to the list and its full-text search;
    /// how many. Zero when there are none left.
    ///
    /// # Errors
    /// What the database says.
    async fn summarise(&self) -> Result<usize, HistoryError>;

    /// Removes what was deleted from the files of the database too, where it has files of its own; false
    /// when somebody reads and it has to be done later.
    ///
    /// # Errors
    /// What the database says.
    async fn scrub(&self) -> Result<bool, HistoryError>;

    /// Whether the database answers and its schema is up to date.
    ///
    /// # Errors
    /// What the database says.
    async fn ping(&self) -> Result<(), HistoryError>;
}

#[cfg(test)]
mod tests;
