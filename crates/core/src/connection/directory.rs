//! Which servers there are, and which slots they own.
//!
//! That is asked of the sentinels or of the nodes of a Cluster, and asked again whenever an answer
//! throws doubt on it. One server alone is the simple case: it owns all slots and nobody has to be
//! asked.

use super::{
    CONNECT_TIMEOUT,
    address::{Address, to_server},
    node::Node,
    not_connected,
    sentinel::{self, Sentinel},
    slots::{self, Server},
    timed_out,
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use redis::{ConnectionInfo, ErrorKind, RedisError, RedisResult, Value};
use std::{
    collections::HashMap,
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};
use tokio::{sync::Mutex as AsyncMutex, time::Instant};

/// After an answer nobody is asked again for so long, however many doubt it.
const ASK_PAUSE: Duration = Duration::from_millis(100);
/// How long a sentinel's answer is relied on without asking again.
const TRUST: Duration = Duration::from_secs(1);
/// Ranges of slots and the servers that own them.
pub(super) type Owners = Vec<(RangeInclusive<u16>, Arc<Node>)>;

pub(super) struct Directory {
    source: Source,
    /// How to connect to a server that somebody names.
    like: ConnectionInfo,
    known: Mutex<Known>,
    /// Held by the one who asks; when that was last.
    asking: AsyncMutex<Option<Instant>>,
}

#[derive(Default)]
struct Known {
    owners: Option<Arc<Owners>>,
    doubtful: bool,
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
            asking: AsyncMutex::new(None),
        })
    }

    pub(super) fn is_cluster(&self) -> bool {
        matches!(self.source, Source::Cluster(_))
    }

    pub(super) fn database(&self) -> i64 {
        self.like.redis_settings().db()
    }

    /// The server that a slot is believed to be on, without asking anybody.
    pub(super) fn believed(&self, slot: u16) -> Option<Arc<Node>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        owner(known.owners.as_deref()?, slot)
    }

    /// The server that a slot is on.
    pub(super) async fn owner(&self, slot: u16) -> RedisResult<Arc<Node>> {
        owner(&*self.owners().await?, slot).ok_or_else(|| {
            let reason = "no node of the Cluster serves this slot";
            RedisError::from((ErrorKind::ClusterConnectionNotFound, reason))
        })
    }

    /// Each master once.
    pub(super) async fn masters(&self) -> RedisResult<Vec<Arc<Node>>> {
        let mut masters: Vec<Arc<Node>> = Vec::new();
        for (_, node) in &*self.owners().await? {
            if !masters.iter().any(|known| Arc::ptr_eq(known, node)) {
                masters.push(Arc::clone(node));
            }
        }
        Ok(masters)
    }

    /// Ask again before the next command.
    pub(super) fn doubt(&self) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.doubtful = !matches!(self.source, Source::One);
    }

    async fn owners(&self) -> RedisResult<Arc<Owners>> {
        if let Some(owners) = self.undoubted() {
            return Ok(self.confirmed(owners).await);
        }
        let mut asked = self.asking.lock().await;
        if let Some(owners) = self.undoubted() {
            return Ok(owners);
        }
        // Somebody asked while we waited for our turn, in vain or not: one speaks for all.
        if asked.is_some_and(|at| at.elapsed() < ASK_PAUSE) {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            return known.owners.clone().ok_or_else(not_connected);
        }
        self.renew(&mut asked).await
    }

    /// A master that was replaced while it lives goes on as one until the sentinels get round to it,
    /// about ten seconds, and what it accepts meanwhile is lost. So they are asked again and
    /// again, by whoever comes first; if none answers, what was known is good enough.
    async fn confirmed(&self, owners: Arc<Owners>) -> Arc<Owners> {
        if !matches!(self.source, Source::Sentinels(..)) {
            return owners;
        }
        let Ok(mut asked) = self.asking.try_lock() else {
            return owners;
        };
        if asked.is_some_and(|at| at.elapsed() < TRUST) {
            return owners;
        }
        match self.renew(&mut asked).await {
            Ok(owners) => owners,
            Err(_nobody_answers) => {
                self.set_doubtful(false);
                owners
            }
        }
    }

    async fn renew(&self, asked: &mut Option<Instant>) -> RedisResult<Arc<Owners>> {
        // Before, not after: what is doubted while we ask stays doubtful.
        self.set_doubtful(false);
        let answer = self.ask().await;
        *asked = Some(Instant::now());
        match answer {
            Ok(owners) => {
                let owners = Arc::new(owners);
                let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
                known.owners = Some(Arc::clone(&owners));
                known
                    .nodes
                    .retain(|_, node| owners.iter().any(|(_, owner)| Arc::ptr_eq(owner, node)));
                Ok(owners)
            }
            Err(error) => {
                self.set_doubtful(true);
                Err(error)
            }
        }
    }

    fn undoubted(&self) -> Option<Arc<Owners>> {
        let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.owners.clone().filter(|_| !known.doubtful)
    }

    fn set_doubtful(&self, doubtful: bool) {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.doubtful = doubtful;
    }

    async fn ask(&self) -> RedisResult<Owners> {
        match &self.source {
            Source::One => Err(not_connected()),
            Source::Sentinels(sentinels, name) => self.ask_sentinels(sentinels, name).await,
            Source::Cluster(seeds) => self.ask_cluster(seeds).await,
        }
    }

    /// The master that the sentinels name, if it says so itself.
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

    /// The first answer of a node that sees a working Cluster, or else any answer: a node that is
    /// cut off from the others has old news.
    async fn ask_cluster(&self, seeds: &[Arc<Node>]) -> RedisResult<Owners> {
        let mut nodes: Vec<Arc<Node>> = seeds.to_vec();
        {
            let known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
            nodes.extend(known.nodes.values().cloned());
        }
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

    /// The server at this address.
    pub(super) fn node(&self, server: Server) -> RedisResult<Arc<Node>> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(node) = known.nodes.get(&server) {
            return Ok(Arc::clone(node));
        }
        let info = to_server(&self.like, &server.0, server.1);
        let node = Arc::new(Node::new(info)?);
        known.nodes.insert(server, Arc::clone(&node));
        Ok(node)
    }
}

async fn in_time<T>(work: impl Future<Output = RedisResult<T>>) -> RedisResult<T> {
    tokio::time::timeout(CONNECT_TIMEOUT, work)
        .await
        .map_err(|_elapsed| timed_out())?
}

fn owner(owners: &Owners, slot: u16) -> Option<Arc<Node>> {
    let mut ranges = owners.iter();
    let (_, node) = ranges.find(|(range, _)| range.contains(&slot))?;
    Some(Arc::clone(node))
}
