//! The topology: the servers that hold keys and the slots that each owns.
//!
//! [`Directory`] fetches the slot map from the sentinels or the nodes of a Cluster, caches it, and
//! fetches it again after an error that invalidates it. A single server owns all slots: nothing is
//! fetched.

use super::{
    address::{Address, to_server},
    in_time,
    node::Node,
    not_connected,
    sentinel::{self, Sentinel},
    slots::{self, Server},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{ConnectionInfo, ErrorKind, RedisError, RedisResult, Value};
use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

/// The shortest time between two refreshes, however often the slot map is invalidated.
const ASK_PAUSE: Duration = Duration::from_millis(100);
/// After this time the sentinels' answer is refreshed in the background.
const TRUST: Duration = Duration::from_secs(1);
/// The slot map: ranges of slots and the servers that own them.
pub(super) type Owners = Vec<(RangeInclusive<u16>, Arc<Node>)>;

pub(super) struct Directory {
    source: Source,
    /// The connection settings for servers that sentinels or nodes name.
    like: ConnectionInfo,
    known: Mutex<Known>,
    /// Held during a refresh.
    asking: AsyncMutex<()>,
}

#[derive(Default)]
struct Known {
    owners: Option<Arc<Owners>>,
    doubtful: bool,
    /// The time of the last refresh.
    asked: Option<Instant>,
    /// Whether a background refresh runs.
    confirming: bool,
    nodes: HashMap<Server, Arc<Node>>,
}

enum Source {
    One,
    Sentinels(Vec<Sentinel>, String),
    Cluster(Vec<Arc<Node>>),
}

impl Directory {
    pub(super) fn new(address: Address) -> RedisResult<Self> {
        let mut known = Known::default();
        let (source, like) = match address {
            Address::One(info) => {
                let node = Arc::new(Node::new(info.clone())?);
                known.owners = Some(Arc::new(vec![(0..=u16::MAX, node)]));
                (Source::One, info)
            }
            Address::Sentinels {
                sentinels,
                master,
                server,
            } => {
                let sentinels = sentinels.into_iter().map(Sentinel::new);
                let sentinels = sentinels.collect::<RedisResult<_>>()?;
                (Source::Sentinels(sentinels, master), server)
            }
            Address::Cluster(seeds) => {
                let like = seeds.first().cloned().ok_or_else(not_connected)?;
                let seeds = seeds
                    .into_iter()
                    .map(|info| Node::new(info).map(Arc::new))
                    .collect::<RedisResult<_>>()?;
                (Source::Cluster(seeds), like)
            }
        };
        Ok(Self {
            source,
            like,
            known: Mutex::new(known),
            asking: AsyncMutex::new(()),
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.source, Source::Cluster(_))
    }

    pub(super) fn database(&self) -> i64 {
        self.like.redis_settings().db()
    }

    /// The owner of a slot in the cached slot map.
    pub(super) fn believed(&self, slot: u16) -> Option<Arc<Node>> {
        owner(self.known().owners.as_deref()?, slot)
    }

    /// Whether a server owns a slot in the cached slot map; `true` if nothing is cached.
    pub(super) fn is_owner(&self, node: &Arc<Node>) -> bool {
        let known = self.known();
        known
            .owners
            .as_ref()
            .is_none_or(|owners| owners.iter().any(|(_, owner)| Arc::ptr_eq(owner, node)))
    }

    /// The owner of a slot; refreshes an invalid slot map first.
    pub(super) async fn owner(self: &Arc<Self>, slot: u16) -> RedisResult<Arc<Node>> {
        owner(&*self.owners().await?, slot).ok_or_else(|| {
            let reason = "no node of the Cluster serves this slot";
            RedisError::from((ErrorKind::ClusterConnectionNotFound, reason))
        })
    }

    /// Every master, without duplicates.
    pub(super) async fn masters(self: &Arc<Self>) -> RedisResult<Vec<Arc<Node>>> {
        let mut masters: Vec<Arc<Node>> = Vec::new();
        for (_, node) in &*self.owners().await? {
            if !masters.iter().any(|known| Arc::ptr_eq(known, node)) {
                masters.push(Arc::clone(node));
            }
        }
        Ok(masters)
    }

    /// Invalidates the slot map: the next command refreshes it first.
    pub(super) fn doubt(&self) {
        self.set_doubtful(!matches!(self.source, Source::One));
    }

    async fn owners(self: &Arc<Self>) -> RedisResult<Arc<Owners>> {
        if let Some(owners) = self.undoubted() {
            self.confirm();
            return Ok(owners);
        }
        // In a task of its own: the caller may be dropped, and others wait for the result.
        let directory = Arc::clone(self);
        let asked = tokio::spawn(async move { directory.renew_once().await });
        asked.await.map_err(|_died| not_connected())?
    }

    async fn renew_once(&self) -> RedisResult<Arc<Owners>> {
        let _turn = self.asking.lock().await;
        if let Some(owners) = self.undoubted() {
            return Ok(owners);
        }
        // Another task has just refreshed, with or without success: share its result.
        if self.asked_within(ASK_PAUSE) {
            return self.known().owners.clone().ok_or_else(not_connected);
        }
        self.renew().await
    }

    /// Refreshes the sentinels' answer while commands use the old one. After a failover, a replaced
    /// master that still runs accepts writes for about ten seconds, until the sentinels demote it;
    /// those writes are lost. If no sentinel answers, the old answer stays valid.
    fn confirm(self: &Arc<Self>) {
        if !matches!(self.source, Source::Sentinels(..)) || self.asked_within(TRUST) {
            return;
        }
        if std::mem::replace(&mut self.known().confirming, true) {
            return;
        }
        let directory = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = directory.asking.lock().await;
            if directory.renew().await.is_err() {
                directory.set_doubtful(false);
            }
            directory.known().confirming = false;
        });
    }

    async fn renew(&self) -> RedisResult<Arc<Owners>> {
        // Before the fetch: an invalidation during it must remain.
        self.set_doubtful(false);
        let answer = self.ask().await;
        let mut known = self.known();
        known.asked = Some(Instant::now());
        match answer {
            Ok(owners) => {
                let owners = Arc::new(owners);
                known.owners = Some(Arc::clone(&owners));
                known
                    .nodes
                    .retain(|_, node| owners.iter().any(|(_, owner)| Arc::ptr_eq(owner, node)));
                Ok(owners)
            }
            Err(error) => {
                known.doubtful = true;
                Err(error)
            }
        }
    }

    fn asked_within(&self, time: Duration) -> bool {
        let asked = self.known().asked;
        asked.is_some_and(|at| at.elapsed() < time)
    }

    fn undoubted(&self) -> Option<Arc<Owners>> {
        let known = self.known();
        known.owners.clone().filter(|_| !known.doubtful)
    }

    fn set_doubtful(&self, doubtful: bool) {
        self.known().doubtful = doubtful;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn ask(&self) -> RedisResult<Owners> {
        match &self.source {
            Source::One => Err(not_connected()),
            Source::Sentinels(sentinels, name) => self.ask_sentinels(sentinels, name).await,
            Source::Cluster(seeds) => self.ask_cluster(seeds).await,
        }
    }

    /// The master that the sentinels name, if it confirms the role itself.
    async fn ask_sentinels(&self, sentinels: &[Sentinel], name: &str) -> RedisResult<Owners> {
        let master = self.node(sentinel::newest(sentinels, name).await?)?;
        let role = master.run_shared(|mut connection| async move {
            let role = redis::cmd("ROLE");
            role.query_async::<Vec<Value>>(&mut connection).await
        });
        let role = in_time(role).await?.into_iter().next();
        if redis::from_redis_value::<String>(role.unwrap_or(Value::Nil))? == "master" {
            return Ok(vec![(0..=u16::MAX, master)]);
        }
        let reason = "the server that the sentinels name is not a master yet";
        Err(RedisError::from((ErrorKind::Io, reason)))
    }

    /// The first answer of a node that reports `cluster_state:ok`, or else any answer: a node that
    /// is cut off from the others has an outdated slot map.
    async fn ask_cluster(&self, seeds: &[Arc<Node>]) -> RedisResult<Owners> {
        let mut nodes: Vec<Arc<Node>> = seeds.to_vec();
        nodes.extend(self.known().nodes.values().cloned());
        let mut answers: FuturesUnordered<_> = nodes
            .iter()
            .map(|node| async move {
                let asked = node.run_shared(|mut connection| async move {
                    redis::pipe()
                        .cmd("CLUSTER")
                        .arg("INFO")
                        .cmd("CLUSTER")
                        .arg("SLOTS")
                        .query_async::<(String, Value)>(&mut connection)
                        .await
                });
                let (info, table) = in_time(asked).await?;
                let masters = slots::masters(table, node.host())?;
                RedisResult::Ok((info.contains("cluster_state:ok"), masters))
            })
            .collect();
        let mut failed = not_connected();
        let mut best = None;
        while let Some(answer) = answers.next().await {
            match answer {
                Ok((true, masters)) => {
                    best = Some(masters);
                    break;
                }
                Ok((false, masters)) => best = Some(masters),
                Err(error) => failed = error,
            }
        }
        let Some(masters) = best else {
            return Err(failed);
        };
        masters
            .into_iter()
            .map(|(range, server)| Ok((range, self.node(server)?)))
            .collect()
    }

    /// The node at this address; created if it is new.
    pub(super) fn node(&self, server: Server) -> RedisResult<Arc<Node>> {
        let mut known = self.known();
        if let Some(node) = known.nodes.get(&server) {
            return Ok(Arc::clone(node));
        }
        let info = to_server(&self.like, &server.0, server.1);
        let node = Arc::new(Node::new(info)?);
        known.nodes.insert(server, Arc::clone(&node));
        Ok(node)
    }
}

fn owner(owners: &Owners, slot: u16) -> Option<Arc<Node>> {
    let mut ranges = owners.iter();
    let (_, node) = ranges.find(|(range, _)| range.contains(&slot))?;
    Some(Arc::clone(node))
}
