//! The processes of a run: Redis, a proxy in front of each of its clients, two APIs, and four
//! workers, one of which has a skewed clock.

use std::fs;
use std::time::Duration;

use redis::AsyncCommands;
use tempfile::TempDir;

use super::log::{Entry, Log, now_ms};
use super::plan::{APIS, WORKERS};
use super::skewed_clock;
use crate::process::{Process, isolated};
use crate::programs::{Api, Binaries, Environment};
use crate::proxy::free_port;
use crate::redis::Options;
use crate::wait::eventually;
use crate::{Proxy, RedisServer, Upstream};

/// Seconds; the shortest that the settings allow.
pub(super) const LEASE: u64 = 3;
pub(super) const MAX_ATTEMPTS: u64 = 3;
/// The number of the worker with the skewed clock.
const SKEWED_WORKER: usize = WORKERS - 1;

/// Fields are dropped in this order: the programs before what they use.
pub(super) struct Deployment {
    pub(super) workers: Vec<WorkerProcess>,
    pub(super) apis: Vec<Api>,
    proxies: Vec<Proxy>,
    pub(super) redis: RedisServer,
    ports: Vec<u16>,
    binaries: Binaries,
    environment: Environment,
    skewed_clock_environment: Environment,
    log: Log,
    workers_started: usize,
    folder: TempDir,
}

pub(super) struct WorkerProcess {
    name: String,
    pub(super) process: Process,
    leaving: bool,
}

impl Deployment {
    /// Starts everything; waits until both APIs are ready and every worker has sent a heartbeat.
    pub(super) async fn start(binaries: Binaries, searxng: &Upstream, log: Log) -> Self {
        let redis = RedisServer::with(Options {
            aof: true,
            tcp: true,
            ..Options::default()
        })
        .await;
        let folder = TempDir::with_prefix("privachat-chaos-").expect("a temporary folder");
        let history = folder.path().join("history.db");
        let environment = [
            ("DATABASE_URL", format!("sqlite://{}", history.display())),
            ("SEARXNG_BASE_URL", searxng.url()),
            ("WIKIPEDIA_BASE_URL", "off".into()),
            ("JOB_LEASE_SECONDS", LEASE.to_string()),
            ("JOB_MAX_ATTEMPTS", MAX_ATTEMPTS.to_string()),
            ("DRAIN_SECONDS", "1".into()),
            ("LOG_FORMAT", "json".into()),
        ];
        let proxies = (0..WORKERS + APIS).map(|_| Proxy::start(redis.address()));
        let mut deployment = Self {
            workers: Vec::new(),
            apis: Vec::new(),
            proxies: proxies.collect(),
            redis,
            ports: (0..APIS).map(|_| free_port()).collect(),
            binaries,
            environment: environment
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            skewed_clock_environment: skewed_clock::environment(),
            log,
            workers_started: 0,
            folder,
        };
        for number in 0..APIS {
            let mut api = deployment.open(number).await;
            api.ready().await;
            deployment.apis.push(api);
        }
        for number in 0..WORKERS {
            let worker = deployment.start_worker(number);
            deployment.workers.push(worker);
        }
        deployment.wait_for_workers().await;
        deployment
    }

    /// The addresses of the APIs, which do not change.
    pub(super) fn addresses(&self) -> Vec<String> {
        let address = |port| format!("http://127.0.0.1:{port}");
        self.ports.iter().map(address).collect()
    }

    /// Proxies of the workers come first, then those of the APIs.
    pub(super) fn proxy(&self, number: usize) -> &Proxy {
        &self.proxies[number]
    }

    pub(super) fn worker(&mut self, number: usize) -> &mut Process {
        &mut self.workers[number].process
    }

    /// The name of the process behind a proxy.
    pub(super) fn client_name(&self, proxy: usize) -> String {
        match self.workers.get(proxy) {
            Some(worker) => worker.name.clone(),
            None => format!("api-{}", proxy - WORKERS),
        }
    }

    /// SIGTERM.
    pub(super) fn terminate_worker(&mut self, number: usize) {
        self.workers[number].leaving = true;
        self.workers[number].process.term();
    }

    /// SIGKILL if it still runs, and a new worker with its number.
    pub(super) fn replace_worker(&mut self, number: usize) {
        self.workers[number].process.kill();
        self.workers[number] = self.start_worker(number);
    }

    /// SIGKILL, and a new process at the same address.
    pub(super) async fn restart_api(&mut self, number: usize) {
        self.apis[number].process().kill();
        self.apis[number] = self.open(number).await;
    }

    /// Logs and replaces workers that ended without being killed.
    pub(super) fn replace_dead_workers(&mut self) {
        for number in 0..WORKERS {
            let worker = &mut self.workers[number];
            if !worker.leaving && worker.process.exited().is_some() {
                let name = worker.name.clone();
                self.log.note(Entry::ProcessEnded { at: now_ms(), name });
                self.replace_worker(number);
            }
        }
    }

    /// Adds the logs of all workers, also of ended ones.
    pub(super) fn note_lines(&self) {
        for number in 0..self.workers_started {
            let worker = format!("worker-{number}");
            let path = self.folder.path().join(format!("{worker}.log"));
            let text = fs::read_to_string(path).unwrap_or_default();
            // The last line of a killed worker may be incomplete.
            for line in text
                .lines()
                .filter_map(|line| serde_json::from_str(line).ok())
            {
                let worker = worker.clone();
                self.log.note(Entry::Line { worker, line });
            }
        }
    }

    fn start_worker(&mut self, number: usize) -> WorkerProcess {
        let name = format!("worker-{}", self.workers_started);
        self.workers_started += 1;
        let mut command = isolated(self.binaries.worker);
        if number == SKEWED_WORKER {
            command.envs(self.skewed_clock_environment.clone());
        }
        command
            .current_dir(self.folder.path())
            .envs(&self.environment)
            .env("REDIS_URL", self.redis_url(number))
            .env("WORKER_NAME", &name);
        let process = Process::spawn(&name, command, self.folder.path());
        WorkerProcess {
            name,
            process,
            leaving: false,
        }
    }

    async fn open(&self, number: usize) -> Api {
        let folder = self.folder.path().join(format!("api-{number}"));
        fs::create_dir_all(&folder).expect("a folder for an API");
        let mut environment = self.environment.clone();
        environment.insert("REDIS_URL".into(), self.redis_url(WORKERS + number));
        environment.insert("API_PORT".into(), self.ports[number].to_string());
        Api::start(self.binaries.api, &environment, &folder).await
    }

    fn redis_url(&self, proxy: usize) -> String {
        format!("redis://{}/0", self.proxies[proxy].address())
    }

    async fn wait_for_workers(&self) {
        let mut redis = self.redis.connection().await;
        let within = Duration::from_secs(20);
        eventually("every worker sends heartbeats", within, async || {
            let there: usize = redis.zcard("{search}:workers").await.ok()?;
            (there >= WORKERS).then_some(())
        })
        .await;
    }
}
