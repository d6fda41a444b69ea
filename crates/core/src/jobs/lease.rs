//! The lease of a job: claim it, renew it, report events, and end or release the attempt.

use super::{
    JobFailure, Jobs, JobsError, QueueEntry, damage::KeyGroup, error::parse_reply, millis,
    scripts::job_invocation,
};
use crate::{keys, mode::Mode};
use bytes::Bytes;
use redis::{FromRedisValue, Value};
use std::time::Duration;
use uuid::Uuid;

/// A running attempt. Only calls with its nonce can change the job.
#[derive(Debug, Clone)]
pub struct Lease {
    /// The id of the job.
    pub id: Uuid,
    /// The queue of the job.
    pub mode: Mode,
    nonce: Uuid,
}

/// The outcome of a claim.
#[derive(Debug)]
pub enum ClaimResult {
    /// An attempt has begun.
    Started {
        /// Every later call of the attempt needs it.
        lease: Lease,
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The bytes of [`NewJob::request`](super::NewJob::request).
        request: Bytes,
        /// The time since the job was enqueued.
        waited: Duration,
        /// How long this attempt may run.
        budget: Duration,
    },
    /// Another attempt runs; its lease ends after this time.
    Busy(Duration),
    /// The next attempt is due after this time.
    NotDue(Duration),
    /// The job was lost this often together with other jobs, which is more than the caller allows.
    Suspect(u32),
    /// No time is left to wait or to run: the sweeper ends the job.
    Expired,
    /// The job has ended.
    Ended,
    /// There is no such job, or it is not stored yet.
    Absent,
}

/// What a running attempt learns from a heartbeat or a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LeaseStatus {
    /// The attempt still holds the lease.
    Held,
    /// A client has cancelled the job: stop, and finish it.
    CancelRequested,
    /// The attempt no longer holds the job: stop, and write nothing.
    Fenced,
}

/// The outcome of finishing a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FinishResult {
    /// The job has ended with its result.
    Completed,
    /// The job has ended without a result.
    Failed,
    /// An earlier call of this attempt has ended the job.
    AlreadyEnded,
    /// The attempt no longer holds the job; nothing was written.
    Fenced,
}

/// The outcome of failing an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FailResult {
    /// The job waits for its next attempt.
    Retry,
    /// The job has ended (attempts or time are used up, or it was cancelled), or was fenced.
    Ended(FinishResult),
}

/// The outcome of a release.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReleaseResult {
    /// The job waits again, at the head of its queue.
    Released,
    /// A client has cancelled the job: finish it.
    CancelRequested,
    /// The attempt no longer holds the job.
    Fenced,
}

impl Jobs {
    /// Begins an attempt at the job of a queue entry, however often the job was lost.
    ///
    /// # Errors
    /// As [`Self::claim_unless_suspect`].
    pub async fn claim(
        &self,
        entry: QueueEntry,
        worker: &str,
        lease: Duration,
    ) -> Result<ClaimResult, JobsError> {
        self.claim_unless_suspect(entry, worker, lease, u32::MAX)
            .await
    }

