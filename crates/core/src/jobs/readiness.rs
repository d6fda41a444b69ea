//! Whether a submission would be accepted now.

use super::{Jobs, JobsError};
use crate::keys;
use redis::{Cmd, RedisError, Value};
use std::fmt;

/// Why submissions are refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// Redis gives no answer, or not the one of a Redis.
    Away,
    /// It refuses the user or the password, or this user may not write.
    Refused,
    /// It loads its data.
    Loading,
    /// It has no memory left.
    Full,
    /// It is a replica.
    ReadOnly,
    /// It cannot save what it has.
    Disk,
    /// Fewer replicas follow than it wants.
    TooFewReplicas,
}

impl fmt::Display for Hindrance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Away => "does not answer",
            Self::Refused => "refuses the user or the password of REDIS_URL",
            Self::Loading => "loads its data",
            Self::Full => "is full: used memory is at maxmemory (OOM)",
            Self::ReadOnly => "is a replica and takes no writes (READONLY)",
            Self::Disk => "takes no writes: it cannot save to its disk (MISCONF)",
            Self::TooFewReplicas => "takes no writes: too few replicas follow (NOREPLICAS)",
        })
    }
}

impl Jobs {
    /// Why submissions would be refused now; `None` when they would be accepted. In a Cluster this
    /// goes by the server of the queues, without which nothing is accepted.
    ///
    /// Redis looks whether it takes writes before it looks at what is to be written: an empty text at
    /// the end of a key that is not there makes no key, and nothing to be saved or replicated.
    pub async fn hindrance(&self) -> Option<Hindrance> {
        let answer = self.redis.query::<Value>(&probe()).await;
        hindrance(&answer.err()?)
    }
}

fn probe() -> Cmd {
    let mut probe = redis::cmd("SETRANGE");
    probe.arg(keys::WRITABLE).arg(0).arg("");
    probe
}

fn hindrance(error: &RedisError) -> Option<Hindrance> {
    let code = error.code().unwrap_or_default().to_owned();
    match (code.as_str(), JobsError::from(error.clone())) {
        // Somebody has put something else there: the write was let through so far.
        (_, JobsError::Damaged(_)) => None,
        (_, JobsError::Full(_)) => Some(Hindrance::Full),
        ("READONLY", _) => Some(Hindrance::ReadOnly),
        ("MISCONF", _) => Some(Hindrance::Disk),
        ("NOREPLICAS", _) => Some(Hindrance::TooFewReplicas),
        ("LOADING", _) => Some(Hindrance::Loading),
        ("NOPERM", _) => Some(Hindrance::Refused),
        (_, error) if error.is_about_credentials() => Some(Hindrance::Refused),
        _ => Some(Hindrance::Away),
    }
}
