//! Connections to Redis, each kind for what it is good at.
//!
//! * **shared**: one multiplexed connection per server (and thread of the API) for small commands and
//!   scripts, used by everything at once; it is replaced when it breaks.
//! * **in bulk**: a few connections (deadpool-redis) for bulk reads, so that a large reply never
//!   stands in front of a small one.
//! * **dedicated**: one connection for one task that blocks on it (`BRPOP`) or listens on it.
//!
//! Behind them may be one server, the master that sentinels name, or a Cluster: `Directory` knows
//! which server a command goes to, and nobody else has to.

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

/// Bound of one connection attempt.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(2);
/// Bound of one reply. The client's own default of 0.5 s is shorter than a slow disk or network.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(4);
/// A key of the queues. What concerns no key goes to the server that has them.
const HOME: &str = keys::LIVE;

/// The Redis behind one address: a server, a master with its sentinels, or a Cluster. Clones share
/// their connections.
#[derive(Clone)]
pub struct Redis {
    directory: Arc<Directory>,
}

/// One of the servers that hold keys, for comparing: the same server is the same for as long as it
/// is in use.
#[derive(Clone)]
pub struct Server(Arc<node::Node>);

impl PartialEq for Server {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Redis {
    /// Takes an address; connects when first used.
    ///
    /// # Errors
    /// When the address is malformed. The message does not repeat it: it may hold a password.
    pub fn open(address: &str) -> Result<Self, InvalidAddress> {
        Self::open_trusting(address, None)
    }

    /// The same; servers with TLS may show a certificate of these authorities, too.
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

    /// Runs `work` on the shared connections. A connection that turns out to be dead is replaced and
    /// the command sent once more: every command that is sent here may safely run twice. In a
    /// Cluster the commands of a pipeline are sent one after the other.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn run<T, F>(&self, work: impl Fn(Link) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.link(Via::Shared)).await
    }

    /// The same for work that may not run twice, or that has a better answer to a lost reply.
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses. What `work` asked for may have been done.
    pub async fn run_once<T, F>(&self, work: impl Fn(Link) -> F) -> RedisResult<T>
    where
        F: Future<Output = RedisResult<T>>,
    {
        work(self.link(Via::Shared).once()).await
    }

    /// Runs one command on the shared connection; see [`Self::run`].
    ///
    /// # Errors
    /// When Redis cannot be reached or refuses.
    pub async fn query<T: FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        command.query_async(&mut self.link(Via::Shared)).await
    }

    /// A connection for bulk reads: a large reply to it stands in front of no small one.
    #[must_use]
    pub fn in_bulk(&self) -> Link {
        self.link(Via::Pool)
    }

    /// A connection to each server that holds keys, for what concerns a server and not a key.
    /// They are not connected yet: one that cannot be reached says so when it is used.
    ///
    /// # Errors
    /// When nobody can be asked which servers there are.
    pub async fn masters(&self) -> RedisResult<Vec<Link>> {
        let servers = self.servers().await?;
        Ok(servers.iter().map(|server| self.link_to(server)).collect())
    }

    /// The servers that hold keys.
    ///
    /// # Errors
    /// When nobody can be asked which servers there are.
    pub async fn servers(&self) -> RedisResult<Vec<Server>> {
        let masters = self.directory.masters().await?;
        Ok(masters.into_iter().map(Server).collect())
    }

    /// A connection to this server, whatever the key.
    #[must_use]
    pub fn link_to(&self, server: &Server) -> Link {
        Link::to(Arc::clone(&self.directory), Arc::clone(&server.0))
    }

    /// The server that has this key, as far as is known without asking.
    #[must_use]
    pub fn server_of(&self, key: &str) -> Option<Server> {
        self.directory
            .believed(slots::of_key(key.as_bytes()))
            .map(Server)
    }

    /// A connection for one task that waits for the queues on it. Where they are is asked anew.
    ///
    /// # Errors
    /// When Redis cannot be reached in time.
    pub async fn dedicated(&self) -> RedisResult<Dedicated> {
        self.directory.doubt();
        Dedicated::connect(self.directory.resolve(&home()).await?).await
    }

    /// Whether the queues are still where this connection is, as far as is known.
    #[must_use]
    pub fn is_current(&self, dedicated: &Wake) -> bool {
        let home = slots::of_key(HOME.as_bytes());
        let now = self.directory.believed(home);
        now.is_none_or(|node| dedicated.is_to(&node))
    }

    /// A subscription of a channel, and the server that it is with: in a Cluster any, for messages
    /// go to all.
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

    /// Whether a server still holds keys, as far as is known without asking.
    #[must_use]
    pub fn is_in_use(&self, server: &Server) -> bool {
        self.directory.is_owner(&server.0)
    }

    /// Whether Redis answers for its keys: a Cluster that is down still answers a PING.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> RedisResult<()> {
        self.query::<u64>(redis::cmd("EXISTS").arg(HOME)).await?;
        Ok(())
    }

    /// Whether commands are routed by their keys.
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

/// Within the time that connecting may take.
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