    /// Begins an attempt at the job of a queue entry, unless the job was lost more than
    /// `most_losses` times together with other jobs.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer, after one repeat.
    pub async fn claim_unless_suspect(
        &self,
        entry: QueueEntry,
        worker: &str,
        lease: Duration,
        most_losses: u32,
    ) -> Result<ClaimResult, JobsError> {
        let scope = KeyGroup::Job(entry.id);
        let nonce = Uuid::new_v4();
        let mut invocation = job_invocation(&self.scripts.claim, entry.id);
        invocation
            .arg(nonce.to_string())
            .arg(serde_json::Value::from(worker).to_string())
            .arg(millis(lease))
            .arg(keys::CHANGED_CHANNEL)
            .arg(entry.id.to_string())
            .arg(self.process_id.to_string())
            .arg(most_losses);
        let reply: Vec<Value> = match self.call_in(scope, &invocation).await {
            // The reply may be lost: the same nonce gets the same answer.
            Err(JobsError::Unavailable(_)) => self.call_in(scope, &invocation).await?,
            outcome => outcome?,
        };
        let mut reply = reply.into_iter();
        match next_value::<String>(&mut reply)?.as_str() {
            "OK" => Ok(ClaimResult::Started {
                lease: Lease {
                    id: entry.id,
                    mode: entry.mode,
                    nonce,
                },
                attempt: next_value(&mut reply)?,
                request: Bytes::from(next_value::<Vec<u8>>(&mut reply)?),
                waited: Duration::from_millis(next_value(&mut reply)?),
                budget: Duration::from_millis(next_value(&mut reply)?),
            }),
            "BUSY" => Ok(ClaimResult::Busy(Duration::from_millis(next_value(
                &mut reply,
            )?))),
            "EARLY" => Ok(ClaimResult::NotDue(Duration::from_millis(next_value(
                &mut reply,
            )?))),
            "SUSPECT" => Ok(ClaimResult::Suspect(next_value(&mut reply)?)),
            "LATE" => Ok(ClaimResult::Expired),
            "ENDED" => Ok(ClaimResult::Ended),
            "ABSENT" => Ok(ClaimResult::Absent),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Renews a lease for `length` from now.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn heartbeat(
        &self,
        lease: &Lease,
        length: Duration,
    ) -> Result<LeaseStatus, JobsError> {
        let mut invocation = job_invocation(&self.scripts.heartbeat, lease.id);
        invocation.arg(lease.nonce.to_string()).arg(millis(length));
        parse_lease_status(
            &self
                .call_in::<String>(KeyGroup::Job(lease.id), &invocation)
                .await?,
        )
    }

    /// Appends events, each a type and JSON data, and puts `progress` (JSON) into the record.
    /// `number` is the number of the first event within the attempt, from 1.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat until a higher number is used.
    pub async fn report(
        &self,
        lease: &Lease,
        number: u64,
        events: &[(&str, String)],
        progress: Option<&str>,
    ) -> Result<LeaseStatus, JobsError> {
        let mut invocation = job_invocation(&self.scripts.report, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(progress.unwrap_or_default())
            .arg(keys::CHANGED_CHANNEL)
            .arg(lease.id.to_string())
            .arg(number);
        for (kind, data) in events {
            invocation.arg(*kind).arg(data);
        }
        parse_lease_status(
            &self
                .call_in::<String>(KeyGroup::Job(lease.id), &invocation)
                .await?,
        )
    }

    /// Ends a job with its result (JSON) or a failure. A cancelled job ends as cancelled, whatever
    /// `outcome` is.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer, `Full` when it has no memory; safe to repeat.
    pub async fn finish(
        &self,
        lease: &Lease,
        outcome: Result<&[u8], &JobFailure>,
    ) -> Result<FinishResult, JobsError> {
        let cancelled = JobFailure::cancelled();
        let mut invocation = job_invocation(&self.scripts.finish, lease.id);
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
            .arg(keys::CHANGED_CHANNEL)
            .arg(lease.id.to_string());
        match self
            .call_in::<String>(KeyGroup::Job(lease.id), &invocation)
            .await?
            .as_str()
        {
            "completed" => Ok(FinishResult::Completed),
            "failed" => Ok(FinishResult::Failed),
            "ALREADY" => Ok(FinishResult::AlreadyEnded),
            "FENCED" => Ok(FinishResult::Fenced),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Ends an attempt that failed for a passing reason. The job is retried after `pause`, or ends
    /// with this failure when `most_attempts` or its time are used up.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer, `Full` when it has no memory; safe to repeat.
    pub async fn fail(
        &self,
        lease: &Lease,
        failure: &JobFailure,
        most_attempts: u32,
        pause: Duration,
    ) -> Result<FailResult, JobsError> {
        let cancelled = JobFailure::cancelled();
        let mut invocation = job_invocation(&self.scripts.fail, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(failure.error_json())
            .arg(failure.members_json())
            .arg(most_attempts)
            .arg(millis(pause))
            .arg(cancelled.error_json())
            .arg(cancelled.members_json())
            .arg(keys::CHANGED_CHANNEL)
            .arg(lease.id.to_string());
        let reply: Vec<String> = self.call_in(KeyGroup::Job(lease.id), &invocation).await?;
        match reply.first().map_or("", String::as_str) {
            "RETRY" => {
                self.schedule_check_by_id(lease.id, lease.mode, pause)
                    .await?;
                Ok(FailResult::Retry)
            }
            "failed" => Ok(FailResult::Ended(FinishResult::Failed)),
            "ALREADY" => Ok(FailResult::Ended(FinishResult::AlreadyEnded)),
            "FENCED" => Ok(FailResult::Ended(FinishResult::Fenced)),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }

    /// Gives a job back without counting the attempt; it goes to the head of its queue.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn release(&self, lease: &Lease) -> Result<ReleaseResult, JobsError> {
        let mut invocation = job_invocation(&self.scripts.release, lease.id);
        invocation
            .arg(lease.nonce.to_string())
            .arg(keys::CHANGED_CHANNEL)
            .arg(lease.id.to_string());
        match self
            .call_in::<String>(KeyGroup::Job(lease.id), &invocation)
            .await?
            .as_str()
        {
            "OK" => {
                self.requeue(QueueEntry {
                    id: lease.id,
                    mode: lease.mode,
                })
                .await?;
                Ok(ReleaseResult::Released)
            }
            "CANCEL" => Ok(ReleaseResult::CancelRequested),
            "FENCED" => Ok(ReleaseResult::Fenced),
            other => Err(JobsError::Unexpected(other.to_owned())),
        }
    }
}

fn next_value<T: FromRedisValue>(reply: &mut impl Iterator<Item = Value>) -> Result<T, JobsError> {
    let value = reply
        .next()
        .ok_or_else(|| JobsError::Unexpected("the reply is too short".to_owned()))?;
    parse_reply(value)
}

fn parse_lease_status(reply: &str) -> Result<LeaseStatus, JobsError> {
    match reply {
        "OK" => Ok(LeaseStatus::Held),
        "CANCEL" => Ok(LeaseStatus::CancelRequested),
        "FENCED" => Ok(LeaseStatus::Fenced),
        other => Err(JobsError::Unexpected(other.to_owned())),
    }
}
