//! A multiplexed connection per async runtime, shared by all its tasks and replaced when it breaks.
//!
//! actix has one runtime per thread. A connection's I/O runs on the runtime that made it: used from
//! another thread, each command would wake that thread and be woken by it.

use super::node::NodeError;
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

pub(super) struct SharedConnections {
    client: Client,
    config: AsyncConnectionConfig,
    /// The current connection of each runtime.
    by_runtime: RwLock<HashMap<Option<Id>, NumberedConnection>>,
    /// Held during a connection attempt, so that other callers wait for its result.
    connect_lock: Mutex<()>,
    failed_attempts: AtomicU64,
    next_number: AtomicU64,
}

#[derive(Clone)]
struct NumberedConnection {
    number: u64,
    connection: MultiplexedConnection,
}

impl SharedConnections {
    pub(super) fn new(client: Client, config: AsyncConnectionConfig) -> Self {
        Self {
            client,
            config,
            by_runtime: RwLock::default(),
            connect_lock: Mutex::new(()),
            failed_attempts: AtomicU64::new(0),
            next_number: AtomicU64::new(0),
        }
    }

    /// Runs `work` once; discards the connection if the error shows that it is broken.
    pub(super) async fn run<T, F>(
        &self,
        work: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        let current = self
            .get_or_connect()
            .await
            .map_err(NodeError::NotConnected)?;
        let outcome = work(current.connection).await;
        if outcome.as_ref().is_err_and(breaks_connection) {
            self.discard(current.number);
        }
        outcome.map_err(NodeError::CommandFailed)
    }

    async fn get_or_connect(&self) -> RedisResult<NumberedConnection> {
        if let Some(current) = self.current_connection() {
            return Ok(current);
        }
        let failed_before = self.failed_attempts.load(Ordering::Acquire);
        let _turn = self.connect_lock.lock().await;
        if let Some(current) = self.current_connection() {
            return Ok(current);
        }
        // Another caller tried in the meantime: its failure counts for all who waited. Otherwise
        // the last caller would wait for one attempt after the other while Redis is down.
        if self.failed_attempts.load(Ordering::Acquire) != failed_before {
            return Err(not_connected());
        }
        self.connect().await
    }

    async fn connect(&self) -> RedisResult<NumberedConnection> {
        let connection = self.establish().await.inspect_err(|_error| {
            self.failed_attempts.fetch_add(1, Ordering::AcqRel);
        })?;
        let mut current = self
            .by_runtime
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        let fresh = NumberedConnection {
            number: self.next_number.fetch_add(1, Ordering::AcqRel),
            connection,
        };
        current.insert(current_runtime(), fresh.clone());
        Ok(fresh)
    }

    async fn establish(&self) -> RedisResult<MultiplexedConnection> {
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

    fn current_connection(&self) -> Option<NumberedConnection> {
        self.by_runtime
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(&current_runtime())
            .cloned()
    }

    fn discard(&self, number: u64) {
        let mut current = self
            .by_runtime
            .write()
            .unwrap_or_else(PoisonError::into_inner);
        current.retain(|_, kept| kept.number != number);
    }
}

/// The id of the current runtime.
fn current_runtime() -> Option<Id> {
    Handle::try_current().ok().map(|runtime| runtime.id())
}

fn breaks_connection(error: &RedisError) -> bool {
    error.is_unrecoverable_error() || error.is_io_error() || is_read_only(error)
}

/// The answer of a demoted master after a failover: the new master must be found.
pub(super) fn is_read_only(error: &RedisError) -> bool {
    error.kind() == ErrorKind::Server(ServerErrorKind::ReadOnly)
}
