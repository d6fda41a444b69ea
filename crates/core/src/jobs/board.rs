//! Which jobs run, wait and have failed of late: a bounded look, for those who watch the queue.

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

/// How many failures are remembered.
const FAILURES_KEPT: usize = 100;
/// Seconds after the last failure until none is remembered: as long as records live by default.
const FAILURES_KEPT_FOR: u64 = 86_400;

/// Jobs by name. It holds nothing of what they are about.
#[derive(Debug, Clone)]
pub struct Board {
    /// Jobs that have not ended, those that run first.
    pub live: Vec<LiveJob>,
    /// Jobs that failed, newest first.
    pub failures: Vec<FailedJob>,
}

/// A job that has not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveJob {
    /// Which.
    pub id: Uuid,
    /// Its queue.
    pub mode: Mode,
    /// It runs; otherwise it waits.
    pub is_running: bool,
    /// When it was accepted, since the Unix epoch, by the clock of Redis.
    pub accepted: Duration,
}

/// A job that failed and whose record is still there.
#[derive(Debug, Clone)]
pub struct FailedJob {
    /// Which.
    pub id: Uuid,
    /// When that was noted, since the Unix epoch, by the clock of Redis.
    pub failed: Duration,
    /// What is known of it.
    pub record: Record,
}

/// Now, the live ids, and the failed ones with their time.
type Reply = (u64, Vec<Bytes>, Vec<(Bytes, Bytes)>);
/// State, mode and time of acceptance.
type Control = (Option<String>, Option<String>, Option<u64>);

impl Jobs {
    /// Up to `limit` jobs that have not ended, and up to `limit` that failed.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn board(&self, limit: usize) -> Result<Board, JobsError> {
        let mut invocation = self.scripts.board.prepare_invoke();
        invocation.key(keys::LIVE).key(keys::FAILURES).arg(limit);
        let (_now, live, failures): Reply = self.call_in(Scope::Queues, &invocation).await?;
        let live = live.iter().filter_map(|entry| ids::id(entry));
        let failures = failures
            .iter()
            .filter_map(|(entry, failed)| Some((ids::id(entry)?, ids::millis(failed))));
        // Sent together on the shared link of each server: one round trip, however many.
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

    /// Notes that a job has failed, for [`board`](Self::board).
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat, and safe to leave out.
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
            // One that cannot be read hides no other.
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
