//! Errors of the engine. This module alone classifies the errors of the Redis client.
//!
//! | what Redis did | becomes | worth a retry |
//! |---|---|---|
//! | no answer, not in time, loading, busy, no master, refuses writes (`READONLY`, `MISCONF`, `NOREPLICAS`), refuses the user | `Unavailable` | yes: it passes |
//! | something other than Redis answered: no RESP, no such command | `Unavailable` | yes |
//! | `OOM` | `Full` | yes: it passes |
//! | `WRONGTYPE`, or an error of a script caused by the data | `Damaged` | no: the data stays as it is |
//! | a reply that the engine's commands and scripts never give | `Unexpected` | no |

use crate::tls::TlsError;
use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};

/// A failed call. Unless a variant says otherwise it may have taken effect; every call may be
/// repeated.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobsError {
    /// Redis cannot be reached, does not answer in time, is starting, or refuses the call.
    #[error("Redis is not available{}", tls_reason(.0))]
    Unavailable(#[source] RedisError),
    /// Redis refuses to store more. Nothing has changed.
    #[error("Redis has no memory left")]
    Full(#[source] RedisError),
    /// A key holds something else than the engine writes. Calls for other keys still work.
    #[error("a key in Redis is damaged: {0}")]
    Damaged(RedisError),
    /// A reply that the engine's scripts never give.
    #[error("Redis answered in an unexpected form: {0}")]
    Unexpected(String),
}

impl JobsError {
    #[must_use]
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full(_))
    }

    /// Whether Redis refuses the user or the password.
    #[must_use]
    pub fn is_auth_error(&self) -> bool {
        let (Self::Unavailable(error) | Self::Full(error)) = self else {
            return false;
        };
        matches!(error.code(), Some("NOAUTH" | "WRONGPASS"))
            || error.kind() == ErrorKind::AuthenticationFailed
    }

    /// The TLS fault, if that is the cause.
    #[must_use]
    pub fn tls_fault(&self) -> Option<TlsError> {
        match self {
            Self::Unavailable(error) | Self::Full(error) => TlsError::find_in(error),
            Self::Damaged(_) | Self::Unexpected(_) => None,
        }
    }

    /// Whether the same call may succeed later.
    #[must_use]
    pub fn is_retryable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }

    /// Whether the stored data is at fault: the same call fails again, calls for other keys do not.
    #[must_use]
    pub fn is_data_error(&self) -> bool {
        matches!(self, Self::Damaged(_) | Self::Unexpected(_))
    }
}

impl From<RedisError> for JobsError {
    fn from(error: RedisError) -> Self {
        let detail = error.detail().unwrap_or_default();
        if error.code() == Some("OOM") || detail.contains("OOM ") {
            return Self::Full(error);
        }
        if error.code() == Some("WRONGTYPE") {
            return Self::Damaged(error);
        }
        match error.kind() {
            // A replica, a Sentinel, or not Redis at all.
            ErrorKind::Server(ServerErrorKind::ResponseError) if is_refusal(detail) => {
                Self::Unavailable(error)
            }
            // Redis names the script in each error that a line of it raised.
            ErrorKind::Server(ServerErrorKind::ResponseError) if detail.contains("user_script") => {
                Self::Damaged(error)
            }
            ErrorKind::UnexpectedReturnType
            | ErrorKind::Server(ServerErrorKind::ResponseError | ServerErrorKind::CrossSlot) => {
                Self::Unexpected(error.to_string())
            }
            _ => Self::Unavailable(error),
        }
    }
}

/// Names a TLS fault in the message, as restarting Redis does not help with it.
fn tls_reason(error: &RedisError) -> String {
    TlsError::find_in(error).map_or_else(String::new, |fault| format!(": {fault}"))
}

/// Recognises refusals that have no error code of their own.
fn is_refusal(detail: &str) -> bool {
    const REFUSALS: [&str; 3] = [
        "unknown command",
        "max number of clients",
        "command not allowed",
    ];
    let detail = detail.to_ascii_lowercase();
    REFUSALS.iter().any(|refusal| detail.contains(refusal))
}

/// Converts a reply. This is separate from the call because a reply of another form is not an
/// outage. The error leaves the content out, as it may be a user's question.
pub(super) fn parse_reply<T: FromRedisValue>(reply: Value) -> Result<T, JobsError> {
    let form = match &reply {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) => "a text",
        Value::Array(_) => "a list",
        _ => "something else",
    };
    T::from_redis_value(reply)
        .map_err(|_unsaid| JobsError::Unexpected(format!("{form} instead of the expected reply")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

    /// Classifies a server's reply, which must be an error.
    fn sorted(answer: &str) -> JobsError {
        let answer = parse_redis_value(answer.as_bytes()).and_then(Value::extract_error);
        JobsError::from(answer.expect_err("an error"))
    }

    #[test]
    fn damaged_data_is_not_an_outage() {
        for answer in [
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            "-WRONGTYPE Operation against a key script: 9c, on @user_script:3.\r\n",
            "-ERR user_script:12: attempt to compare nil with number script: 9c, on @user_script:12.\r\n",
            "-ERR value is not an integer or out of range script: 9c, on @user_script:40.\r\n",
        ] {
            let error = sorted(answer);
            assert!(matches!(error, JobsError::Damaged(_)), "{error:?}");
            assert!(error.is_data_error() && !error.is_retryable());
        }
    }

    #[test]
    fn passing_errors_are_outages() {
        for answer in [
            "-LOADING Redis is loading the dataset in memory\r\n",
            "-BUSY Redis is busy running a script\r\n",
            "-MASTERDOWN Link with MASTER is down\r\n",
            "-CLUSTERDOWN The cluster is down\r\n",
            "-READONLY You can't write against a read only replica.\r\n",
            "-READONLY You can't write against a read only replica. script: 9c, on @user_script:3.\r\n",
            "-MISCONF Errors writing to the AOF file: No space left on device script: 9c, on @user_script:3.\r\n",
            "-NOREPLICAS Not enough good replicas to write.\r\n",
            "-NOAUTH Authentication required.\r\n",
            "-NOPERM this user has no permissions\r\n",
            "-ERR unknown command 'EVALSHA', with args beginning with: \r\n",
            "-ERR max number of clients reached\r\n",
            "HTTP/1.1 400 Bad Request\r\n",
            "220 mail.example ESMTP\r\n",
        ] {
            let error = sorted(answer);
            assert!(matches!(error, JobsError::Unavailable(_)), "{error:?}");
        }
        let full = sorted("-OOM command not allowed when used memory > 'maxmemory'.\r\n");
        assert!(full.is_full());
    }

    #[test]
    fn a_reply_of_another_form_is_unexpected_and_not_quoted() {
        let question = Value::BulkString(b"a question".to_vec());
        let error = parse_reply::<u64>(question).expect_err("not a number");
        assert!(matches!(error, JobsError::Unexpected(_)), "{error:?}");
        assert!(!error.to_string().contains("question"), "{error}");
    }
}
