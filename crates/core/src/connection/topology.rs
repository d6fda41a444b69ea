//! The topology: the servers that hold keys and the slots that each owns.
//!
//! [`Topology`] fetches the slot map from the sentinels or the nodes of a Cluster, caches it, and
//! fetches it again after an error that invalidates it. A single server owns all slots: nothing is
//! fetched.

use super::{
    node::Node,
    not_connected,
    redis_url::{Address, connection_info_for},
    sentinel::{self, Sentinel},
    slots::{self, HostPort},
    with_connect_timeout,
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
const MIN_REFRESH_INTERVAL: Duration = Duration::from_millis(100);
/// After this time the sentinels' answer is refreshed in the background.
const SENTINEL_ANSWER_TTL: Duration = Duration::from_secs(1);
/// The slot map: ranges of slots and the servers that own them.
pub(super) type SlotMap = Vec<(RangeInclusive<u16>, Arc<Node>)>;

pub(super) struct Topology {
    source: TopologySource,
    /// The connection settings for servers that sentinels or nodes name.
    template: ConnectionInfo,
    state: Mutex<TopologyState>,
    /// Held during a refresh.
    refresh_lock: AsyncMutex<()>,
}

#[derive(Default)]
struct TopologyState {
    slot_map: Option<Arc<SlotMap>>,
    is_stale: bool,
    /// The time of the last refresh.
    last_refresh: Option<Instant>,
    /// Whether a background refresh runs.
    refreshing_in_background: bool,
    nodes: HashMap<HostPort, Arc<Node>>,
}

enum TopologySource {
    Single,
    Sentinels(Vec<Sentinel>, String),
    Cluster(Vec<Arc<Node>>),
}

impl Topology {
    pub(super) fn new(address: Address) -> RedisResult<Self> {
        let mut known = TopologyState::default();
        let (source, like) = match address {
            Address::Single(info) => {
                let node = Arc::new(Node::new(info.clone())?);
                known.slot_map = Some(Arc::new(vec![(0..=u16::MAX, node)]));
                (TopologySource::Single, info)
            }
            Address::Sentinels {
                sentinels,
                master,
                server,
            } => {
                let sentinels = sentinels.into_iter().map(Sentinel::new);
                let sentinels = sentinels.collect::<RedisResult<_>>()?;
                (TopologySource::Sentinels(sentinels, master), server)
            }
            Address::Cluster(seeds) => {
                let like = seeds.first().cloned().ok_or_else(not_connected)?;
                let seeds = seeds
                    .into_iter()
                    .map(|info| Node::new(info).map(Arc::new))
                    .collect::<RedisResult<_>>()?;
                (TopologySource::Cluster(seeds), like)
            }
        };
        Ok(Self {
            source,
            template: like,
            state: Mutex::new(known),
            refresh_lock: AsyncMutex::new(()),
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.source, TopologySource::Cluster(_))
    }

    pub(super) fn database(&self) -> i64 {
        self.template.redis_settings().db()
    }

    /// The owner of a slot in the cached slot map.
    pub(super) fn cached_owner(&self, slot: u16) -> Option<Arc<Node>> {
        find_owner(self.known().slot_map.as_deref()?, slot)
    }

    /// Whether a server owns a slot in the cached slot map; `true` if nothing is cached.
    pub(super) fn is_owner(&self, node: &Arc<Node>) -> bool {
        let known = self.known();
        known
            .slot_map
            .as_ref()
            .is_none_or(|owners| owners.iter().any(|(_, owner)| Arc::ptr_eq(owner, node)))
    }

    /// The owner of a slot; refreshes an invalid slot map first.
    pub(super) async fn owner(self: &Arc<Self>, slot: u16) -> RedisResult<Arc<Node>> {
        find_owner(&*self.slot_map().await?, slot).ok_or_else(|| {
            let reason = "no node of the Cluster serves this slot";
            RedisError::from((ErrorKind::ClusterConnectionNotFound, reason))
        })
    }

    /// Every master, without duplicates.
    pub(super) async fn masters(self: &Arc<Self>) -> RedisResult<Vec<Arc<Node>>> {
        let mut masters: Vec<Arc<Node>> = Vec::new();
        for (_, node) in &*self.slot_map().await? {
            if !masters.iter().any(|known| Arc::ptr_eq(known, node)) {
                masters.push(Arc::clone(node));
            }
        }
        Ok(masters)
    }

    /// Invalidates the slot map: the next command refreshes it first.
    pub(super) fn invalidate(&self) {
        self.set_stale(!matches!(self.source, TopologySource::Single));
    }

    async fn slot_map(self: &Arc<Self>) -> RedisResult<Arc<SlotMap>> {
        if let Some(owners) = self.valid_slot_map() {
            self.refresh_in_background();
            return Ok(owners);
        }
        // In a task of its own: the caller may be dropped, and others wait for the result.
        let directory = Arc::clone(self);
        let asked = tokio::spawn(async move { directory.refresh_shared().await });
        asked.await.map_err(|_died| not_connected())?
    }

    async fn refresh_shared(&self) -> RedisResult<Arc<SlotMap>> {
        let _turn = self.refresh_lock.lock().await;
        if let Some(owners) = self.valid_slot_map() {
            return Ok(owners);
        }
        // Another task has just refreshed, with or without success: share its result.
        if self.refreshed_within(MIN_REFRESH_INTERVAL) {
            return self.known().slot_map.clone().ok_or_else(not_connected);
        }
        self.refresh().await
    }

    /// Refreshes the sentinels' answer while commands use the old one. After a failover, a replaced
    /// master that still runs accepts writes for about ten seconds, until the sentinels demote it;
    /// those writes are lost. If no sentinel answers, the old answer stays valid.
    fn refresh_in_background(self: &Arc<Self>) {
        if !matches!(self.source, TopologySource::Sentinels(..))
            || self.refreshed_within(SENTINEL_ANSWER_TTL)
        {
            return;
        }
        if std::mem::replace(&mut self.known().refreshing_in_background, true) {
            return;
        }
        let directory = Arc::clone(self);
        tokio::spawn(async move {
            let _turn = directory.refresh_lock.lock().await;
            if directory.refresh().await.is_err() {
                directory.set_stale(false);
            }
            directory.known().refreshing_in_background = false;
        });
    }

    async fn refresh(&self) -> RedisResult<Arc<SlotMap>> {
        // Before the fetch: an invalidation during it must remain.
        self.set_stale(false);
        let answer = self.fetch_slot_map().await;
        let mut known = self.known();
        known.last_refresh = Some(Instant::now());
        match answer {
            Ok(owners) => {
                let owners = Arc::new(owners);
                known.slot_map = Some(Arc::clone(&owners));
                known
                    .nodes
                    .retain(|_, node| owners.iter().any(|(_, owner)| Arc::ptr_eq(owner, node)));
                Ok(owners)
            }
            Err(error) => {
                known.is_stale = true;
                Err(error)
            }
        }
    }

    fn refreshed_within(&self, time: Duration) -> bool {
        let asked = self.known().last_refresh;
        asked.is_some_and(|at| at.elapsed() < time)
    }

    fn valid_slot_map(&self) -> Option<Arc<SlotMap>> {
        let known = self.known();
        known.slot_map.clone().filter(|_| !known.is_stale)
    }

    fn set_stale(&self, doubtful: bool) {
        self.known().is_stale = doubtful;
    }

    fn known(&self) -> MutexGuard<'_, TopologyState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn fetch_slot_map(&self) -> RedisResult<SlotMap> {
        match &self.source {
            TopologySource::Single => Err(not_connected()),
            TopologySource::Sentinels(sentinels, name) => {
                self.fetch_from_sentinels(sentinels, name).await
            }
            TopologySource::Cluster(seeds) => self.fetch_from_cluster(seeds).await,
        }
    }

    /// The master that the sentinels name, if it confirms the role itself.
    async fn fetch_from_sentinels(
        &self,
        sentinels: &[Sentinel],
        name: &str,
    ) -> RedisResult<SlotMap> {
        let master = self.node_at(sentinel::latest_master(sentinels, name).await?)?;
        let role = master.run_shared(|mut connection| async move {
            let role = redis::cmd("ROLE");
            role.query_async::<Vec<Value>>(&mut connection).await
        });
        let role = with_connect_timeout(role).await?.into_iter().next();
        if redis::from_redis_value::<String>(role.unwrap_or(Value::Nil))? == "master" {
            return Ok(vec![(0..=u16::MAX, master)]);
        }
        let reason = "the server that the sentinels name is not a master yet";
        Err(RedisError::from((ErrorKind::Io, reason)))
    }

    /// The first answer of a node that reports `cluster_state:ok`, or else any answer: a node that
    /// is cut off from the others has an outdated slot map.
    async fn fetch_from_cluster(&self, seeds: &[Arc<Node>]) -> RedisResult<SlotMap> {
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
                let (info, table) = with_connect_timeout(asked).await?;
                let masters = slots::parse_masters(table, node.host())?;
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
            .map(|(range, server)| Ok((range, self.node_at(server)?)))
            .collect()
    }

    /// The node at this address; created if it is new.
    pub(super) fn node_at(&self, server: HostPort) -> RedisResult<Arc<Node>> {
        let mut known = self.known();
        if let Some(node) = known.nodes.get(&server) {
            return Ok(Arc::clone(node));
        }
        let info = connection_info_for(&self.template, &server.0, server.1);
        let node = Arc::new(Node::new(info)?);
        known.nodes.insert(server, Arc::clone(&node));
        Ok(node)
    }
}

fn find_owner(owners: &SlotMap, slot: u16) -> Option<Arc<Node>> {
    let mut ranges = owners.iter();
    let (_, node) = ranges.find(|(range, _)| range.contains(&slot))?;
    Some(Arc::clone(node))
}
