//! What a look at a job finds: the answers of look.lua.

use super::{JobsError, losses::Attempt, push::Place};
use crate::mode::Mode;
use redis::{FromRedisValue, Value};
use std::time::Duration;

/// Why a job was ended by the look at it.
pub(super) enum Why {
    Lost,
    Expired,
    Other,
}

pub(super) enum Seen {
    Absent,
    Ended(Mode),
    /// Ended just now.
    Failed(Mode, Why),
    Wait(Mode, Duration),
    Due(Mode, Duration),
    /// Its lease has run out.
    Expired(Attempt),
    Lost(Mode, Duration, Charge),
}

/// What a job is charged with so far.
pub(super) struct Charge {
    pub(super) crashes: u32,
    /// Together with others.
    pub(super) losses: u32,
    /// The last one was a crash of its own.
    is_crash: bool,
}

impl Charge {
    /// A search that was in the way of nobody goes on before all others. One that has crashed its
    /// worker and was lost before lets the others have theirs first.
    pub(super) fn place(&self) -> Place {
        if self.is_crash && self.crashes + self.losses > 1 {
            Place::Back
        } else {
            Place::Front
        }
    }
}

/// Reads the script's answer.
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
