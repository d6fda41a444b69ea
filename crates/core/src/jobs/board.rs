//! A bounded list of running, waiting and recently failed jobs, for the queue page.

use super::{
    Jobs, JobsError, Record,
    damage::Scope,
    ids::{self, Bytes},
    record::{Stage, stage},
};
use crate::{keys, mode::Mode};
use futures_util::future::try_join_all;
use std::time::Duration;
use uuid::Uuid;

/// Failures that the index `failures` keeps.
const FAILURES_KEPT: usize = 100;
/// Seconds after the last failure until `failures` expires: the default lifetime of a record.
const FAILURES_KEPT_FOR: u64 = 86_400;

/// Jobs without their requests.
#[derive(Debug, Clone)]
pub struct Board {
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
    pub accepted: Duration,
}

/// A failed job whose record still exists.
#[derive(Debug, Clone)]
pub struct FailedJob {
    pub id: Uuid,
    /// When the failure was recorded, since the Unix epoch, by the clock of Redis.
    pub failed: Duration,
    pub record: Record,
}

/// The time of Redis, unfinished ids, and failed ids with their time.
type Reply = (u64, Vec<Bytes>, Vec<(Bytes, Bytes)>);
/// The fields `state`, `mode` and `created` of a control hash.
type Control = (Option<String>, Option<String>, Option<u64>);

impl Jobs {
    /// Up to `limit` unfinished jobs, and up to `limit` failed ones.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn board(&self, limit: usize) -> Result<Board, JobsError> {
        let mut invocation = self.scripts.board.prepare_invoke();
        invocation.key(keys::LIVE).key(keys::FAILURES).arg(limit);
        let (_now, live, failures): Reply = self.call_in(Scope::Queues, &invocation).await?;
        let live = live.iter().filter_map(|entry| ids::id(entry));
        let failures = failures
            .iter()
            .filter_map(|(entry, failed)| Some((ids::id(entry)?, ids::millis(failed))));
        // Sent together: one round trip to each server, however many jobs.
        let live = try_join_all(live.map(|id| self.live_job(id))).await?;
        let failures =
            try_join_all(failures.map(|(id, failed)| self.failed_job(id, failed))).await?;
        let mut live: Vec<LiveJob> = live.into_iter().flatten().collect();
        live.sort_by_key(|job| (!job.is_running, job.accepted, job.id));
        Ok(Board {
            live,
            failures: failures.into_iter().flatten().collect(),
        })
    }

    /// Records a failed job for [`board`](Self::board).
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat and to ignore.
    pub async fn note_failure(&self, id: Uuid) -> Result<(), JobsError> {
        let mut invocation = self.scripts.note.prepare_invoke();
        invocation
            .key(keys::FAILURES)
            .arg(id.to_string())
            .arg(FAILURES_KEPT)
            .arg(FAILURES_KEPT_FOR);
        self.call_in::<String>(Scope::Queues, &invocation).await?;
        Ok(())
    }

    async fn live_job(&self, id: Uuid) -> Result<Option<LiveJob>, JobsError> {
        let mut command = redis::cmd("HMGET");
        command.arg(keys::control(id));
        command.arg(&["state", "mode", "created"]);
        let (state, mode, created) = match self.query_in_bulk::<Control>(&command).await {
            // Leave out a job that cannot be read.
            Err(error) if error.is_about_data() => return Ok(None),
            known => known?,
        };
        let is_running = match stage(state.as_deref()) {
            Stage::Pending => false,
            Stage::Processing => true,
            Stage::Ended => return Ok(None),
        };
        let mode = mode.as_deref().and_then(Mode::parse);
        Ok(mode.zip(created).map(|(mode, created)| LiveJob {
            id,
            mode,
            is_running,
            accepted: Duration::from_millis(created),
        }))
    }

    async fn failed_job(&self, id: Uuid, failed: u64) -> Result<Option<FailedJob>, JobsError> {
        let record = match self.record_in_bulk(id).await {
            Err(error) if error.is_about_data() => None,
            record => record?,
        };
        Ok(record.map(|record| FailedJob {
            id,
            failed: Duration::from_millis(failed),
            record,
        }))
    }
}
