//! What can go wrong between us and Redis. Every kind of error of the client is sorted here, and
//! nowhere else.
//!
//! | what Redis did | becomes | who waits for it |
//! |---|---|---|
//! | no answer, not in time, loading, busy, no master, refuses writes (`READONLY`, `MISCONF`, `NOREPLICAS`), refuses the user | `Unavailable` | everybody: it passes |
//! | something that is no Redis answered: no RESP, no such command | `Unavailable` | the same |
//! | `OOM` | `Full` | everybody: it passes |
//! | `WRONGTYPE`, or an error that a script met in the data | `Damaged` | nobody: it stays as it is |
//! | a reply that the engine's commands and scripts never give | `Unexpected` | nobody |

use crate::tls::TlsFault;
use redis::{ErrorKind, FromRedisValue, RedisError, ServerErrorKind, Value};

/// A call of the engine that has no answer. The outcome is unknown unless said otherwise; every
/// call may be repeated.
#[derive(Debug, Clone, thiserror::Error)]
pub enum JobsError {
    /// Redis cannot be reached, does not answer in time, is starting, or refuses what it is asked.
    #[error("Redis is not available{}", reason(.0))]
    Unavailable(#[source] RedisError),
    /// Redis refuses to store more. Nothing was changed.
    #[error("Redis has no memory left")]
    Full(#[source] RedisError),
    /// A key holds what it never should. What was asked of other keys is not affected.
    #[error("a key in Redis is damaged: {0}")]
    Damaged(RedisError),
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
            || error.kind() == ErrorKind::AuthenticationFailed
    }

    /// What is wrong with TLS, if that is what stands in the way.
    #[must_use]
    pub fn tls_fault(&self) -> Option<TlsFault> {
        match self {
            Self::Unavailable(error) | Self::Full(error) => TlsFault::behind(error),
            Self::Damaged(_) | Self::Unexpected(_) => None,
        }
    }

    /// Whether the same call may succeed once Redis is there and has memory.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Full(_))
    }

    /// Whether what is stored is at fault: the same call fails again, and calls for other keys do
    /// not.
    #[must_use]
    pub fn is_about_data(&self) -> bool {
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
            // A replica, a Sentinel, or no Redis at all.
            ErrorKind::Server(ServerErrorKind::ResponseError) if is_refusal(detail) => {
                Self::Unavailable(error)
            }
            // Redis names the script in each error that one of its lines met.
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

/// What to look at first, where it is known: starting Redis mends no certificate.
fn reason(error: &RedisError) -> String {
    TlsFault::behind(error).map_or_else(String::new, |fault| format!(": {fault}"))
}

/// Refusals that have no code of their own.
fn is_refusal(detail: &str) -> bool {
    const REFUSALS: [&str; 3] = [
        "unknown command",
        "max number of clients",
        "command not allowed",
    ];
    let detail = detail.to_ascii_lowercase();
    REFUSALS.iter().any(|refusal| detail.contains(refusal))
}

/// Reads a reply, apart from the call: that it has another form than it should is no outage. What it
/// says stays unsaid, as it may be anybody's question.
pub(super) fn read<T: FromRedisValue>(reply: Value) -> Result<T, JobsError> {
    let form = match &reply {
        Value::Nil => "nothing",
        Value::Int(_) => "a number",
        Value::BulkString(_) => "a text",
        Value::Array(_) => "a list",
        _ => "something else",
    };
    T::from_redis_value(reply)
        .map_err(|_unsaid| JobsError::Unexpected(format!("{form} that is not what was asked for")))
}

#[cfg(test)]
mod tests {
    use super::*;
    use redis::parse_redis_value;

    /// What a server's answer becomes.
    fn sorted(answer: &str) -> JobsError {
        let answer = parse_redis_value(answer.as_bytes()).and_then(Value::extract_error);
        JobsError::from(answer.expect_err("an error"))
    }

    #[test]
    fn data_is_told_from_an_outage() {
        for answer in [
            "-WRONGTYPE Operation against a key holding the wrong kind of value\r\n",
            "-WRONGTYPE Operation against a key script: 9c, on @user_script:3.\r\n",
            "-ERR user_script:12: attempt to compare nil with number script: 9c, on @user_script:12.\r\n",
            "-ERR value is not an integer or out of range script: 9c, on @user_script:40.\r\n",
        ] {
            let error = sorted(answer);
            assert!(matches!(error, JobsError::Damaged(_)), "{error:?}");
            assert!(error.is_about_data() && !error.may_pass());
        }
    }

    #[test]
    fn what_passes_is_an_outage() {
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
    fn a_reply_of_another_form_is_neither() {
        let question = Value::BulkString(b"a question".to_vec());
        let error = read::<u64>(question).expect_err("not a number");
        assert!(matches!(error, JobsError::Unexpected(_)), "{error:?}");
        assert!(!error.to_string().contains("question"), "{error}");
    }
}
