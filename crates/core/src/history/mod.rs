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

mod database;
mod error;
mod inspect;
mod migrate;
mod pool;
mod session;
mod table;
mod url;

pub use self::database::open;
pub use self::error::HistoryError;
pub use self::inspect::{Standing, inspect};
pub use self::session::Session;
pub use self::url::{DatabaseUrl, DatabaseUrlError};

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

    /// Whether the database answers and its schema is up to date.
    ///
    /// # Errors
    /// What the database says.
    async fn ping(&self) -> Result<(), HistoryError>;
}

#[cfg(test)]
mod tests;
