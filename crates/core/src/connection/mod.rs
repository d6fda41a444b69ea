//! Connections to Redis: one server, a master with its sentinels, or a Cluster. [`Redis`] opens
//! them, [`Link`] sends each command to the server of its key, which `Directory` knows.
//!
//! * **shared**: one multiplexed connection per server and async runtime, for small commands and
//!   scripts; it is replaced when it breaks.
//! * **pooled**: a few connections (deadpool-redis) for bulk reads, so that a large reply does not
//!   delay a small one.
//! * **dedicated**: one connection for one task that blocks on it (`BRPOP`) or subscribes with it.

mod address;
mod dedicated;
mod directory;
mod link;
mod node;
mod route;
mod sentinel;
mod shared;
mod slots;

pub use address::InvalidAddress;
pub use dedicated::{Dedicated, Wake};
pub use link::Link;

use crate::{keys, tls::CaFile};
use address::Address;
use directory::Directory;
use node::Via;
use redis::{FromRedisValue, RedisError, RedisResult, aio::PubSub};
use route::Target;
use std::{sync::Arc, time::Duration};

/// Bounds one connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bounds one reply. The client's default of 0.5 s is too short for a slow disk or network.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// A key of the queues' slot. Commands without a key go to the server of this slot.
const HOME: &str = keys::LIVE;

/// The Redis of one REDIS_URL: a server, a master with its sentinels, or a Cluster. Clones share
/// their connections.
#[derive(Clone)]
pub struct Redis {
    directory: Arc<Directory>,
}

/// One of the servers that hold keys. Two values are equal if they are the same server and it has
/// been in use all the time.
#[derive(Clone)]
pub struct Server(Arc<node::Node>);

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Redis {
    /// Parses `address`; connects on first use.
    ///
    /// # Errors
    /// [`InvalidAddress`] if it is malformed. The message does not repeat it: it may hold a
    /// password.
    pub fn open(address: &str) -> Result<Self, InvalidAddress> {
        Self::open_trusting(address, None)
    }

    /// Like [`Self::open`], and trusts these authorities in addition to the public ones.
    ///
    /// # Errors
    /// As [`Self::open`].
    pub fn open_trusting(address: &str, ca: Option<&CaFile>) -> Result<Self, InvalidAddress> {
        let address = Address::parse(address, ca)?;
        let directory = Directory::new(address).map_err(|_malformed| InvalidAddress)?;
        Ok(Self {
            directory: Arc::new(directory),
        })
    }

    /// Runs `work` on the shared connections. After a broken connection the command is sent once
    /// more: send only commands that may run twice. In a Cluster the commands of a pipeline are
    /// sent one after the other.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses a command.
    pub async fn run<T, F>(&self, work: impl Fn(Link) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.link(Via::Shared)).await
    }

    /// Like [`Self::run`], but sends nothing twice: for work that must not be repeated, or that
    /// handles a lost reply itself.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses a command. Redis may have carried it out all the
    /// same.
    pub async fn run_once<T, F>(&self, work: impl Fn(Link) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.link(Via::Shared).once()).await
    }

    /// Runs one command on the shared connection; see [`Self::run`].
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses the command.
    pub async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        command.query_async(&mut self.link(Via::Shared)).await
    }

    /// A pooled connection for bulk reads, whose large replies delay no other command.
    #[must_use]
    pub fn in_bulk(&self) -> Link {
        self.link(Via::Pool)
    }

    /// A connection to each server that holds keys, for commands to a server instead of a key. They
    /// connect on first use, which fails if the server cannot be reached.
    ///
    /// # Errors
    /// When no sentinel or Cluster node answers which servers hold keys.
    pub async fn masters(&self) -> RedisResult<Vec<Link>> {
        let servers = self.servers().await?;
        Ok(servers.iter().map(|server| self.link_to(server)).collect())
    }

    /// The servers that hold keys.
    ///
    /// # Errors
    /// When no sentinel or Cluster node answers which servers hold keys.
    pub async fn servers(&self) -> RedisResult<Vec<Server>> {
        let masters = self.directory.masters().await?;
        Ok(masters.into_iter().map(Server).collect())
    }

    /// A connection that sends every command to this server.
    #[must_use]
    pub fn link_to(&self, server: &Server) -> Link {
        Link::to(Arc::clone(&self.directory), Arc::clone(&server.0))
    }

    /// The server of this key in the cached slot map; `None` if nothing is cached.
    #[must_use]
    pub fn server_of(&self, key: &str) -> Option<Server> {
        self.directory
            .believed(slots::of_key(key.as_bytes()))
            .map(Server)
    }

    /// A dedicated connection to the server of the queues, after a refresh of the slot map.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn dedicated(&self) -> RedisResult<Dedicated> {
        self.directory.doubt();
        Dedicated::connect(self.directory.resolve(&home()).await?).await
    }

    /// Whether, by the cached slot map, the queues are still on the server of this connection.
    #[must_use]
    pub fn is_current(&self, dedicated: &Wake) -> bool {
        let home = slots::of_key(HOME.as_bytes());
        let now = self.directory.believed(home);
        now.is_none_or(|node| dedicated.is_to(&node))
    }

    /// Subscribes to a channel; returns the server of the subscription, too. In a Cluster that is a
    /// random master, because every message reaches all nodes.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn listener(&self, channel: &str) -> RedisResult<(PubSub, Server)> {
        self.directory.doubt();
        let mut masters = self.directory.masters().await?;
        let first = rand::random_range(0..masters.len().max(1));
        masters.rotate_left(first);
        let mut failed = not_connected();
        for master in masters {
            match in_time(master.listener(channel)).await {
                Ok(listener) => return Ok((listener, Server(master))),
                Err(error) => failed = error,
            }
        }
        Err(failed)
    }

    /// Whether a server still holds keys, by the cached slot map.
    #[must_use]
    pub fn is_in_use(&self, server: &Server) -> bool {
        self.directory.is_owner(&server.0)
    }

    /// Checks that Redis serves keys. A plain PING would succeed in a Cluster that is down.
    ///
    /// # Errors
    /// When Redis does not answer or serves no keys.
    pub async fn ping(&self) -> RedisResult<()> {
        self.query::<u64>(redis::cmd("EXISTS").arg(HOME)).await?;
        Ok(())
    }

    /// Whether this is a Cluster, where commands are routed by their keys.
    #[must_use]
    pub fn is_cluster(&self) -> bool {
        self.directory.is_cluster()
    }

    fn link(&self, via: Via) -> Link {
        Link::anywhere(Arc::clone(&self.directory), via)
    }
}

fn home() -> Target {
    Target::Slot(slots::of_key(HOME.as_bytes()))
}

/// Bounds `work` by [`CONNECT_TIMEOUT`].
async fn in_time<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
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
