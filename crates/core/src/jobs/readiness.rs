//! Readiness: whether Redis would accept a job now.

use super::{Jobs, JobsError};
use crate::keys;
use redis::{Cmd, RedisError, Value};
use std::fmt;

/// Why Redis would not accept a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotReadyReason {
    /// It does not answer, or something other than Redis does.
    Unreachable,
    /// It refuses the user or the password, or this user may not write.
    AccessDenied,
    /// It loads its data after a start.
    Loading,
    /// Used memory is at `maxmemory` (`OOM`).
    OutOfMemory,
    /// It is a replica (`READONLY`).
    ReadOnly,
    /// It cannot save to its disk (`MISCONF`).
    CannotSave,
    /// Fewer replicas follow than `min-replicas-to-write` (`NOREPLICAS`).
    TooFewReplicas,
}

impl fmt::Display for NotReadyReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Unreachable => "does not answer",
            Self::AccessDenied => "refuses the user or the password of REDIS_URL",
            Self::Loading => "loads its data",
            Self::OutOfMemory => "is full: used memory is at maxmemory (OOM)",
            Self::ReadOnly => "is a replica and takes no writes (READONLY)",
            Self::CannotSave => "takes no writes: it cannot save to its disk (MISCONF)",
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
    pub async fn not_ready_reason(&self) -> Option<NotReadyReason> {
        let answer = self.redis.query::<Value>(&write_probe()).await;
        classify(&answer.err()?)
    }
}

fn write_probe() -> Cmd {
    let mut probe = redis::cmd("SETRANGE");
    probe.arg(keys::WRITE_PROBE).arg(0).arg("");
    probe
}

fn classify(error: &RedisError) -> Option<NotReadyReason> {
    let code = error.code().unwrap_or_default().to_owned();
    match (code.as_str(), JobsError::from(error.clone())) {
        // The key exists with another type, so Redis has let the write through.
        (_, JobsError::Damaged(_)) => None,
        (_, JobsError::Full(_)) => Some(NotReadyReason::OutOfMemory),
        ("READONLY", _) => Some(NotReadyReason::ReadOnly),
        ("MISCONF", _) => Some(NotReadyReason::CannotSave),
        ("NOREPLICAS", _) => Some(NotReadyReason::TooFewReplicas),
        ("LOADING", _) => Some(NotReadyReason::Loading),
        ("NOPERM", _) => Some(NotReadyReason::AccessDenied),
        (_, error) if error.is_auth_error() => Some(NotReadyReason::AccessDenied),
        _ => Some(NotReadyReason::Unreachable),
    }
}
