//! A multiplexed connection per async runtime, shared by all its tasks and replaced when it breaks.
//!
//! actix has one runtime per thread. A connection's I/O runs on the runtime that made it: used from
//! another thread, each command would wake that thread and be woken by it.

use super::node::Failed;
use super::not_connected;
use redis::{
    AsyncConnectionConfig, Client, ErrorKind, RedisError, RedisResult, ServerErrorKind, Value,
    aio::MultiplexedConnection,
};
use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock,
        atomic::{AtomicU64, Ordering},
    },
};
use tokio::{
    runtime::{Handle, Id},
    sync::Mutex,
};

pub(super) struct Shared {
    client: Client,
    config: AsyncConnectionConfig,
    /// The current connection of each runtime.
    current: RwLock<HashMap<Option<Id>, Numbered>>,
    /// Held during a connection attempt, so that other callers wait for its result.
    connecting: Mutex<()>,
    failed_attempts: AtomicU64,
    connections: AtomicU64,
}

#[derive(Clone)]
struct Numbered {
    number: u64,
    connection: MultiplexedConnection,
}

impl Shared {
    pub(super) fn new(client: Client, config: AsyncConnectionConfig) -> Self {
        Self {
            client,
            config,
            current: RwLock::default(),
            connecting: Mutex::new(()),
            failed_attempts: AtomicU64::new(0),
            connections: AtomicU64::new(0),
        }
    }

    /// Runs `work` once; discards the connection if the error shows that it is broken.
    pub(super) async fn run<T, F>(
        &self,
        work: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, Failed>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let current = self.get().await.map_err(Failed::Connecting)?;
        let outcome = work(current.connection).await;
        if outcome.as_ref().is_err_and(breaks_connection) {
            self.discard(current.number);
        }
        outcome.map_err(Failed::Working)
    }

    async fn get(&self) -> RedisResult<Numbered> {
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        let failed_before = self.failed_attempts.load(Ordering::Acquire);
        let _turn = self.connecting.lock().await;
        if let Some(current) = self.peek() {
            return Ok(current);
        }
        // Another caller tried in the meantime: its failure counts for all who waited. Otherwise
        // the last caller would wait for one attempt after the other while Redis is down.
        if self.failed_attempts.load(Ordering::Acquire) != failed_before {
            return Err(not_connected());
        }
        self.connect().await
    }

    async fn connect(&self) -> RedisResult<Numbered> {
        let connection = self.make().await.inspect_err(|_error| {
            self.failed_attempts.fetch_add(1, Ordering::AcqRel);
        })?;
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        let fresh = Numbered {
            number: self.connections.fetch_add(1, Ordering::AcqRel),
            connection,
        };
        current.insert(here(), fresh.clone());
        Ok(fresh)
    }

    async fn make(&self) -> RedisResult<MultiplexedConnection> {
        let mut connection = self
            .client
            .get_multiplexed_async_connection_with_config(&self.config)
            .await?;
        // A server other than Redis is refused here: its answers would be taken for data. An error
        // reply is left for the next command to report.
        let answer = redis::cmd("PING")
            .query_async::<Value>(&mut connection)
            .await;
        match answer {
            Ok(answer) if answer != Value::SimpleString("PONG".to_owned()) => {
                Err(std::io::Error::from(std::io::ErrorKind::InvalidData).into())
            }
            _ => Ok(connection),
        }
    }

    fn peek(&self) -> Option<Numbered> {
        self.current
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&here())
            .cloned()
    }

    fn discard(&self, number: u64) {
        let mut current = self.current.write().unwrap_or_else(PoisonError::into_inner);
        current.retain(|_, kept| kept.number != number);
    }
}

/// The id of the current runtime.
fn here() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

fn breaks_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_io_error() || is_read_only(error)
}

/// The answer of a demoted master after a failover: the new master must be found.
pub(super) fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}
