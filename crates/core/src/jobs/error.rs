//! What can go wrong between us and Redis.

use redis::{RedisError, ServerErrorKind};

/// A call of the engine that has no answer. The outcome is unknown unless said otherwise; every
/// call may be repeated.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobsError {
    /// Redis cannot be reached, does not answer in time, or is starting.
    #[error("Redis is not available")]
    Unavailable(#[source] RedisError),
    /// Redis refuses to store more. Nothing was changed.
    #[error("Redis has no memory left")]
    Full(#[source] RedisError),
    /// An answer that the engine's scripts never give.
    #[error("Redis answered in an unexpected form: {0}")]
    Unexpected(String),
}

impl JobsError {
    /// Whether the same call may succeed once Redis has memory.
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether Redis wants another user or password.
    #[must_use]
    pub fn is_about_credentials(&self) -> bool {
        let (Self::Unavailable(error) | Self::Full(error)) = self else {
            return false;
        };
        matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
            || error.kind() == redis::ErrorKind::AuthenticationFailed
    }

    /// Whether the same call may succeed once Redis is there and has memory.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }
}

impl From<RedisError> for JobsError {
    fn from(error: RedisError) -> Self {
        if error.code() == Some("OOM") || error.detail().is_some_and(|text| text.contains("OOM ")) {
            return Self::Full(error);
        }
        match error.kind() {
            redis::ErrorKind::UnexpectedReturnType
            | redis::ErrorKind::Parse
            | redis::ErrorKind::Server(
                ServerErrorKind::ResponseError | ServerErrorKind::CrossSlot,
            ) => Self::Unexpected(error.to_string()),
            _ => Self::Unavailable(error),
        }
    }
}
