//! A real master with a replica and three sentinels, on loopback.

use std::collections::HashMap;
use std::fs;
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncCommands, Client, RedisResult};
use tempfile::TempDir;

use crate::process::{Process, isolated};
use crate::proxy::free_port;
use crate::redis::{Options, RedisServer};
use crate::stack::RedisBackend;
use crate::wait::Polling;

const NAME: &str = "main";
const SENTINELS: usize = 3;
const SETTLING_TIMEOUT: Duration = Duration::from_secs(60);

#[derive(Debug)]
pub struct RedisSentinel {
    /// Dropped first, so that no sentinel starts a failover during the teardown.
    sentinels: Vec<Sentinel>,
    /// The first is the initial master.
    pub servers: Vec<RedisServer>,
    _folder: TempDir,
}

#[derive(Debug)]
struct Sentinel {
    process: Process,
    port: u16,
}

impl RedisSentinel {
    /// Returns once every sentinel knows the others and a replica that is in sync.
    pub async fn start() -> Self {
        let aof = Options {
            aof: true,
            tcp: true,
            arguments: Vec::new(),
        };
        let master = RedisServer::with(aof.clone()).await;
        let port = master.port();
        let replica = RedisServer::with(Options {
            arguments: vec!["--replicaof".into(), format!("127.0.0.1 {port}")],
            ..aof
        })
        .await;
        let folder = TempDir::with_prefix("privachat-sentinel-").expect("a temporary folder");
        let sentinels = (0..SENTINELS)
            .map(|index| Sentinel::start(index, port, &folder))
            .collect();
        let mut started = Self {
            sentinels,
            servers: vec![master, replica],
            _folder: folder,
        };
        started.wait_until_settled(1).await;
        started
    }

    /// The index of the master according to the sentinels; None while they disagree.
    pub async fn master(&self) -> Option<usize> {
        let mut opinions = Vec::new();
        for sentinel in &self.sentinels {
            let state = sentinel.state().await.ok()?;
            opinions.push(state.get("port")?.parse::<u16>().ok()?);
        }
        opinions.dedup();
        let [port] = opinions[..] else {
            return None;
        };
        self.servers.iter().position(|server| server.port() == port)
    }

    /// Waits until the replica has everything that the master has acknowledged so far; returns the
    /// master's index.
    pub async fn wait_until_replicated(&self) -> usize {
        let polling = Polling::new("the replica has everything", SETTLING_TIMEOUT);
        loop {
            if let Some(master) = self.master().await
                && self
                    .wait_on(master)
                    .await
                    .is_ok_and(|replicas| replicas > 0)
            {
                return master;
            }
            polling.pause().await;
        }
    }

    /// Starts a failover from a healthy master, as before maintenance.
    pub async fn start_failover(&self) {
        let polling = Polling::new("the sentinels fail over", SETTLING_TIMEOUT);
        let mut command = redis::cmd("SENTINEL");
        command.arg("FAILOVER").arg(NAME);
        while self.sentinels[0].query::<()>(&command).await.is_err() {
            polling.pause().await;
        }
    }

    /// Waits until all sentinels agree and see this many replicas that follow.
    pub async fn wait_until_settled(&mut self, replicas: usize) {
        let polling = Polling::new("the sentinels are settled", SETTLING_TIMEOUT);
        while !self.is_settled(replicas).await {
            for sentinel in &mut self.sentinels {
                sentinel.process.assert_alive();
            }
            polling.pause().await;
        }
    }

    async fn is_settled(&self, replicas: usize) -> bool {
        for sentinel in &self.sentinels {
            let Ok(state) = sentinel.state().await else {
                return false;
            };
            let number = |name: &str| state.get(name).and_then(|text| text.parse().ok());
            if number("num-other-sentinels") != Some(SENTINELS - 1)
                || number("num-slaves") < Some(replicas)
                || state.get("flags").map(String::as_str) != Some("master")
            {
                return false;
            }
        }
        match self.master().await {
            Some(master) => {
                let followed = self.wait_on(master).await;
                followed.is_ok_and(|following| following >= replicas)
            }
            None => false,
        }
    }

    /// WAIT counts from this connection's own last write, so it needs one.
    async fn wait_on(&self, master: usize) -> RedisResult<usize> {
        let mut connection = self.servers[master].try_connection().await?;
        let () = connection.set("test:replicated", 1).await?;
        let () = connection.del("test:replicated").await?;
        let mut wait = redis::cmd("WAIT");
        wait.arg(1).arg(100);
        wait.query_async(&mut connection).await
    }
}

impl RedisBackend for RedisSentinel {
    fn url(&self) -> String {
        let sentinels = self.sentinels.iter();
        let hosts: Vec<String> = sentinels
            .map(|sentinel| format!("127.0.0.1:{}", sentinel.port))
            .collect();
        format!("redis+sentinel://{}/{NAME}", hosts.join(","))
    }

    async fn connections(&self) -> Vec<MultiplexedConnection> {
        let polling = Polling::new("there is a master", SETTLING_TIMEOUT);
        loop {
            if let Some(master) = self.master().await
                && let Ok(connection) = self.servers[master].try_connection().await
            {
                return vec![connection];
            }
            polling.pause().await;
        }
    }
}

impl Sentinel {
    fn start(index: usize, master: u16, folder: &TempDir) -> Self {
        let port = free_port();
        let name = format!("sentinel-{index}");
        let file = folder.path().join(format!("{name}.conf"));
        // Sentinels write to their configuration file: each has its own.
        let lines = [
            format!("port {port}"),
            "bind 127.0.0.1".to_owned(),
            format!("dir {}", folder.path().display()),
            format!("sentinel monitor {NAME} 127.0.0.1 {master} 2"),
            format!("sentinel down-after-milliseconds {NAME} 1000"),
            format!("sentinel failover-timeout {NAME} 3000"),
        ];
        fs::write(&file, lines.join("\n") + "\n").expect("a sentinel's settings");
        let mut command = isolated("redis-server");
        command.arg(&file).arg("--sentinel");
        let process = Process::spawn(&name, command, folder.path());
        Self { process, port }
    }

    async fn state(&self) -> RedisResult<HashMap<String, String>> {
        let mut command = redis::cmd("SENTINEL");
        command.arg("MASTER").arg(NAME);
        self.query(&command).await
    }

    async fn query<T: redis::FromRedisValue>(&self, command: &redis::Cmd) -> RedisResult<T> {
        let address = format!("redis://127.0.0.1:{}", self.port);
        let client = Client::open(address)?;
        let mut connection = client.get_multiplexed_async_connection().await?;
        command.query_async(&mut connection).await
    }
}
