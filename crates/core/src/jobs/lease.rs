//! A worker's hold on a job: claim it, keep it, report, and end it.

use super::{Failure, Hint, Jobs, JobsError, millis, scripts::on_job};
use crate::{keys, mode::Mode};
use bytes::Bytes;
use redis::{FromRedisValue, Value};
use std::time::Duration;
use uuid::Uuid;

/// A running attempt. Only its nonce can change the job.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The job.
    pub id: Uuid,
    /// Its queue.
    pub mode: Mode,
    nonce: Uuid,
}

/// What became of a claim.
#[derive(Debug)]
pub enum Claim {
    /// The job is ours.
    Started {
        /// The hold on it.
        lease: Lease,
        /// Which attempt this is, from 1.
        attempt: u32,
        /// What the submitter sent.
        request: Bytes,
        /// How long ago it was accepted.
        waited: Duration,
    },
    /// Somebody else runs it, and holds it for so long.
    Busy(Duration),
    /// It is not due before that.
    Early(Duration),
    /// It has ended, or never was.
    Gone,
}

/// What a running attempt learns when it talks to Redis.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Beat {
    /// Go on.
    Held,
    /// A client wants it to stop.
    Cancel,
    /// The job is not ours any more: stop, and write nothing.
    Fenced,
}

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// With its result.
    Completed,
    /// Without one.
    Failed,
    /// It had ended before, by this same attempt.
    Already,
    /// The job is not ours any more; nothing was written.
    Fenced,
}

/// What became of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Release {
    /// It waits again, in front of all others.
    Released,
    /// A client wants it to stop: end it as cancelled.
    Cancel,
    /// The job is not ours any more.
    Fenced,
}

impl Jobs {
    /// Starts an attempt at the job that a hint names.
    ///
    /// # Errors
    /// When Redis gave no answer even when asked again.
    pub async fn claim(
        &self,
        hint: Hint,
        worker: &str,
        lease: Duration,
    ) -> Result<Claim, JobsError> {
        let nonce = Uuid::new_v4();
        let mut invocation = on_job(&self.scripts.claim, hint.id);
        invocation
            .arg(nonce.to_string())
            .arg(worker)
            .arg(millis(lease))
            .arg(keys::CHANGED)
            .arg(hint.id.to_string());
        let reply: Vec<Value> = match self.call(&invocation).await {
            // The reply may have been lost on its way: the same nonce gets the same answer.
            Err(JobsError::Unavailable(_)) => self.call(&invocation).await?,
            outcome => outcome?,
        };
        let mut reply = reply.into_iter();
        match next::<String>(&mut reply)?.as_str() {
            "OK" => Ok(Claim::Started {
                lease: Lease {
                    id: hint.id,
                    mode: hint.mode,
                    nonce,
                },
                attempt: next(&mut reply)?,
                request: Bytes::from(next::<Vec<u8>>(&mut reply)?),
                waited: Duration::from_millis(next(&mut reply)?),
            }),
            "BUSY" => Ok(Claim::Busy(Duration::from_millis(next(&mut reply)?))),
            "EARLY" => Ok(Claim::Early(Duration::from_millis(next(&mut reply)?))),
            "ENDED" | "ABSENT" => Ok(Claim::Gone),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// After a claim: the hint is used up, and the job need not be looked at before `until` from now.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat, and safe to leave out.
    pub async fn track(&self, hint: Hint, until: Duration) -> Result<(), JobsError> {
        let mut invocation = self.scripts.track.prepare_invoke();
        invocation
            .key(keys::pending(hint.mode))
            .key(keys::LIVE)
            .arg(hint.id.to_string())
            .arg(millis(until));
        self.call::<String>(&invocation).await?;
        Ok(())
    }

    /// After the end of a job: nobody has to look at it again, except for the history.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn forget(&self, id: Uuid, mode: Mode) -> Result<(), JobsError> {
        let mut invocation = self.scripts.forget.prepare_invoke();
        invocation
            .key(keys::pending(mode))
            .key(keys::LIVE)
            .key(keys::UNSAVED)
            .arg(id.to_string())
            .arg("save");
        self.call::<String>(&invocation).await?;
        Ok(())
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn beat(&self, lease: &Lease, length: Duration) -> Result<Beat, JobsError> {
        let mut invocation = on_job(&self.scripts.beat, lease.id);
        invocation.arg(lease.nonce.to_string()).arg(millis(length));
        beat(&self.call::<String>(&invocation).await?)
    }

    /// Appends an event; with `progress` (JSON) the record shows it too.
    ///
    /// # Errors
    /// When Redis gave no answer. A repeat may append the event twice.
    pub async fn report(
        &self,
        lease: &Lease,
        kind: &str,
        data: &str,
        progress: Option<&str>,
    ) -> Result<Beat, JobsError> {
        let mut invocation = on_job(&self.scripts.report, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(kind)
            .arg(data)
            .arg(progress.unwrap_or_default())
            .arg(keys::CHANGED)
            .arg(lease.id.to_string());
        beat(&self.call::<String>(&invocation).await?)
    }

    /// Ends a job, with its result (JSON) or without. A job that a client cancelled ends as
    /// cancelled whatever is handed in.
    ///
    /// # Errors
    /// When Redis gave no answer or is full; safe to repeat, and to be repeated.
    pub async fn finish(
        &self,
        lease: &Lease,
        outcome: Result<&[u8], &Failure>,
    ) -> Result<Ended, JobsError> {
        let cancelled = Failure::cancelled();
        let mut invocation = on_job(&self.scripts.finish, lease.id);
        invocation.arg(lease.nonce.to_string());
        match outcome {
            Ok(result) => invocation.arg("completed").arg(result).arg(""),
            Err(failure) => invocation
                .arg("failed")
                .arg(failure.error_json())
                .arg(failure.members_json()),
        };
        invocation
            .arg(cancelled.error_json())
            .arg(cancelled.members_json())
            .arg(keys::CHANGED)
            .arg(lease.id.to_string());
        match self.call::<String>(&invocation).await?.as_str() {
            "completed" => Ok(Ended::Completed),
            "failed" => Ok(Ended::Failed),
            "ALREADY" => Ok(Ended::Already),
            "FENCED" => Ok(Ended::Fenced),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Gives a job back without counting the attempt; it is the next to be taken.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn release(&self, lease: &Lease) -> Result<Release, JobsError> {
        let mut invocation = on_job(&self.scripts.release, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(keys::CHANGED)
            .arg(lease.id.to_string());
        match self.call::<String>(&invocation).await?.as_str() {
            "OK" => {
                self.put_back(Hint {
                    id: lease.id,
                    mode: lease.mode,
                })
                .await?;
                Ok(Release::Released)
            }
            "CANCEL" => Ok(Release::Cancel),
            "FENCED" => Ok(Release::Fenced),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }
}

fn next<T: FromRedisValue>(reply: &mut impl Iterator<Item = Value>) -> Result<T, JobsError> {
    let value = reply
        .next()
        .ok_or_else(|| JobsError::Unexpected("too short a reply".to_owned()))?;
    T::from_redis_value(value).map_err(|error| JobsError::Unexpected(error.to_string()))
}

fn beat(reply: &str) -> Result<Beat, JobsError> {
    match reply {
        "OK" => Ok(Beat::Held),
        "CANCEL" => Ok(Beat::Cancel),
        "FENCED" => Ok(Beat::Fenced),
        other => Err(JobsError::Unexpected(other.to_owned())),
    }
}
