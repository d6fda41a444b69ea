//! Connections to Redis: one server, a master with its sentinels, or a Cluster. [`Redis`] opens
//! them, [`RoutedConnection`] sends each command to the server of its key, which `Directory` knows.
//!
//! * **shared**: one multiplexed connection per server and async runtime, for small commands and
//!   scripts; it is replaced when it breaks.
//! * **pooled**: a few connections (deadpool-redis) for bulk reads, so that a large reply does not
//!   delay a small one.
//! * **dedicated**: one connection for one task that blocks on it (`BRPOP`) or subscribes with it.

mod dedicated;
mod node;
mod redis_url;
mod route;
mod routed_connection;
mod sentinel;
mod shared;
mod slots;
mod topology;

pub use dedicated::{DedicatedConnection, UnblockHandle};
pub use redis_url::InvalidRedisUrl;
pub use routed_connection::RoutedConnection;

use crate::{keys, tls::CaFile};
use node::Lane;
use redis::{FromRedisValue, RedisError, RedisResult, aio::PubSub};
use redis_url::Address;
use route::RouteTarget;
use std::{sync::Arc, time::Duration};
use topology::Topology;

/// Bounds one connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bounds one reply. The client's default of 0.5 s is too short for a slow disk or network.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// A key of the queues' slot. Commands without a key go to the server of this slot.
const QUEUE_KEY: &str = keys::LIVE;

/// The Redis of one REDIS_URL: a server, a master with its sentinels, or a Cluster. Clones share
/// their connections.
#[derive(Clone)]
pub struct Redis {
    topology: Arc<Topology>,
}

/// One of the servers that hold keys. Two values are equal if they are the same server and it has
/// been in use all the time.
#[derive(Clone)]
pub struct RedisServer(Arc<node::Node>);

impl PartialEq for RedisServer {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Redis {
    /// Parses `address`; connects on first use.
    ///
    /// # Errors
    /// [`InvalidRedisUrl`] if it is malformed. The message does not repeat it: it may hold a
    /// password.
    pub fn open(address: &str) -> Result<Self, InvalidRedisUrl> {
        Self::open_with_ca(address, None)
    }

    /// Like [`Self::open`], and trusts these authorities in addition to the public ones.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_with_ca(address: &str, ca: Option<&CaFile>) -> Result<Self, InvalidRedisUrl> {
        let address = Address::parse(address, ca)?;
        let directory = Topology::new(address).map_err(|_malformed| InvalidRedisUrl)?;
        Ok(Self {
            topology: Arc::new(directory),
        })
    }

    /// Runs `work` on the shared connections. After a broken connection the command is sent once
    /// more: send only commands that may run twice. In a Cluster the commands of a pipeline are
    /// sent one after the other.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses a command.
    pub async fn run<T, F>(&self, work: impl Fn(RoutedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.connection(Lane::Shared)).await
    }

    /// Like [`Self::run`], but sends nothing twice: for work that must not be repeated, or that
    /// handles a lost reply itself.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses a command. Redis may have carried it out all the
    /// same.
    pub async fn run_once<T, F>(&self, work: impl Fn(RoutedConnection) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.connection(Lane::Shared).without_retry()).await
    }

    /// Runs one command on the shared connection; see [`Self::run`].
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses the command.
    pub async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        command
            .query_async(&mut self.connection(Lane::Shared))
            .await
    }

    /// A pooled connection for bulk reads, whose large replies delay no other command.
    #[must_use]
    pub fn pooled(&self) -> RoutedConnection {
        self.connection(Lane::Pool)
    }

    /// A connection to each server that holds keys, for commands to a server instead of a key. They
    /// connect on first use, which fails if the server cannot be reached.
    ///
    /// # Errors
    /// When no sentinel or Cluster node answers which servers hold keys.
    pub async fn master_connections(&self) -> RedisResult<Vec<RoutedConnection>> {
        let servers = self.servers().await?;
        Ok(servers
            .iter()
            .map(|server| self.connection_to(server))
            .collect())
    }

    /// The servers that hold keys.
    ///
    /// # Errors
    /// When no sentinel or Cluster node answers which servers hold keys.
    pub async fn servers(&self) -> RedisResult<Vec<RedisServer>> {
        let masters = self.topology.masters().await?;
        Ok(masters.into_iter().map(RedisServer).collect())
    }

    /// A connection that sends every command to this server.
    #[must_use]
    pub fn connection_to(&self, server: &RedisServer) -> RoutedConnection {
        RoutedConnection::pinned_to(Arc::clone(&self.topology), Arc::clone(&server.0))
    }

    /// The server of this key in the cached slot map; `None` if nothing is cached.
    #[must_use]
    pub fn server_of(&self, key: &str) -> Option<RedisServer> {
        self.topology
            .cached_owner(slots::of_key(key.as_bytes()))
            .map(RedisServer)
    }

    /// A dedicated connection to the server of the queues, after a refresh of the slot map.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn dedicated(&self) -> RedisResult<DedicatedConnection> {
        self.topology.invalidate();
        DedicatedConnection::connect(self.topology.resolve(&queue_target()).await?).await
    }

    /// Whether, by the cached slot map, the queues are still on the server of this connection.
    #[must_use]
    pub fn is_current(&self, dedicated: &UnblockHandle) -> bool {
        let home = slots::of_key(QUEUE_KEY.as_bytes());
        let now = self.topology.cached_owner(home);
        now.is_none_or(|node| dedicated.is_for(&node))
    }

    /// Subscribes to a channel; returns the server of the subscription, too. In a Cluster that is a
    /// random master, because every message reaches all nodes.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn subscribe(&self, channel: &str) -> RedisResult<(PubSub, RedisServer)> {
        self.topology.invalidate();
        let mut masters = self.topology.masters().await?;
        let first = rand::random_range(0..masters.len().max(1));
        masters.rotate_left(first);
        let mut failed = not_connected();
        for master in masters {
            match with_connect_timeout(master.subscribe(channel)).await {
                Ok(listener) => return Ok((listener, RedisServer(master))),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Whether a server still holds keys, by the cached slot map.
    #[must_use]
    pub fn is_in_use(&self, server: &RedisServer) -> bool {
        self.topology.is_owner(&server.0)
    }

    /// Checks that Redis serves keys. A plain PING would succeed in a Cluster that is down.
    ///
    /// # Errors
    /// When Redis does not answer or serves no keys.
    pub async fn ping(&self) -> RedisResult<()> {
        self.query::<u64>(redis::cmd("EXISTS").arg(QUEUE_KEY))
            .await?;
        Ok(())
    }

    /// Whether this is a Cluster, where commands are routed by their keys.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.topology.is_cluster()
    }

    fn connection(&self, via: Lane) -> RoutedConnection {
        RoutedConnection::new(Arc::clone(&self.topology), via)
    }
}

fn queue_target() -> RouteTarget {
    RouteTarget::Slot(slots::of_key(QUEUE_KEY.as_bytes()))
}

/// Bounds `work` by [`CONNECT_TIMEOUT`].
async fn with_connect_timeout<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, work)
        .await
        .map_err(|_elapsed| timed_out())?
}

pub(crate) fn timed_out() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::TimedOut))
}

pub(crate) fn not_connected() -> RedisError {
    RedisError::from(std::io::Error::from(std::io::ErrorKind::NotConnected))
}
