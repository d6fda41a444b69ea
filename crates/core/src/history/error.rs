//! [`HistoryError`]. No message contains an address, a password or a query.

use super::tls::{AuthoritiesError, EncryptionError};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// Any cause, for the error chain in logs.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a call to the history failed.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// No connection could be made.
    #[error(
        "the history database cannot be reached: check that it runs and that DATABASE_URL is right"
    )]
    Unreachable(#[source] Cause),
    /// The certificates of the authorities cannot be read.
    #[error(transparent)]
    Authorities(AuthoritiesError),
    /// No connection with the encryption that sslmode demands.
    #[error(transparent)]
    Encryption(EncryptionError),
    /// The database did not answer in time.
    #[error("the history database did not answer within {0:?}")]
    Timeout(Duration),
    /// The database refused a statement.
    #[error("the history database refused a statement")]
    Query(#[source] QueryError),
    /// The migration failed: a lock, a restart, or a missing privilege.
    #[error("the history schema could not be brought up to date")]
    Migration(#[source] Cause),
    /// The SQLite file or its folder cannot be created or written.
    #[error("the history file {} cannot be used: make its folder writable or point DATABASE_URL elsewhere", path.display())]
    File {
        /// The file of DATABASE_URL.
        path: PathBuf,
        /// The error of the system or of SQLite.
        #[source]
        cause: Cause,
    },
    /// The session has not ended; only finished sessions are stored.
    #[error("session {0} has not ended and cannot be kept")]
    Unfinished(Uuid),
    /// A stored row cannot be read.
    #[error("session {id} holds an unreadable {column}")]
    Corrupt {
        /// The id of the session, as it is stored.
        id: String,
        /// The unreadable column.
        column: &'static str,
    },
    /// The task that ran the statement panicked or was cancelled.
    #[error("the history task ended early")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl HistoryError {
    /// Whether the same call can succeed later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Unreachable(_)
            | Self::Encryption(_)
            | Self::Timeout(_)
            | Self::Migration(_)
            | Self::Interrupted(_) => true,
            Self::Query(error) => query_is_transient(error),
            Self::Authorities(_)
            | Self::File { .. }
            | Self::Unfinished(_)
            | Self::Corrupt { .. } => false,
        }
    }
}

/// Every database error counts as transient, except a constraint violation: full disks, restarts,
/// locks and failovers have no error kind of their own.
fn query_is_transient(error: &QueryError) -> bool {
    let QueryError::DatabaseError(kind, _) = error else {
        return matches!(
            error,
            QueryError::BrokenTransactionManager | QueryError::RollbackErrorOnCommit { .. }
        );
    };
    !matches!(
        kind,
        DatabaseErrorKind::UniqueViolation
            | DatabaseErrorKind::ForeignKeyViolation
            | DatabaseErrorKind::NotNullViolation
            | DatabaseErrorKind::CheckViolation
    )
}
