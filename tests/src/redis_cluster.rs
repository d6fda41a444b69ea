//! A real Redis Cluster for one test: three masters on loopback, with AOF and no replicas.

use std::ops::Range;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Value};

use crate::proxy::free_port;
use crate::redis::{Options, RedisServer};
use crate::stack::RedisBackend;
use crate::wait::Polling;

const NODES: u16 = 3;
const SLOTS: u16 = 16384;
const SERVING_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct RedisCluster {
    /// Node n starts with the nth third of the slots.
    pub nodes: Vec<RedisServer>,
    replicas: Vec<RedisServer>,
}

impl RedisCluster {
    /// Three connected nodes that serve all slots.
    pub async fn start() -> Self {
        let mut nodes = Vec::new();
        let mut buses = Vec::new();
        for _ in 0..NODES {
            let bus = free_port();
            buses.push(bus);
            nodes.push(RedisServer::with(options(bus)).await);
        }
        let cluster = Self {
            nodes,
            replicas: Vec::new(),
        };
        cluster.form(&buses).await;
        cluster
    }

    /// Adds a node, which takes over when its master dies. Returns once it is in sync.
    pub async fn add_replica_of(&mut self, master: usize) {
        let bus = free_port();
        let replica = RedisServer::with(options(bus)).await;
        let mut connection = replica.connection().await;
        let mut first = self.nodes[master].connection().await;
        let id: String = cluster(&mut first, &["MYID"]).await;
        let (port, bus) = (replica.port().to_string(), bus.to_string());
        let _: Value = cluster(&mut first, &["MEET", "127.0.0.1", &port, &bus]).await;
        wait_until_serving(&mut connection).await;
        let _: Value = cluster(&mut connection, &["REPLICATE", &id]).await;
        self.replicas.push(replica);
        self.wait_until_replicated(master).await;
    }

    /// Waits until a replica of this node has all that the node has acknowledged so far.
    pub async fn wait_until_replicated(&self, master: usize) {
        let mut connection = self.nodes[master].connection().await;
        let polling = Polling::new("the replica has everything", SERVING_TIMEOUT);
        loop {
            let info: String = redis::cmd("INFO")
                .arg("replication")
                .query_async(&mut connection)
                .await
                .expect("the state of the replication");
            // A replica reports its offset once a second.
            let value = |name: &str| info.split_once(name)?.1.split([',', '\r']).next();
            let is = value("master_repl_offset:");
            if info.contains("state=online") && value(",offset=") == is {
                return;
            }
            polling.pause().await;
        }
    }

    /// Starts a killed node again and waits until it serves: at first it answers CLUSTERDOWN.
    pub async fn restart(&mut self, index: usize) {
        self.nodes[index].restart().await;
        wait_until_serving(&mut self.nodes[index].connection().await).await;
    }

    /// The node that has a key, by the initial distribution of slots.
    pub async fn node_of(&self, key: &str) -> usize {
        let mut connection = self.connect_to_all().await.remove(0);
        let slot: u16 = redis::cmd("CLUSTER")
            .arg("KEYSLOT")
            .arg(key)
            .query_async(&mut connection)
            .await
            .expect("the slot of a key");
        (0..NODES)
            .position(|index| slot_range(index).contains(&slot))
            .expect("every slot is dealt out")
    }

