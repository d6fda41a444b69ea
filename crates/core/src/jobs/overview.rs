//! Queues and workers, for operators; and the heartbeat of workers.

use super::{
    Jobs, JobsError,
    damage::KeyGroup,
    ids::{self, RawEntry, lossy_text},
    millis,
};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

/// A worker expires after this time without a heartbeat.
const WORKER_EXPIRY: Duration = Duration::from_secs(60);

/// The queues and workers at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The time of Redis, since the Unix epoch; ages are relative to it.
    pub now: Duration,
    /// One for each mode.
    pub queues: Vec<QueueStats>,
    /// Workers with a heartbeat within the last minute.
    pub workers: Vec<WorkerInfo>,
}

/// The waiting jobs of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueStats {
    pub mode: Mode,
    /// Number of queue entries.
    pub depth: u64,
    /// Time since the job at the head was enqueued; `None` without entry or job.
    pub oldest_age: Option<Duration>,
}

/// A worker that has sent a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WorkerInfo {
    pub name: String,
    /// Time since the last heartbeat.
    pub since_heartbeat: Duration,
    /// Opaque JSON from the heartbeat.
    pub description: String,
}

/// The time; depth and oldest id of each queue; name, heartbeat and description of each worker.
type OverviewReply = (
    u64,
    Vec<(u64, RawEntry)>,
    Vec<(RawEntry, RawEntry, RawEntry)>,
);

impl Jobs {
    /// Sends the heartbeat of a worker; `description` is opaque JSON.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn worker_heartbeat(&self, worker: &str, description: &str) -> Result<(), JobsError> {
        let mut invocation = self.scripts.worker_heartbeat.prepare_invoke();
        invocation
            .key(keys::WORKERS)
            .key(keys::WORKER_DESCRIPTIONS)
            .arg(worker)
            .arg(description)
            .arg(millis(WORKER_EXPIRY));
        self.call_in::<String>(KeyGroup::Queues, &invocation)
            .await?;
        Ok(())
    }

    /// Removes a worker that stops.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; the worker then expires after a minute.
    pub async fn deregister_worker(&self, worker: &str) -> Result<(), JobsError> {
        for (command, key) in [("ZREM", keys::WORKERS), ("HDEL", keys::WORKER_DESCRIPTIONS)] {
            let mut command = redis::cmd(command);
            command.arg(key).arg(worker);
            self.query_in::<u64>(KeyGroup::Queues, &command).await?;
        }
        Ok(())
    }

    /// Reads all queues and workers.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn overview(&self) -> Result<Overview, JobsError> {
        let mut invocation = self.scripts.overview.prepare_invoke();
        invocation.key(keys::WORKERS).key(keys::WORKER_DESCRIPTIONS);
        for queue in Mode::ALL.map(keys::queue) {
            invocation.key(queue);
        }
        let (now, queues, workers): OverviewReply =
            self.call_in(KeyGroup::Queues, &invocation).await?;
        let mut waiting = Vec::with_capacity(queues.len());
        for (mode, (depth, oldest)) in Mode::ALL.into_iter().zip(queues) {
            let oldest = self.job_age(&oldest, now).await?;
            waiting.push(QueueStats {
                mode,
                depth,
                oldest_age: oldest,
            });
        }
        let workers = workers
            .into_iter()
            .map(|(name, seen, description)| WorkerInfo {
                name: lossy_text(&name),
                since_heartbeat: Duration::from_millis(
                    now.saturating_sub(ids::parse_millis(&seen)),
                ),
                description: lossy_text(&description),
            });
        Ok(Overview {
            now: Duration::from_millis(now),
            queues: waiting,
            workers: workers.collect(),
        })
    }

    /// Time since the job was enqueued; `None` when it does not exist or cannot be read.
    async fn job_age(&self, entry: &[u8], now: u64) -> Result<Option<Duration>, JobsError> {
        let Some(id) = ids::parse_id(entry) else {
            return Ok(None);
        };
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("created");
        let created = match self.query::<Option<u64>>(&command).await {
            Err(error) if error.is_data_error() => None,
            created => created?,
        };
        Ok(created.map(|created| Duration::from_millis(now.saturating_sub(created))))
    }

    /// The number of unclaimed entries before that of a job; `None` when the job has no entry.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn queue_position(&self, id: Uuid, mode: Mode) -> Result<Option<u64>, JobsError> {
        let mut command = redis::cmd("ZRANK");
        command.arg(keys::pending(mode)).arg(id.to_string());
        self.query_in(KeyGroup::Queues, &command).await
    }
}
