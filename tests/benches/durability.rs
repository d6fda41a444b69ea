//! The cost of having an accepted search on disk before it is answered: the policies of Redis side
//! by side. `cargo bench -p privachat-tests --bench durability`, on a quiet disk and beside
//! `stress-ng --hdd 1`; DURABILITY_ROUNDS (3) and DURABILITY_SECONDS (5) per round.
//!
//! `WAITAOF` needs Redis 7.2 or a Valkey as `redis-server` in PATH. The service does not send it,
//! so the bench does: after each answer to a POST it writes a key and waits until that is on disk,
//! which is never earlier than the accepted search.

use futures_util::future::join_all;
use privachat_tests::fixtures::gather_results;
use privachat_tests::redis::{Options, RedisServer};
use privachat_tests::upstream::searxng;
use privachat_tests::{Stack, Upstream, binaries};
use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use serde_json::{Value, json};
use std::time::{Duration, Instant};
use tokio::time::sleep_until;

/// POSTs per second when their durations are measured, each from its due time.
const RATE: u32 = 100;
/// Clients that search, one search after the other, when searches are counted.
const CLIENTS: usize = 32;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Policy {
    EverySecond,
    Always,
    WaitAof,
}

impl Policy {
    const ALL: [Self; 3] = [Self::EverySecond, Self::Always, Self::WaitAof];

    fn name(self) -> &'static str {
        match self {
            Self::EverySecond => "everysec",
            Self::Always => "always",
            Self::WaitAof => "everysec + WAITAOF",
        }
    }

    fn fsync(self) -> &'static str {
        if self == Self::Always {
            "always"
        } else {
            "everysec"
        }
    }
}

/// The results of one policy, a figure for each round.
#[derive(Default)]
struct Figures {
    middle: Vec<f64>,
    late: Vec<f64>,
    searches: Vec<f64>,
    delayed: u64,
}

struct Side {
    policy: Policy,
    stack: Stack,
    _web: Upstream,
    fences: Vec<MultiplexedConnection>,
    figures: Figures,
}

#[tokio::main]
async fn main() {
    let rounds = number("DURABILITY_ROUNDS", 3);
    let turn = Duration::from_secs(number("DURABILITY_SECONDS", 5));
    let mut sides = Vec::new();
    for policy in Policy::ALL {
        sides.extend(Side::start(policy).await);
    }
    let version = info(&mut sides[0], "server", "redis_version").await;
    for _ in 0..rounds {
        for side in &mut sides {
            side.post(turn).await;
            side.search(turn).await;
        }
    }
    println!("redis-server {version}, medians of {rounds} turns of {turn:?}:");
    println!("| policy | async POST p50, ms | p99, ms | searches/s | held back by a slow disk |");
    println!("|---|---:|---:|---:|---:|");
    for side in &mut sides {
        let delayed = info(side, "persistence", "aof_delayed_fsync").await;
        side.figures.delayed = delayed.parse().expect("a number");
        let figures = &mut side.figures;
        println!(
            "| {} | {:.1} | {:.1} | {:.0} | {} |",
            side.policy.name(),
            median(&mut figures.middle),
            median(&mut figures.late),
            median(&mut figures.searches),
            figures.delayed,
        );
    }
}

impl Side {
    /// `None` when the server does not support it.
    async fn start(policy: Policy) -> Option<Self> {
        let arguments = [
            "--appendfsync",
            policy.fsync(),
            "--auto-aof-rewrite-percentage",
            "0",
        ];
        let redis = RedisServer::with(Options {
            aof: true,
            tcp: true,
            arguments: arguments.map(str::to_owned).into(),
        })
        .await;
        let mut fences = Vec::new();
        if policy == Policy::WaitAof {
            for _ in 0..CLIENTS {
                fences.push(patient(&redis).await);
            }
            if !fence(&mut fences[0]).await {
                return None;
            }
        }
        let web = searxng::finding(gather_results());
        let stack = Stack::builder(binaries!())
            .with_searxng(&web)
            .env("CACHE_TTL_SECONDS", 3600)
            .env("LOG_LEVEL", "warn")
            .on_redis(redis)
            .start()
            .await;
        // The first is searched for; the others find its answer.
        let first = stack.client().enqueue(question()).await;
        stack.client().wait_completed(&first).await;
        Some(Self {
            policy,
            stack,
            _web: web,
            fences,
            figures: Figures::default(),
        })
    }

    /// Accepted, and on disk if this policy guarantees it.
    async fn accept(&self, client: usize) -> String {
        let id = self.stack.client().enqueue(question()).await;
        if let Some(connection) = self.fences.get(client % CLIENTS) {
            assert!(fence(&mut connection.clone()).await, "on disk within 10 s");
        }
        id
    }

    async fn post(&mut self, turn: Duration) {
        let count = RATE * u32::try_from(turn.as_secs()).expect("seconds");
        let start = Instant::now() + Duration::from_millis(100);
        let posts = (0..count).map(async |number| {
            let due = start + Duration::from_secs(1) * number / RATE;
            sleep_until(due.into()).await;
            self.accept(number as usize).await;
            due.elapsed().as_secs_f64() * 1000.0
        });
        let mut took = join_all(posts).await;
        took.sort_by(f64::total_cmp);
        self.figures.middle.push(took[took.len() / 2]);
        self.figures.late.push(took[took.len() * 99 / 100]);
    }

    async fn search(&mut self, turn: Duration) {
        let start = Instant::now();
        let clients = (0..CLIENTS).map(async |client| {
            let mut done = 0_u32;
            while start.elapsed() < turn {
                let id = self.accept(client).await;
                let path = format!("/api/v1/search/status/{id}?wait=30");
                while self.stack.client().get(&path).await.expect(200)["status"] != "completed" {}
                done += 1;
            }
            done
        });
        let done: u32 = join_all(clients).await.iter().sum();
        let rate = f64::from(done) / start.elapsed().as_secs_f64();
        self.figures.searches.push(rate);
    }
}

fn question() -> Value {
    json!({"query": "What is gather?", "mode": "speed"})
}

/// A connection whose replies may take as long as the disk does.
async fn patient(redis: &RedisServer) -> MultiplexedConnection {
    let config = AsyncConnectionConfig::new().set_response_timeout(None);
    let client = redis::Client::open(redis.url()).expect("the address of Redis");
    let connection = client.get_multiplexed_async_connection_with_config(&config);
    connection.await.expect("a connection")
}

/// Returns once all earlier writes are on Redis's disk; false when it has no such command.
async fn fence(connection: &mut MultiplexedConnection) -> bool {
    let mut pipeline = redis::pipe();
    pipeline.cmd("SET").arg("fence").arg(1).ignore();
    pipeline.cmd("WAITAOF").arg(1).arg(0).arg(10_000);
    let synced: redis::RedisResult<((u64, u64),)> = pipeline.query_async(connection).await;
    synced.is_ok_and(|((here, _replicas),)| here == 1)
}

async fn info(side: &mut Side, section: &str, name: &str) -> String {
    let mut connection = side.stack.redis.connection().await;
    let mut command = redis::cmd("INFO");
    let info: String = command
        .arg(section)
        .query_async(&mut connection)
        .await
        .expect("INFO");
    let mut lines = info.lines().filter_map(|line| line.split_once(':'));
    let value = lines.find(|(key, _)| *key == name);
    value.expect("such a line").1.trim().to_owned()
}

fn median(figures: &mut [f64]) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures[figures.len() / 2]
}

fn number(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().expect("a number"))
}
