//! The whole service: Redis, history, an API and workers, in one temporary folder.

use std::path::Path;

use redis::aio::MultiplexedConnection;
use tempfile::TempDir;

use crate::client::Client;
use crate::programs::{Api, Binaries, Environment, Worker};
use crate::redis::{Options, RedisServer};
use crate::upstream::Upstream;

/// A Redis that a stack can use.
pub trait RedisBackend {
    /// For REDIS_URL.
    fn url(&self) -> String;
    /// One connection to each server with keys, to inspect them.
    fn connections(&self) -> impl Future<Output = Vec<MultiplexedConnection>>;
}

/// Fields are dropped in this order: the programs before their Redis.
#[derive(Debug)]
pub struct Stack<Redis = RedisServer> {
    pub workers: Vec<Worker>,
    pub api: Api,
    pub redis: Redis,
    binaries: Binaries,
    api_environment: Environment,
    worker_environment: Environment,
    started: usize,
    folder: TempDir,
}

#[derive(Debug)]
pub struct StackBuilder {
    binaries: Binaries,
    workers: usize,
    redis: Options,
    started: Option<RedisServer>,
    both: Environment,
    api: Environment,
    worker: Environment,
}

impl Stack {
    /// The defaults: one worker, a Redis on a socket, SQLite, no provider and no model.
    pub fn builder(binaries: Binaries) -> StackBuilder {
        let empty = Environment::new;
        StackBuilder {
            binaries,
            workers: 1,
            redis: Options::default(),
            started: None,
            both: empty(),
            api: empty(),
            worker: empty(),
        }
    }
}

impl<Redis> Stack<Redis> {
    pub fn client(&self) -> &Client {
        self.api.client()
    }

    /// The folder of all processes: logs, `history.db`, the corpus index.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Starts one more worker with the same settings.
    pub fn add_worker(&mut self) -> &mut Worker {
        self.add_worker_with(&[])
    }

    /// Like [`add_worker`](Self::add_worker), with extra settings.
    pub fn add_worker_with(&mut self, own: &[(&str, &str)]) -> &mut Worker {
        let environment = on_top(&self.worker_environment, own);
        let name = format!("worker-{}", self.started);
        self.started += 1;
        let worker = Worker::start(
            &name,
            self.binaries.worker,
            &environment,
            self.folder.path(),
        );
        self.workers.push(worker);
        self.workers.last_mut().expect("the worker just started")
    }

    /// Starts one more API on the same Redis and database.
    pub async fn start_api(&self) -> Api {
        self.start_api_with(&[]).await
    }

    /// Like [`start_api`](Self::start_api), with extra settings.
    pub async fn start_api_with(&self, own: &[(&str, &str)]) -> Api {
        let folder = TempDir::with_prefix_in("api-", self.folder.path()).expect("a folder");
        let folder = folder.keep();
        let environment = on_top(&self.api_environment, own);
        let mut api = Api::start(self.binaries.api, &environment, &folder).await;
        api.ready().await;
        api
    }

    /// SIGKILL to the API, and a new one at another address.
    pub async fn replace_api(&mut self) {
        self.api.process().kill();
        self.api = Api::start(self.binaries.api, &self.api_environment, self.folder.path()).await;
        self.api.ready().await;
    }
}

fn on_top(environment: &Environment, own: &[(&str, &str)]) -> Environment {
    let mut environment = environment.clone();
    environment.extend(own.iter().map(|(name, value)| {
        let (name, value) = (*name, *value);
        (name.to_owned(), value.to_owned())
    }));
    environment
}

impl StackBuilder {
    pub fn workers(mut self, count: usize) -> Self {
        self.workers = count;
        self
    }

    /// How the Redis of the stack is set up.
    pub fn redis(mut self, options: Options) -> Self {
        self.redis = options;
        self
    }

    /// Uses a running Redis: to put a [`Proxy`](crate::Proxy) before it, or to give two stacks one
    /// Redis, one after the other.
    pub fn on_redis(mut self, redis: RedisServer) -> Self {
        self.started = Some(redis);
        self
    }

    /// A setting of the API and the workers.
    pub fn env(mut self, name: &str, value: impl ToString) -> Self {
        self.both.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn api_env(mut self, name: &str, value: impl ToString) -> Self {
        self.api.insert(name.to_owned(), value.to_string());
        self
    }

    pub fn worker_env(mut self, name: &str, value: impl ToString) -> Self {
        self.worker.insert(name.to_owned(), value.to_string());
        self
    }

    /// Makes this double of SearXNG the only engine.
    pub fn with_searxng(self, searxng: &Upstream) -> Self {
        self.env("SEARXNG_BASE_URL", searxng.url())
            .env("WIKIPEDIA_BASE_URL", "off")
    }

    /// Starts everything and waits until the API is ready.
    pub async fn start(self) -> Stack {
        let mut stack = self.start_unready().await;
        stack.api.ready().await;
        stack
    }

    /// Starts everything but waits only until the API listens: what it needs may be down.
    pub async fn start_unready(mut self) -> Stack {
        let redis = match self.started.take() {
            Some(redis) => redis,
            None => RedisServer::with(self.redis.clone()).await,
        };
        self.launch(redis).await
    }

    /// Like [`start`](Self::start), on running servers.
    pub async fn start_on<Redis: RedisBackend>(self, redis: Redis) -> Stack<Redis> {
        let mut stack = self.launch(redis).await;
        stack.api.ready().await;
        stack
    }

    async fn launch<Redis: RedisBackend>(self, redis: Redis) -> Stack<Redis> {
        let folder = TempDir::with_prefix("privachat-stack-").expect("a temporary folder");

        let mut defaults = Environment::new();
        defaults.insert("REDIS_URL".into(), redis.url());
        defaults.insert(
            "DATABASE_URL".into(),
            format!("sqlite://{}", folder.path().join("history.db").display()),
        );
        defaults.insert("DRAIN_SECONDS".into(), "5".into());
        // Only tests with a load balancer need the delay before an API stops.
        defaults.insert("SHUTDOWN_DELAY_SECONDS".into(), "0".into());
        defaults.extend(self.both);
        let mut api_environment = defaults.clone();
        api_environment.extend(self.api);
        let mut worker_environment = defaults;
        worker_environment.extend(self.worker);

        let api = Api::start(self.binaries.api, &api_environment, folder.path()).await;
        let binaries = self.binaries;
        let mut stack = Stack {
            workers: Vec::new(),
            api,
            redis,
            binaries,
            api_environment,
            worker_environment,
            started: 0,
            folder,
        };
        for _ in 0..self.workers {
            stack.add_worker();
        }
        stack
    }
}
