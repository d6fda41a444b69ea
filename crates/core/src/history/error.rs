//! What can go wrong with the history. No message holds an address, a password or a query.

use super::tls::{AuthoritiesError, EncryptionFault};
use diesel::result::{DatabaseErrorKind, Error as QueryError};
use std::path::PathBuf;
use std::time::Duration;
use uuid::Uuid;

/// Any cause, for the log's chain.
pub(super) type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why the history could not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// There is no connection to be had.
    #[error(
        "the history database cannot be reached: check that it runs and that DATABASE_URL is right"
    )]
    Unreachable(#[source] Cause),
    /// The certificates to check the server with cannot be read.
    #[error(transparent)]
    Authorities(AuthoritiesError),
    /// The server cannot be reached in the way that sslmode demands.
    #[error(transparent)]
    Encryption(EncryptionFault),
    /// The database took too long.
    #[error("the history database did not answer within {0:?}")]
    Timeout(Duration),
    /// The database refused a statement.
    #[error("the history database refused a statement")]
    Query(#[source] QueryError),
    /// The schema could not be brought up to date: a lock, a restart, or a right that is missing.
    #[error("the history schema could not be brought up to date")]
    Migration(#[source] Cause),
    /// The SQLite file or its folder cannot be created or written.
    #[error("the history file {} cannot be used: make its folder writable or point DATABASE_URL elsewhere", path.display())]
    File {
        /// The file, as DATABASE_URL names it.
        path: PathBuf,
        /// What the system said.
        #[source]
        cause: Cause,
    },
    /// Only finished sessions are kept.
    #[error("session {0} has not ended and cannot be kept")]
    Unfinished(Uuid),
    /// A stored row cannot be read back.
    #[error("session {id} holds an unreadable {column}")]
    Corrupt {
        /// The session.
        id: String,
        /// The column.
        column: &'static str,
    },
    /// The task that ran the statement died.
    #[error("the history task ended early")]
    Interrupted(#[source] tokio::task::JoinError),
}

impl HistoryError {
    /// Whether the same call can succeed later without a change to it.
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

/// Everything a database says is transient but a verdict on the data itself: full disks, restarts,
/// locks and fail-overs all arrive without a kind of their own.
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
