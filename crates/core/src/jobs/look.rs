//! The replies of `inspect.lua`.

use super::{JobsError, losses::Attempt, push::Place};
use crate::mode::Mode;
use redis::{FromRedisValue, Value};
use std::time::Duration;

/// Why the inspection ended a job.
pub(super) enum Why {
    Lost,
    Expired,
    Other,
}

/// What an inspection found, and what is to be done.
pub(super) enum Seen {
    Absent,
    Ended(Mode),
    /// The inspection has ended the job.
    Failed(Mode, Why),
    /// Check the job again after this time.
    Wait(Mode, Duration),
    /// Pending and due: push its queue entry, and check it again after this time.
    Due(Mode, Duration),
    /// The lease has expired: inspect again, with the jobs that were lost together with it.
    Expired(Attempt),
    /// Recovered: push its queue entry, and check it again after this time.
    Lost(Mode, Duration, Charge),
}

/// How often a job was lost so far.
pub(super) struct Charge {
    /// Alone in its worker, or otherwise found to be the cause.
    pub(super) crashes: u32,
    /// Together with other jobs.
    pub(super) losses: u32,
    /// The last loss was a crash of its own.
    is_crash: bool,
}

impl Charge {
    /// A recovered job goes to the head of its queue; one that has just crashed its worker and was
    /// lost before goes to the tail, so that it delays no other.
    pub(super) fn place(&self) -> Place {
        if self.is_crash && self.crashes + self.losses > 1 {
            Place::Back
        } else {
            Place::Front
        }
    }
}

/// Parses a reply of `inspect.lua`.
pub(super) fn seen(reply: Vec<Value>) -> Result<Seen, JobsError> {
    let mut words = reply.into_iter().map(String::from_redis_value);
    let mut next = || words.next().and_then(Result::ok);
    let state = next().unwrap_or_default();
    let mode = next().and_then(|name| Mode::parse(&name));
    let last = next().unwrap_or_default();
    let mut rest = || next().unwrap_or_default();
    let left = Duration::from_millis(last.parse().unwrap_or(0));
    match (state.as_str(), mode) {
        ("ABSENT", _) => Ok(Seen::Absent),
        ("ENDED", Some(mode)) => Ok(Seen::Ended(mode)),
        ("FAILED", Some(mode)) => Ok(Seen::Failed(
            mode,
            match last.as_str() {
                "lost" => Why::Lost,
                "expired" => Why::Expired,
                _ => Why::Other,
            },
        )),
        ("WAIT", Some(mode)) => Ok(Seen::Wait(mode, left)),
        ("DUE", Some(mode)) => Ok(Seen::Due(mode, left)),
        ("EXPIRED", _) => Ok(Seen::Expired(Attempt {
            nonce: last,
            holder: rest(),
            worker: rest(),
        })),
        ("LOST", Some(mode)) => {
            let charge = Charge {
                crashes: rest().parse().unwrap_or(0),
                losses: rest().parse().unwrap_or(0),
                is_crash: rest() == "1",
            };
            Ok(Seen::Lost(mode, left, charge))
        }
        ("UNKNOWN", _) => Err(JobsError::Unexpected(
            "a search is in a state that this version does not know".to_owned(),
        )),
        (other, _) => Err(JobsError::Unexpected(other.to_owned())),
    }
}
