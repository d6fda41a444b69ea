//! [`Node`]: one Redis server and the connections to it.

use super::{CONNECT_TIMEOUT, RESPONSE_TIMEOUT, shared::SharedConnections, timed_out};
use deadpool_redis::{Manager, Pool, PoolError};
use redis::{
    AsyncConnectionConfig, Client, ConnectionAddr, ConnectionInfo, RedisError, RedisResult,
    aio::{MultiplexedConnection, PubSub},
};

/// Connections for bulk reads, per server.
const POOL_SIZE: usize = 4;

pub(super) struct Node {
    client: Client,
    shared: SharedConnections,
    pool: Pool,
}

/// Which connections of a node a command uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    Shared,
    Pool,
}

/// Why work on a node failed.
pub(super) enum NodeError {
    /// No connection: nothing was sent.
    NotConnected(RedisError),
    /// A command may have been sent.
    CommandFailed(RedisError),
}

impl Node {
    /// Connects on first use.
    pub(super) fn new(info: ConnectionInfo) -> RedisResult<Self> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(Some(RESPONSE_TIMEOUT));
        let client = Client::open(info.clone())?;
        let manager = Manager::new_with_config(info, config.clone())?;
        let pool = Pool::builder(manager)
            .max_size(POOL_SIZE)
            .wait_timeout(Some(RESPONSE_TIMEOUT))
            .create_timeout(Some(CONNECT_TIMEOUT))
            .recycle_timeout(Some(CONNECT_TIMEOUT))
            .runtime(deadpool_redis::Runtime::Tokio1)
            .build()
            .map_err(|_no_runtime| timed_out())?;
        Ok(Self {
            shared: SharedConnections::new(client.clone(), config),
            client,
            pool,
        })
    }

    /// The host name; empty for a Unix socket.
    pub(super) fn host(&self) -> &str {
        match self.client.get_connection_info().addr() {
            ConnectionAddr::Tcp(host, _) | ConnectionAddr::TcpTls { host, .. } => host,
            _ => "",
        }
    }

    /// Runs `work` once.
    pub(super) async fn run<T, F>(
        &self,
        via: Lane,
        work: impl Fn(MultiplexedConnection) -> F,
    ) -> Result<T, NodeError>
    where
        F: Future<Output = RedisResult<T>>,
    {
        match via {
            Lane::Shared => self.shared.run(work).await,
            Lane::Pool => {
                let pooled = self.pooled().await.map_err(NodeError::NotConnected)?;
                work(MultiplexedConnection::clone(&pooled))
                    .await
                    .map_err(NodeError::CommandFailed)
            }
        }
    }

    /// Runs `work` once on the shared connection.
    pub(super) async fn run_shared<T, F>(
        &self,
        work: impl Fn(MultiplexedConnection) -> F,
    ) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        self.shared.run(work).await.map_err(NodeError::into_error)
    }

    async fn pooled(&self) -> RedisResult<deadpool_redis::Connection> {
        self.pool.get().await.map_err(|error| match error {
            PoolError::Backend(error) => error,
            PoolError::Timeout(_)
            | PoolError::Closed
            | PoolError::NoRuntimeSpecified
            | PoolError::PostCreateHook(_) => timed_out(),
        })
    }

    /// A new connection without a response timeout.
    pub(super) async fn connect_dedicated(&self) -> RedisResult<MultiplexedConnection> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_TIMEOUT))
            .set_response_timeout(None);
        self.client
            .get_multiplexed_async_connection_with_config(&config)
            .await
    }

    pub(super) async fn subscribe(&self, channel: &str) -> RedisResult<PubSub> {
        let mut listener = self.client.get_async_pubsub().await?;
        listener.subscribe(channel).await?;
        Ok(listener)
    }
}

impl NodeError {
    pub(super) fn may_have_been_sent(&self) -> bool {
        matches!(self, Self::CommandFailed(_))
    }

    pub(super) fn into_error(self) -> RedisError {
        match self {
            Self::NotConnected(error) | Self::CommandFailed(error) => error,
        }
    }
}
