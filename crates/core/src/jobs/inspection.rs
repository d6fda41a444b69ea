//! The replies of `inspect.lua`.

use super::{JobsError, losses::RunningAttempt, push::Position};
use crate::mode::Mode;
use redis::{FromRedisValue, Value};
use std::time::Duration;

/// Why the inspection ended a job.
pub(super) enum EndReason {
    WorkerLost,
    QueueExpired,
    Other,
}

/// What an inspection found, and what is to be done.
pub(super) enum Inspection {
    Absent,
    Ended(Mode),
    /// The inspection has ended the job.
    EndedNow(Mode, EndReason),
    /// Check the job again after this time.
    NotDue(Mode, Duration),
    /// Pending and due: push its queue entry, and check it again after this time.
    NeedsEntry(Mode, Duration),
    /// The lease has expired: inspect again, with the jobs that were lost together with it.
    LeaseExpired(RunningAttempt),
    /// Recovered: push its queue entry, and check it again after this time.
    Recovered(Mode, Duration, LossCounts),
}

/// How often a job was lost so far.
pub(super) struct LossCounts {
    /// Alone in its worker, or otherwise found to be the cause.
    pub(super) crashes: u32,
    /// Together with other jobs.
    pub(super) losses: u32,
    /// The last loss was a crash of its own.
    is_crash: bool,
}

impl LossCounts {
    /// A recovered job goes to the head of its queue; one that has just crashed its worker and was
    /// lost before goes to the tail, so that it delays no other.
    pub(super) fn position(&self) -> Position {
        if self.is_crash && self.crashes + self.losses > 1 {
            Position::Tail
        } else {
            Position::Head
        }
    }
}

/// Parses a reply of `inspect.lua`.
pub(super) fn parse_inspection(reply: Vec<Value>) -> Result<Inspection, JobsError> {
    let mut words = reply.into_iter().map(String::from_redis_value);
    let mut next = || words.next().and_then(Result::ok);
    let state = next().unwrap_or_default();
    let mode = next().and_then(|name| Mode::parse(&name));
    let last = next().unwrap_or_default();
    let mut rest = || next().unwrap_or_default();
    let left = Duration::from_millis(last.parse().unwrap_or(0));
    match (state.as_str(), mode) {
        ("ABSENT", _) => Ok(Inspection::Absent),
        ("ENDED", Some(mode)) => Ok(Inspection::Ended(mode)),
        ("FAILED", Some(mode)) => Ok(Inspection::EndedNow(
            mode,
            match last.as_str() {
                "lost" => EndReason::WorkerLost,
                "expired" => EndReason::QueueExpired,
                _ => EndReason::Other,
            },
        )),
        ("WAIT", Some(mode)) => Ok(Inspection::NotDue(mode, left)),
        ("DUE", Some(mode)) => Ok(Inspection::NeedsEntry(mode, left)),
        ("EXPIRED", _) => Ok(Inspection::LeaseExpired(RunningAttempt {
            nonce: last,
            holder: rest(),
            worker: rest(),
        })),
        ("LOST", Some(mode)) => {
            let charge = LossCounts {
                crashes: rest().parse().unwrap_or(0),
                losses: rest().parse().unwrap_or(0),
                is_crash: rest() == "1",
            };
            Ok(Inspection::Recovered(mode, left, charge))
        }
        ("UNKNOWN", _) => Err(JobsError::Unexpected(
            "a search is in a state that this version does not know".to_owned(),
        )),
        (other, _) => Err(JobsError::Unexpected(other.to_owned())),
    }
}
