//! What must not grow, sampled once a second.

use crate::figures::{digits, median};
use privachat_tests::event_listeners::{established_connections, resident_kib};
use privachat_tests::redis_info;
use privachat_tests::{Client, Stack};
use redis::aio::MultiplexedConnection;
use std::fmt::{self, Write as _};
use std::fs;
use std::time::Duration;
use tokio::time::{Instant, interval};

const EVERY: Duration = Duration::from_secs(1);
/// How far the last third may exceed the first, in percent …
const TOLERANCE: f64 = 10.0;

/// Each series: its name, and how far it may grow in addition, as noise.
const SERIES: [(&str, f64); 9] = [
    ("api, resident MB", 2.0),
    ("worker, resident MB", 2.0),
    ("Redis, used MB", 2.0),
    ("api, open files", 8.0),
    ("worker, open files", 8.0),
    ("api, connections of clients", 8.0),
    ("Redis, connections", 4.0),
    ("Redis, keys", 100.0),
    ("Redis, searches that wait", 20.0),
];

/// Resident memory of API and worker without load, MB.
pub(super) struct Idle([f64; 2]);

impl Idle {
    pub(super) fn of(stack: &mut Stack) -> Self {
        let api = stack.api.process().id();
        Self([api, stack.workers[0].process().id()].map(megabytes))
    }
}

impl fmt::Display for Idle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [api, worker] = self.0.map(digits);
        write!(f, "api {api} MB, worker {worker} MB")
    }
}

pub(super) struct Watch {
    client: Client,
    api: u32,
    worker: u32,
    redis: MultiplexedConnection,
    samples: [Vec<f64>; SERIES.len()],
}

impl Watch {
    pub(super) async fn new(stack: &mut Stack) -> Self {
        Self {
            client: stack.client().clone(),
            api: stack.api.process().id(),
            worker: stack.workers[0].process().id(),
            redis: stack.redis.connection().await,
            samples: Default::default(),
        }
    }

    pub(super) async fn run(&mut self, span: Duration) {
        let (mut beat, end) = (interval(EVERY), Instant::now() + span);
        while Instant::now() < end {
            beat.tick().await;
            let now = self.look().await;
            for (series, value) in self.samples.iter_mut().zip(now) {
                series.push(value);
            }
        }
    }

    async fn look(&mut self) -> [f64; SERIES.len()] {
        let memory = self.information("memory", "used_memory").await;
        let clients = self.information("clients", "connected_clients").await;
        let (keys, waiting): (f64, f64) = redis::pipe()
            .cmd("DBSIZE")
            .cmd("ZCARD")
            .arg(privachat_core::keys::LIVE)
            .query_async(&mut self.redis)
            .await
            .expect("counts of Redis");
        [
            megabytes(self.api),
            megabytes(self.worker),
            memory / 1e6,
            files(self.api),
            files(self.worker),
            established_connections(&self.client) as f64,
            clients,
            keys,
            waiting,
        ]
    }

    async fn information(&mut self, part: &str, name: &str) -> f64 {
        let value = redis_info::value(&mut self.redis, part, name).await;
        value.expect("a value").parse().expect("a number")
    }

    /// Medians of the first third and the last.
    fn thirds(&self) -> impl Iterator<Item = (f64, f64)> {
        self.samples.iter().map(|series| {
            let third = series.len().div_ceil(3);
            let last = series.len().saturating_sub(third);
            (median(&series[..third]), median(&series[last..]))
        })
    }

    pub(super) fn table(&self) -> String {
        let mut table = format!(
            "{} looks; what the last third may have above the first: {TOLERANCE} %, and what is noise\n\n\
             | what | first third | last third | most | may grow by |\n|---|---:|---:|---:|---:|\n",
            self.samples[0].len()
        );
        let rows = SERIES.iter().zip(&self.samples).zip(self.thirds());
        for (((name, noise), series), (first, last)) in rows {
            let most = series.iter().copied().fold(0.0, f64::max);
            let (most, bound) = (digits(most), digits(allowed(first, *noise) - first));
            let (first, last) = (digits(first), digits(last));
            let _ = writeln!(table, "| {name} | {first} | {last} | {most} | {bound} |");
        }
        table
    }

    /// The series that grew.
    pub(super) fn grown(&self) -> Vec<String> {
        let grown = SERIES.iter().zip(self.thirds());
        grown
            .filter(|((_, noise), (first, last))| *last > allowed(*first, *noise))
            .map(|((name, _), (first, last))| {
                format!("{name}: {} → {}", digits(first), digits(last))
            })
            .collect()
    }
}

fn allowed(first: f64, noise: f64) -> f64 {
    first * (1.0 + TOLERANCE / 100.0) + noise
}

fn megabytes(process: u32) -> f64 {
    resident_kib(process) as f64 * 1024.0 / 1e6
}

/// Entries of /proc/<process>/fd.
fn files(process: u32) -> f64 {
    let folder = fs::read_dir(format!("/proc/{process}/fd")).expect("a running process");
    folder.count() as f64
}
