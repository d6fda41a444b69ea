//! Dequeueing with `BRPOP`.
//!
//! A `BRPOP` whose future is dropped keeps running on the server and may pop an entry that no
//! worker receives. So one task owns one connection and awaits each pop to its end; `CLIENT
//! UNBLOCK` from another connection stops it. On an error or timeout the connection is closed with
//! whatever it still carries; the sweeper requeues a job whose entry is lost this way.

use super::{
    Jobs, JobsError,
    damage::Named,
    error::read,
    ids::{self, Bytes},
};
use crate::{
    connection::{Redis, Wake, timed_out},
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
const BLOCK: Duration = Duration::from_secs(2);
/// Extra time for the reply before the connection is closed.
const WATCHDOG: Duration = Duration::from_secs(5);

/// Says that a job may be waiting; only its record says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hint {
    /// The id of the job.
    pub id: Uuid,
    /// The queue of the entry.
    pub mode: Mode,
}

/// Dequeues entries. Owned by one task.
pub struct Taker {
    redis: Redis,
    connection: Option<MultiplexedConnection>,
    wake: Waker,
    named: Arc<Named>,
}

/// Ends the blocking pop of a [`Taker`].
#[derive(Clone)]
pub struct Unblock {
    wake: Waker,
}

/// `None` while there is no connection.
type Waker = Arc<Mutex<Option<Wake>>>;

impl Jobs {
    /// A consumer with a connection of its own.
    #[must_use]
    pub fn taker(&self) -> Taker {
        Taker {
            redis: self.redis.clone(),
            connection: None,
            wake: Waker::default(),
            named: Arc::clone(&self.named),
        }
    }
}

impl Taker {
    /// A handle for another task, which ends the wait of this one.
    #[must_use]
    pub fn unblock(&self) -> Unblock {
        Unblock {
            wake: Arc::clone(&self.wake),
        }
    }

    /// Waits up to two seconds for an entry of the first queue in `modes` that has one, and takes up
    /// to `spare` more of the first queue in the same round trip. Await it to the end: see the
    /// module documentation.
    ///
    /// # Errors
    /// `Unavailable` when the connection breaks or times out. The next call makes a new one.
    pub async fn next(&mut self, modes: &[Mode], spare: usize) -> Result<Vec<Hint>, JobsError> {
        let mut connection = match self.connection.take() {
            Some(connection) if self.is_current() => connection,
            _ => self.connect().await?,
        };
        let commands = pops(modes, spare);
        let reply = tokio::time::timeout(
            BLOCK + WATCHDOG,
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
        Ok(self.hints(modes, read(popped)?))
    }

    fn hints(&self, modes: &[Mode], (awaited, more): Popped) -> Vec<Hint> {
        let awaited = awaited.and_then(|(list, entry)| {
            let mode = modes.iter().find(|mode| keys::queue(**mode) == list)?;
            self.hint(*mode, &entry)
        });
        let first = modes.first().copied().unwrap_or_default();
        let more = more.unwrap_or_default();
        let more = more.iter().filter_map(|entry| self.hint(first, entry));
        awaited.into_iter().chain(more).collect()
    }

    fn hint(&self, mode: Mode, entry: &[u8]) -> Option<Hint> {
        let id = ids::id(entry);
        if id.is_none() {
            let problem = "it has entries that are not ids; these are removed";
            self.named.name(&keys::queue(mode), problem);
        }
        Some(Hint { id: id?, mode })
    }

    async fn connect(&self) -> Result<MultiplexedConnection, JobsError> {
        let dedicated = self.redis.dedicated().await?;
        self.set_wake(Some(dedicated.wake));
        Ok(dedicated.connection)
    }

    /// False when the queues have moved to another server, although this one still answers.
    fn is_current(&self) -> bool {
        let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        wake.as_ref()
            .is_some_and(|wake| self.redis.is_current(wake))
    }

    fn set_wake(&self, wake: Option<Wake>) {
        *self.wake.lock().unwrap_or_else(PoisonError::into_inner) = wake;
    }
}

impl Unblock {
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
        Ok(wake.wake().await?)
    }
}

/// The reply to [`pops`]: a queue and its entry, and the extra entries of the first queue.
type Popped = (Option<(String, Bytes)>, Option<Vec<Bytes>>);

/// The server runs the second command when the first no longer blocks.
fn pops(modes: &[Mode], spare: usize) -> Pipeline {
    let mut pops = Pipeline::with_capacity(2);
    pops.cmd("BRPOP");
    for mode in modes {
        pops.arg(keys::queue(*mode));
    }
    pops.arg(BLOCK.as_secs());
    let first = modes.first().copied().unwrap_or_default();
    pops.cmd("RPOP").arg(keys::queue(first)).arg(spare);
    pops
}
