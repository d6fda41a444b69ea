//! Queues and workers, for operators; and the heartbeat of workers.

use super::{
    Jobs, JobsError,
    damage::Scope,
    ids::{self, Bytes, text},
    millis,
};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

/// A worker expires after this time without a heartbeat.
const STRUCK_OFF_AFTER: Duration = Duration::from_secs(60);

/// The queues and workers at one moment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The time of Redis, since the Unix epoch; ages are relative to it.
    pub now: Duration,
    /// One for each mode.
    pub queues: Vec<Queue>,
    /// Workers with a heartbeat within the last minute.
    pub workers: Vec<SeenWorker>,
}

/// The waiting jobs of one queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub mode: Mode,
    /// Number of queue entries.
    pub depth: u64,
    /// Time since the job at the head was enqueued; `None` without entry or job.
    pub oldest: Option<Duration>,
}

/// A worker that has sent a heartbeat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenWorker {
    pub name: String,
    /// Time since the last heartbeat.
    pub seen: Duration,
    /// Opaque JSON from the heartbeat.
    pub description: String,
}

/// The time; depth and oldest id of each queue; name, heartbeat and description of each worker.
type Reply = (u64, Vec<(u64, Bytes)>, Vec<(Bytes, Bytes, Bytes)>);

impl Jobs {
    /// Sends the heartbeat of a worker; `description` is opaque JSON.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; safe to repeat.
    pub async fn announce(&self, worker: &str, description: &str) -> Result<(), JobsError> {
        let mut invocation = self.scripts.announce.prepare_invoke();
        invocation
            .key(keys::WORKERS)
            .key(keys::WORKER_DESCRIPTIONS)
            .arg(worker)
            .arg(description)
            .arg(millis(STRUCK_OFF_AFTER));
        self.call_in::<String>(Scope::Queues, &invocation).await?;
        Ok(())
    }

    /// Removes a worker that stops.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; the worker then expires after a minute.
    pub async fn sign_off(&self, worker: &str) -> Result<(), JobsError> {
        for (command, key) in [("ZREM", keys::WORKERS), ("HDEL", keys::WORKER_DESCRIPTIONS)] {
            let mut command = redis::cmd(command);
            command.arg(key).arg(worker);
            self.query_in::<u64>(Scope::Queues, &command).await?;
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
        let (now, queues, workers): Reply = self.call_in(Scope::Queues, &invocation).await?;
        let mut waiting = Vec::with_capacity(queues.len());
        for (mode, (depth, oldest)) in Mode::ALL.into_iter().zip(queues) {
            let oldest = self.age(&oldest, now).await?;
            waiting.push(Queue {
                mode,
                depth,
                oldest,
            });
        }
        let workers = workers
            .into_iter()
            .map(|(name, seen, description)| SeenWorker {
                name: text(&name),
                seen: Duration::from_millis(now.saturating_sub(ids::millis(&seen))),
                description: text(&description),
            });
        Ok(Overview {
            now: Duration::from_millis(now),
            queues: waiting,
            workers: workers.collect(),
        })
    }

    /// Time since the job was enqueued; `None` when it does not exist or cannot be read.
    async fn age(&self, entry: &[u8], now: u64) -> Result<Option<Duration>, JobsError> {
        let Some(id) = ids::id(entry) else {
            return Ok(None);
        };
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(id)).arg("created");
        let created = match self.query::<Option<u64>>(&command).await {
            Err(error) if error.is_about_data() => None,
            created => created?,
        };
        Ok(created.map(|created| Duration::from_millis(now.saturating_sub(created))))
    }

    /// The number of unclaimed entries before that of a job; `None` when the job has no entry.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn position(&self, id: Uuid, mode: Mode) -> Result<Option<u64>, JobsError> {
        let mut command = redis::cmd("ZRANK");
        command.arg(keys::pending(mode)).arg(id.to_string());
        self.query_in(Scope::Queues, &command).await
    }
}
