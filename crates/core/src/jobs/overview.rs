//! Queues and workers, for those who operate them.

use super::{
    Jobs, JobsError,
    damage::Scope,
    ids::{self, Bytes, text},
    millis,
};
use crate::{keys, mode::Mode};
use std::time::Duration;
use uuid::Uuid;

/// A worker that has not been heard of for so long is struck off.
const STRUCK_OFF_AFTER: Duration = Duration::from_secs(60);

/// What waits and who works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// The time of Redis, since the Unix epoch: what the ages count from.
    pub now: Duration,
    /// One for each mode.
    pub queues: Vec<Queue>,
    /// Workers heard of within the last minute.
    pub workers: Vec<SeenWorker>,
}

/// The searches of one mode that wait.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    /// Which.
    pub mode: Mode,
    /// How many.
    pub depth: u64,
    /// How long ago the oldest of them was accepted.
    pub oldest: Option<Duration>,
}

/// A worker that was heard of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenWorker {
    /// Its name.
    pub name: String,
    /// How long ago.
    pub seen: Duration,
    /// What it says of itself, opaque JSON.
    pub description: String,
}

/// The time, depth and oldest id of each queue, and name, time and description of each worker.
type Reply = (u64, Vec<(u64, Bytes)>, Vec<(Bytes, Bytes, Bytes)>);

impl Jobs {
    /// Says that a worker is there; `description` is opaque JSON.
    ///
    /// # Errors
    /// When Redis gave no answer; safe to repeat.
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

    /// Says that a worker has stopped.
    ///
    /// # Errors
    /// When Redis gave no answer; without it the worker is struck off after a minute.
    pub async fn sign_off(&self, worker: &str) -> Result<(), JobsError> {
        for (command, key) in [("ZREM", keys::WORKERS), ("HDEL", keys::WORKER_DESCRIPTIONS)] {
            let mut command = redis::cmd(command);
            command.arg(key).arg(worker);
            self.query_in::<u64>(Scope::Queues, &command).await?;
        }
        Ok(())
    }

    /// What waits and who works.
    ///
    /// # Errors
    /// When Redis gave no answer.
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

    /// `None` when there is no such job, or none that can be read.
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

    /// How many hints were pushed before that of a waiting job and are still there; `None` when it
    /// has none.
    ///
    /// # Errors
    /// When Redis gave no answer.
    pub async fn position(&self, id: Uuid, mode: Mode) -> Result<Option<u64>, JobsError> {
        let mut command = redis::cmd("ZRANK");
        command.arg(keys::pending(mode)).arg(id.to_string());
        self.query_in(Scope::Queues, &command).await
    }
}
