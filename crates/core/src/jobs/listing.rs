//! A bounded list of running, waiting and recently failed jobs, for the queue page.

use super::{
    Jobs, JobsError, Record,
    damage::KeyGroup,
    ids::{self, RawEntry},
    record::{JobState, parse_state},
};
use crate::{keys, mode::Mode};
use futures_util::future::try_join_all;
use std::time::Duration;
use uuid::Uuid;

/// Failures that the index `failures` keeps.
const MAX_FAILURES: usize = 100;
/// Seconds after the last failure until `failures` expires: the default lifetime of a record.
const FAILURES_TTL_SECONDS: u64 = 86_400;

/// Jobs without their requests.
#[derive(Debug, Clone)]
pub struct JobListing {
    /// Unfinished jobs, the running ones first.
    pub live: Vec<LiveJob>,
    /// Jobs that failed, newest first.
    pub failures: Vec<FailedJob>,
}

/// An unfinished job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveJob {
    pub id: Uuid,
    /// Its queue.
    pub mode: Mode,
    /// False while it waits.
    pub is_running: bool,
    /// When it was enqueued, since the Unix epoch, by the clock of Redis.
    pub enqueued_at: Duration,
}

/// A failed job whose record still exists.
#[derive(Debug, Clone)]
pub struct FailedJob {
    pub id: Uuid,
    /// When the failure was recorded, since the Unix epoch, by the clock of Redis.
    pub failed_at: Duration,
    pub record: Record,
}

/// The time of Redis, unfinished ids, and failed ids with their time.
type ListingReply = (u64, Vec<RawEntry>, Vec<(RawEntry, RawEntry)>);
/// The fields `state`, `mode` and `created` of a control hash.
type LiveJobFields = (Option<String>, Option<String>, Option<u64>);

impl Jobs {
    /// Up to `limit` unfinished jobs, and up to `limit` failed ones.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn list_jobs(&self, limit: usize) -> Result<JobListing, JobsError> {
        let mut invocation = self.scripts.list_jobs.prepare_invoke();
        invocation.key(keys::LIVE).key(keys::FAILURES).arg(limit);
        let (_now, live, failures): ListingReply =
            self.call_in(KeyGroup::Queues, &invocation).await?;
        let live = live.iter().filter_map(|entry| ids::parse_id(entry));
        let failures = failures
            .iter()
            .filter_map(|(entry, failed)| Some((ids::parse_id(entry)?, ids::parse_millis(failed))));
        // Sent together: one round trip to each server, however many jobs.
        let live = try_join_all(live.map(|id| self.live_job(id))).await?;
        let failures =
            try_join_all(failures.map(|(id, failed)| self.failed_job(id, failed))).await?;
        let mut live: Vec<LiveJob> = live.into_iter().flatten().collect();
        live.sort_by_key(|job| (!job.is_running, job.enqueued_at, job.id));
        Ok(JobListing {
            live,
            failures: failures.into_iter().flatten().collect(),
        })
    }

    /// Records a failed job for [`board`](Self::list_jobs).
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat and to ignore.
    pub async fn record_failure(&self, id: Uuid) -> Result<(), JobsError> {
        let mut invocation = self.scripts.record_failure.prepare_invoke();
        invocation
            .key(keys::FAILURES)
            .arg(id.to_string())
            .arg(MAX_FAILURES)
            .arg(FAILURES_TTL_SECONDS);
        self.call_in::<String>(KeyGroup::Queues, &invocation)
            .await?;
        Ok(())
    }

    async fn live_job(&self, id: Uuid) -> Result<Option<LiveJob>, JobsError> {
        let mut command = redis::cmd("HMGET");
        command.arg(keys::control(id));
        command.arg(&["state", "mode", "created"]);
        let (state, mode, created) = match self.query_pooled::<LiveJobFields>(&command).await {
            // Leave out a job that cannot be read.
            Err(error) if error.is_data_error() => return Ok(None),
            known => known?,
        };
        let is_running = match parse_state(state.as_deref()) {
            JobState::Pending => false,
            JobState::Processing => true,
            JobState::Ended => return Ok(None),
        };
        let mode = mode.as_deref().and_then(Mode::parse);
        Ok(mode.zip(created).map(|(mode, created)| LiveJob {
            id,
            mode,
            is_running,
            enqueued_at: Duration::from_millis(created),
        }))
    }

    async fn failed_job(&self, id: Uuid, failed: u64) -> Result<Option<FailedJob>, JobsError> {
        let record = match self.record_pooled(id).await {
            Err(error) if error.is_data_error() => None,
            record => record?,
        };
        Ok(record.map(|record| FailedJob {
            id,
            failed_at: Duration::from_millis(failed),
            record,
        }))
    }
}
