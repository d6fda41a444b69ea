//! Dequeueing with `BRPOP`.
//!
//! A `BRPOP` whose future is dropped keeps running on the server and may pop an entry that no
//! worker receives. So one task owns one connection and awaits each pop to its end; `CLIENT
//! UNBLOCK` from another connection stops it. On an error or timeout the connection is closed with
//! whatever it still carries; the sweeper requeues a job whose entry is lost this way.

use super::{
    Jobs, JobsError,
    damage::LoggedKeys,
    error::parse_reply,
    ids::{self, RawEntry},
};
use crate::{
    connection::{Redis, UnblockHandle, timed_out},
    keys,
    mode::Mode,
};
use redis::{Pipeline, Value, aio::MultiplexedConnection};
use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use uuid::Uuid;

/// How long one pop blocks.
const BLOCK_TIMEOUT: Duration = Duration::from_secs(2);
/// Extra time for the reply before the connection is closed.
const WATCHDOG_MARGIN: Duration = Duration::from_secs(5);

/// Says that a job may be waiting; only its record says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QueueEntry {
    /// The id of the job.
    pub id: Uuid,
    /// The queue of the entry.
    pub mode: Mode,
}

/// Dequeues entries. Owned by one task.
pub struct Consumer {
    redis: Redis,
    connection: Option<MultiplexedConnection>,
    wake: SharedWake,
    logged_keys: Arc<LoggedKeys>,
}

/// Ends the blocking pop of a [`Consumer`].
#[derive(Clone)]
pub struct Unblocker {
    wake: SharedWake,
}

/// `None` while there is no connection.
type SharedWake = Arc<Mutex<Option<UnblockHandle>>>;

impl Jobs {
    /// A consumer with a connection of its own.
    #[must_use]
    pub fn consumer(&self) -> Consumer {
        Consumer {
            redis: self.redis.clone(),
            connection: None,
            wake: SharedWake::default(),
            logged_keys: Arc::clone(&self.logged_keys),
        }
    }
}

impl Consumer {
    /// A handle for another task, which ends the wait of this one.
    #[must_use]
    pub fn unblocker(&self) -> Unblocker {
        Unblocker {
            wake: Arc::clone(&self.wake),
        }
    }

    /// Waits up to two seconds for an entry of the first queue in `modes` that has one, and takes up
    /// to `spare` more of the first queue in the same round trip. Await it to the end: see the
    /// module documentation.
    ///
    /// # Errors
    /// `Unavailable` when the connection breaks or times out. The next call makes a new one.
    pub async fn dequeue(
        &mut self,
        modes: &[Mode],
        spare: usize,
    ) -> Result<Vec<QueueEntry>, JobsError> {
        let mut connection = match self.connection.take() {
            Some(connection) if self.is_current() => connection,
            _ => self.connect().await?,
        };
        let commands = pop_commands(modes, spare);
        let reply = tokio::time::timeout(
            BLOCK_TIMEOUT + WATCHDOG_MARGIN,
            commands.query_async::<Value>(&mut connection),
        )
        .await;
        // Keep only a connection with nothing in flight.
        let popped = match reply {
            Ok(Ok(popped)) => {
                self.connection = Some(connection);
                popped
            }
            Ok(Err(error)) => {
                self.set_wake(None);
                return Err(error.into());
            }
            Err(_elapsed) => {
                self.set_wake(None);
                return Err(timed_out().into());
            }
        };
        Ok(self.parse_entries(modes, parse_reply(popped)?))
    }

    fn parse_entries(&self, modes: &[Mode], (awaited, more): PopReply) -> Vec<QueueEntry> {
        let awaited = awaited.and_then(|(list, entry)| {
            let mode = modes.iter().find(|mode| keys::queue(**mode) == list)?;
            self.parse_entry(*mode, &entry)
        });
        let first = modes.first().copied().unwrap_or_default();
        let more = more.unwrap_or_default();
        let more = more
            .iter()
            .filter_map(|entry| self.parse_entry(first, entry));
        awaited.into_iter().chain(more).collect()
    }

    fn parse_entry(&self, mode: Mode, entry: &[u8]) -> Option<QueueEntry> {
        let id = ids::parse_id(entry);
        if id.is_none() {
            let problem = "it has entries that are not ids; these are removed";
            self.logged_keys.log_once(&keys::queue(mode), problem);
        }
        Some(QueueEntry { id: id?, mode })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, JobsError> {
        let dedicated = self.redis.dedicated().await?;
        self.set_wake(Some(dedicated.unblock_handle));
        Ok(dedicated.connection)
    }

    /// False when the queues have moved to another server, although this one still answers.
    fn is_current(&self) -> bool {
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        wake.as_ref()
            .is_some_and(|wake| self.redis.is_current(wake))
    }

    fn set_wake(&self, wake: Option<UnblockHandle>) {
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = wake;
    }
}

impl Unblocker {
    /// Ends the wait, if there is one: the pop returns no entry.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer; the wait ends by itself after two seconds.
    pub async fn unblock(&self) -> Result<(), JobsError> {
        let wake = self
            .wake
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let Some(wake) = wake else {
            return Ok(());
        };
        Ok(wake.unblock().await?)
    }
}

/// The reply to [`pop_commands`]: a queue and its entry, and the extra entries of the first queue.
type PopReply = (Option<(String, RawEntry)>, Option<Vec<RawEntry>>);

/// The server runs the second command when the first no longer blocks.
fn pop_commands(modes: &[Mode], spare: usize) -> Pipeline {
    let mut pops = Pipeline::with_capacity(2);
    pops.cmd("BRPOP");
    for mode in modes {
        pops.arg(keys::queue(*mode));
    }
    pops.arg(BLOCK_TIMEOUT.as_secs());
    let first = modes.first().copied().unwrap_or_default();
    pops.cmd("RPOP").arg(keys::queue(first)).arg(spare);
    pops
}
