//! Connections to Redis, each kind for what it is good at.
//!
//! * **shared**: one multiplexed connection for small commands and scripts, used by everything at
//!   once; it is replaced when it breaks.
//! * **pooled**: a few connections (deadpool-redis) for bulk reads, so that a large reply never
//!   stands in front of a small one.
//! * **dedicated**: one connection for one task that blocks on it (`BRPOP`) or listens on it.

mod shared;

use deadpool_redis::{Manager, Pool, PoolError};
use redis::{
    AsyncConnectionConfig, Client, ConnectionInfo, FromRedisValue, IntoConnectionInfo, RedisError,
    RedisResult,
    aio::{MultiplexedConnection, PubSub},
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
};
use shared::Shared;
use std::{sync::Arc, time::Duration};

/// Bound of one connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bound of one reply. The client's own default of 0.5 s is shorter than a slow disk or network.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// Connections for bulk reads.
const POOL_SIZE: usize = 4;

/// A connection that many may use at once.
pub type Link = MultiplexedConnection;

/// The Redis behind one address. Clones share their connections.
#[derive(Clone)]
pub struct Redis {
    client: Client,
    shared: Arc<Shared>,
    pool: Pool,
}

/// An address that names no Redis.
#[derive(Debug, thiserror::Error)]
#[error(
    "is not an address of a Redis server (redis://host:6379/0, rediss://…, redis+unix:///path)"
)]
pub struct InvalidAddress;

impl Redis {
    /// Takes an address; connects when first used.
    ///
    /// # Errors
    /// When the address is malformed. The message does not repeat it: it may hold a password.
    pub fn open(address: &str) -> Result<Self, InvalidAddress> {
        let info = connection_info(address).map_err(|_malformed| InvalidAddress)?;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = Client::open(info.clone()).map_err(|_malformed| InvalidAddress)?;
        let manager =
            Manager::new_with_config(info, config.clone()).map_err(|_malformed| InvalidAddress)?;
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .wait_timeout(Some(RESPONSE_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(deadpool_redis::Runtime::Tokio1)
            .build()
            .map_err(|_no_runtime| InvalidAddress)?;
        Ok(Self {
            shared: Arc::new(Shared::new(client.clone(), config)),
            client,
            pool,
        })
    }

    /// Runs `work` on the shared connection. A connection that turns out to be dead is replaced and
    /// the work done once more: every command that is sent here may safely run twice.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn run<T, F>(&self, work: impl Fn(MultiplexedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.shared.run(work).await
    }

    /// The same for work that may not run twice, or that has a better answer to a lost reply.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses. What `work` asked for may have been done.
    pub async fn run_once<T, F>(&self, work: impl Fn(MultiplexedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.shared.run_once(work).await
    }

    /// Runs one command on the shared connection; see [`Self::run`].
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        self.run(|mut connection| async move { command.query_async(&mut connection).await })
            .await
    }

    /// A connection to each server that holds a part of the keys.
    ///
    /// # Errors
    /// When one cannot be reached in time.
    pub async fn masters(&self) -> RedisResult<Vec<Link>> {
        let only = self.run_once(|link| std::future::ready(Ok(link))).await?;
        Ok(vec![only])
    }

    /// A connection for a bulk read.
    ///
    /// # Errors
    /// When none comes free or Redis cannot be reached in time.
    pub async fn pooled(&self) -> RedisResult<deadpool_redis::Connection> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => {
                RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
            }
        })
    }

    /// A connection for one task that blocks on it: replies may take for ever. Never give it back
    /// to anybody else; after any error drop it.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn dedicated(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    /// A connection for listening on channels.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn listener(&self) -> RedisResult<PubSub> {
        tokio::time::timeout(CONNECT_TIMEOUT, self.client.get_async_pubsub())
            .await
            .map_err(|_elapsed| {
                RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
            })?
    }

    /// Whether Redis answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> RedisResult<()> {
        self.query(&redis::cmd("PING")).await
    }
}

fn connection_info(address: &str) -> RedisResult<ConnectionInfo> {
    // The client sets none of these itself, and without them a pulled cable goes unnoticed for
    // as long as the kernel keeps retransmitting.
    let keepalive = TcpKeepalive::new()
        .with_time(Duration::from_secs(10))
        .with_interval(Duration::from_secs(3));
    let settings = TcpSettings::default()
        .set_nodelay(true)
        .set_keepalive(keepalive)
        .set_user_timeout(Duration::from_secs(10));
    Ok(address.into_connection_info()?.set_tcp_settings(settings))
}
