//! A worker's hold on a job: claim it, keep it, report, and end it.

use super::{Failure, Hint, Jobs, JobsError, damage::Scope, error::read, millis, scripts::on_job};
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
        /// How long this attempt may run.
        budget: Duration,
    },
    /// Somebody else runs it, and holds it for so long.
    Busy(Duration),
    /// It is not due before that.
    Early(Duration),
    /// It was lost so often together with others that it shall not run beside as many.
    Suspect(u32),
    /// It has waited too long: the sweeper ends it.
    Late,
    /// It has ended.
    Gone,
    /// There is no such job, or not yet: its submitter may be about to write it.
    Absent,
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

/// What became of an attempt that failed for a passing reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failed {
    /// The job waits for its next attempt.
    Retry,
    /// Attempts or time are used up: the job has ended.
    Ended(Ended),
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
    /// Starts an attempt at the job that a hint names, whatever became of earlier ones.
    ///
    /// # Errors
    /// As [`Self::claim_unless_suspect`].
    pub async fn claim(
        &self,
        hint: Hint,
        worker: &str,
        lease: Duration,
    ) -> Result<Claim, JobsError> {
        self.claim_unless_suspect(hint, worker, lease, u32::MAX)
            .await
    }

    /// Starts an attempt at the job that a hint names, unless it was lost more than `most_losses`
    /// times together with others.
    ///
    /// # Errors
    /// When Redis gave no answer even when asked again.
    pub async fn claim_unless_suspect(
        &self,
        hint: Hint,
        worker: &str,
        lease: Duration,
        most_losses: u32,
    ) -> Result<Claim, JobsError> {
        let scope = Scope::Job(hint.id);
        let nonce = Uuid::new_v4();
        let mut invocation = on_job(&self.scripts.claim, hint.id);
        invocation
            .arg(nonce.to_string())
            .arg(serde_json::Value::from(worker).to_string())
            .arg(millis(lease))
            .arg(keys::CHANGED)
            .arg(hint.id.to_string())
            .arg(self.instance.to_string())
            .arg(most_losses);
        let reply: Vec<Value> = match self.call_in(scope, &invocation).await {
            // The reply may have been lost on its way: the same nonce gets the same answer.
            Err(JobsError::Unavailable(_)) => self.call_in(scope, &invocation).await?,
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
                budget: Duration::from_millis(next(&mut reply)?),
            }),
            "BUSY" => Ok(Claim::Busy(Duration::from_millis(next(&mut reply)?))),
            "EARLY" => Ok(Claim::Early(Duration::from_millis(next(&mut reply)?))),
            "SUSPECT" => Ok(Claim::Suspect(next(&mut reply)?)),
            "LATE" => Ok(Claim::Late),
            "ENDED" => Ok(Claim::Gone),
            "ABSENT" => Ok(Claim::Absent),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Extends a lease.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
    pub async fn beat(&self, lease: &Lease, length: Duration) -> Result<Beat, JobsError> {
        let mut invocation = on_job(&self.scripts.beat, lease.id);
        invocation.arg(lease.nonce.to_string()).arg(millis(length));
        beat(
            &self
                .call_in::<String>(Scope::Job(lease.id), &invocation)
                .await?,
        )
    }

    /// Appends events, each its type and its data (JSON); with `progress` (JSON) the record shows how
    /// far the attempt is. `number` is that of the first of them in the attempt, from 1.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat with the same number until the next is used.
    pub async fn report(
        &self,
        lease: &Lease,
        number: u64,
        events: &[(&str, String)],
        progress: Option<&str>,
    ) -> Result<Beat, JobsError> {
        let mut invocation = on_job(&self.scripts.report, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(progress.unwrap_or_default())
            .arg(keys::CHANGED)
            .arg(lease.id.to_string())
            .arg(number);
        for (kind, data) in events {
            invocation.arg(*kind).arg(data);
        }
        beat(
            &self
                .call_in::<String>(Scope::Job(lease.id), &invocation)
                .await?,
        )
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
        match self
            .call_in::<String>(Scope::Job(lease.id), &invocation)
            .await?
            .as_str()
        {
            "completed" => Ok(Ended::Completed),
            "failed" => Ok(Ended::Failed),
            "ALREADY" => Ok(Ended::Already),
            "FENCED" => Ok(Ended::Fenced),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Ends an attempt that failed for a passing reason: the job is tried again after `pause`, or
    /// ends with this failure when `most_attempts` or its time are used up.
    ///
    /// # Errors
    /// When Redis gave no answer or is full; safe to repeat.
    pub async fn fail(
        &self,
        lease: &Lease,
        failure: &Failure,
        most_attempts: u32,
        pause: Duration,
    ) -> Result<Failed, JobsError> {
        let cancelled = Failure::cancelled();
        let mut invocation = on_job(&self.scripts.fail, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(failure.error_json())
            .arg(failure.members_json())
            .arg(most_attempts)
            .arg(millis(pause))
            .arg(cancelled.error_json())
            .arg(cancelled.members_json())
            .arg(keys::CHANGED)
            .arg(lease.id.to_string());
        let reply: Vec<String> = self.call_in(Scope::Job(lease.id), &invocation).await?;
        match reply.first().map_or("", String::as_str) {
            "RETRY" => {
                self.track_id(lease.id, lease.mode, pause).await?;
                Ok(Failed::Retry)
            }
            "failed" => Ok(Failed::Ended(Ended::Failed)),
            "ALREADY" => Ok(Failed::Ended(Ended::Already)),
            "FENCED" => Ok(Failed::Ended(Ended::Fenced)),
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
        match self
            .call_in::<String>(Scope::Job(lease.id), &invocation)
            .await?
            .as_str()
        {
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
    read(value)
}

fn beat(reply: &str) -> Result<Beat, JobsError> {
    match reply {
        "OK" => Ok(Beat::Held),
        "CANCEL" => Ok(Beat::Cancel),
        "FENCED" => Ok(Beat::Fenced),
        other => Err(JobsError::Unexpected(other.to_owned())),
    }
}
