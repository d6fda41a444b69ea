//! Readiness: whether Redis would accept a job now.

use super::{Jobs, JobsError};
use crate::keys;
use redis::{Cmd, RedisError, Value};
use std::fmt;

/// Why Redis would not accept a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hindrance {
    /// It does not answer, or something other than Redis does.
    Away,
    /// It refuses the user or the password, or this user may not write.
    Refused,
    /// It loads its data after a start.
    Loading,
    /// Used memory is at `maxmemory` (`OOM`).
    Full,
    /// It is a replica (`READONLY`).
    ReadOnly,
    /// It cannot save to its disk (`MISCONF`).
    Disk,
    /// Fewer replicas follow than `min-replicas-to-write` (`NOREPLICAS`).
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
    /// Why Redis would not accept a job now; `None` when it would. In a Cluster this checks the
    /// server of the queues, which every new job needs.
    ///
    /// The probe is a write that changes nothing: `SETRANGE` of an empty text creates no key and
    /// replicates nothing, but Redis refuses it when it takes no writes.
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
        // The key exists with another type, so Redis has let the write through.
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