    /// All keys that match the pattern, each with its node. Nodes that are down are skipped.
    pub async fn keys(&self, pattern: &str) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for (index, node) in self.nodes.iter().enumerate() {
            let Ok(mut connection) = node.try_connection().await else {
                continue;
            };
            let keys: Vec<String> = connection.keys(pattern).await.expect("keys");
            found.extend(keys.into_iter().map(|key| (index, key)));
        }
        found
    }

    /// Moves the slot of a key, with all its keys, to another node, as redis-cli's reshard does.
    pub async fn move_slot(&self, key: &str, from: usize, to: usize) {
        let mut connections = self.connect_to_all().await;
        let mut ids: Vec<String> = Vec::new();
        for connection in &mut connections {
            ids.push(cluster(connection, &["MYID"]).await);
        }
        let slot: u16 = cluster(&mut connections[0], &["KEYSLOT", key]).await;
        let slot = slot.to_string();
        let setslot = ["SETSLOT", &slot];
        let importing = [&setslot[..], &["IMPORTING", &ids[from]]].concat();
        let migrating = [&setslot[..], &["MIGRATING", &ids[to]]].concat();
        let _: Value = cluster(&mut connections[to], &importing).await;
        let _: Value = cluster(&mut connections[from], &migrating).await;
        let (host, port) = ("127.0.0.1", self.nodes[to].port());
        loop {
            let keys: Vec<String> =
                cluster(&mut connections[from], &["GETKEYSINSLOT", &slot, "1"]).await;
            let Some(key) = keys.first() else {
                break;
            };
            let mut migrate = redis::cmd("MIGRATE");
            migrate.arg(host).arg(port).arg(key).arg(0).arg(5000);
            let _: Value = migrate
                .query_async(&mut connections[from])
                .await
                .expect("a migrated key");
        }
        let settled = [&setslot[..], &["NODE", &ids[to]]].concat();
        // The new owner first: no client may be redirected to a node that does not know of its slot
        // yet.
        for index in [to, from] {
            let _: Value = cluster(&mut connections[index], &settled).await;
        }
    }

    async fn connect_to_all(&self) -> Vec<MultiplexedConnection> {
        let mut connections = Vec::new();
        for node in &self.nodes {
            connections.push(node.connection().await);
        }
        connections
    }

    async fn form(&self, buses: &[u16]) {
        let mut connections = self.connect_to_all().await;
        for (index, connection) in (0..NODES).zip(&mut connections) {
            let slots = slot_range(index);
            let (first, last) = (slots.start.to_string(), (slots.end - 1).to_string());
            let _: Value = cluster(connection, &["ADDSLOTSRANGE", &first, &last]).await;
        }
        for (node, bus) in self.nodes.iter().zip(buses).skip(1) {
            let (port, bus) = (node.port().to_string(), bus.to_string());
            let meet = ["MEET", "127.0.0.1", &port, &bus];
            let _: Value = cluster(&mut connections[0], &meet).await;
        }
        for connection in &mut connections {
            wait_until_serving(connection).await;
        }
    }
}

impl RedisBackend for RedisCluster {
    fn url(&self) -> String {
        let nodes: Vec<String> = self.nodes.iter().map(RedisServer::address).collect();
        format!("redis://{}", nodes.join(","))
    }

    async fn connections(&self) -> Vec<MultiplexedConnection> {
        let mut masters = Vec::new();
        for node in self.nodes.iter().chain(&self.replicas) {
            let Ok(mut connection) = node.try_connection().await else {
                continue;
            };
            let role: Vec<Value> = redis::cmd("ROLE")
                .query_async(&mut connection)
                .await
                .expect("the role of a node");
            if role.first() == Some(&Value::BulkString(b"master".to_vec())) {
                masters.push(connection);
            }
        }
        masters
    }
}

async fn wait_until_serving(connection: &mut MultiplexedConnection) {
    let polling = Polling::new("a node serves its part of a Cluster", SERVING_TIMEOUT);
    let all = format!("cluster_slots_ok:{SLOTS}");
    loop {
        let info: String = cluster(connection, &["INFO"]).await;
        if info.contains("cluster_state:ok") && info.contains(&all) {
            return;
        }
        polling.pause().await;
    }
}

fn options(bus: u16) -> Options {
    let arguments = [
        ("--cluster-enabled", "yes"),
        ("--cluster-port", &bus.to_string()),
        ("--cluster-node-timeout", "1000"),
        // A missing node must not stop the others.
        ("--cluster-require-full-coverage", "no"),
    ];
    Options {
        aof: true,
        tcp: true,
        arguments: arguments
            .into_iter()
            .flat_map(|(name, value)| [name.to_owned(), value.to_owned()])
            .collect(),
    }
}

fn slot_range(index: u16) -> Range<u16> {
    let share = SLOTS / NODES;
    let end = if index + 1 == NODES {
        SLOTS
    } else {
        share * (index + 1)
    };
    share * index..end
}

async fn cluster<T: redis::FromRedisValue>(
    connection: &mut MultiplexedConnection,
    arguments: &[&str],
) -> T {
    let reply = redis::cmd("CLUSTER")
        .arg(arguments)
        .query_async(connection)
        .await;
    reply.unwrap_or_else(|error| panic!("CLUSTER {arguments:?}: {error}"))
}
