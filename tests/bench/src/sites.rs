//! The three HTTP services that answer the same poll and the same POST, on one Redis.

use crate::load::RepeatedRequest;
use crate::programs::{Peers, binaries, this};
use crate::redis::steady;
use privachat_bench::record::response;
use privachat_core::jobs::{ClaimResult, QueueEntry};
use privachat_core::mode::Mode;
use privachat_tests::fixtures::job;
use privachat_tests::process::Process;
use privachat_tests::proxy::free_port;
use privachat_tests::redis::{Options, RedisServer};
use privachat_tests::upstream::{Upstream, searxng};
use privachat_tests::{Client, Stack, eventually};
use std::time::Duration;
use uuid::Uuid;

/// Longer than a Python process needs for its imports on a busy machine.
const START_TIMEOUT: Duration = Duration::from_secs(60);
/// The least size of a finished record, in bytes.
const MIN_RECORD_BYTES: usize = 20 * 1024;
pub(crate) const SUBMITTED: &str = r#"{"query": "What is the difference between a mutex and a semaphore?", "mode": "speed", "async_mode": true}"#;

pub(crate) const OURS: &str = "PrivaChat Search";
pub(crate) const BARE: &str = "a bare actix handler";
pub(crate) const FASTAPI: &str = "FastAPI, 2 processes";

/// One of the services.
pub(crate) struct Site {
    pub(crate) name: &'static str,
    base: String,
    poll: String,
    submit: &'static str,
    _process: Option<Process>,
}

impl Site {
    pub(crate) fn poll(&self) -> RepeatedRequest {
        RepeatedRequest {
            url: format!("{}{}", self.base, self.poll),
            body: None,
        }
    }

    pub(crate) fn submit(&self) -> RepeatedRequest {
        RepeatedRequest {
            url: format!("{}{}", self.base, self.submit),
            body: Some(SUBMITTED.to_owned()),
        }
    }
}

/// All services; fields are dropped in this order.
pub(crate) struct Sites {
    pub(crate) sites: Vec<Site>,
    /// Missing peers with the reasons.
    pub(crate) missing: Vec<(&'static str, String)>,
    pub(crate) stack: Stack,
}

/// A search engine with results for [`SUBMITTED`].
pub(crate) fn web() -> Upstream {
    let text =
        "The difference between a mutex and a semaphore is that a mutex is held by one thread.";
    let address = "https://docs.example/mutex";
    let found = searxng::Result::new("Mutex and semaphore", address, text);
    searxng::finding(vec![found])
}

/// The service as deployed, except for the limit of its queue, which a load test would reach, and
/// for the file of Redis, see [`steady`].
pub(crate) async fn service(workers: usize, settings: &[(&str, &str)]) -> Stack {
    service_on(steady(), workers, settings).await
}

pub(crate) async fn service_on(redis: Options, workers: usize, settings: &[(&str, &str)]) -> Stack {
    let mut builder = Stack::builder(binaries())
        .workers(workers)
        .redis(redis)
        .env("MAX_QUEUE_LENGTH", 100_000_000)
        .env("WIKIPEDIA_BASE_URL", "off");
    for (name, value) in settings {
        builder = builder.env(name, value);
    }
    builder.start().await
}

impl Sites {
    /// Starts them, with a finished record to poll for.
    pub(crate) async fn start() -> Self {
        let stack = service(0, &[]).await;
        let id = finished_record(&stack.redis).await;
        let ours = Site {
            name: OURS,
            base: stack.client().base().to_owned(),
            poll: format!("/api/v1/search/status/{id}"),
            submit: "/api/v1/search",
            _process: None,
        };
        let mut sites = vec![ours, bare(&stack, id).await];
        let mut missing = Vec::new();
        match fastapi(&stack, id).await {
            Ok(site) => sites.push(site),
            Err(reason) => missing.push((FASTAPI, reason)),
        }
        Self {
            sites,
            missing,
            stack,
        }
    }
}

async fn bare(stack: &Stack, id: Uuid) -> Site {
    let file = stack.folder().join("bare.addr");
    let mut command = this("bare-server");
    command.arg(stack.redis.url()).arg(&file);
    let process = Process::spawn("bare", command, stack.folder());
    let address = eventually("the bare server listens", START_TIMEOUT, async || {
        std::fs::read_to_string(&file)
            .ok()
            .filter(|text| !text.is_empty())
    })
    .await;
    peer(BARE, process, &address, id).await
}

async fn fastapi(stack: &Stack, id: Uuid) -> Result<Site, String> {
    let peers = Peers::here();
    let mut command = peers.program("fastapi/bin/python")?;
    let port = free_port().to_string();
    command
        .arg(peers.sources.join("fastapi/serve.py"))
        .args(["127.0.0.1", &port])
        .env("REDIS_URL", stack.redis.url())
        .env("PYTHONDONTWRITEBYTECODE", "1");
    let process = Process::spawn("fastapi", command, stack.folder());
    Ok(peer(FASTAPI, process, &format!("127.0.0.1:{port}"), id).await)
}

async fn peer(name: &'static str, mut process: Process, address: &str, id: Uuid) -> Site {
    let (base, poll) = (format!("http://{address}"), format!("/poll/{id}"));
    let client = Client::new(&base);
    eventually(&format!("{name} answers"), START_TIMEOUT, async || {
        process.assert_alive();
        (client.status_of(&poll).await == Some(200)).then_some(())
    })
    .await;
    Site {
        name,
        base,
        poll,
        submit: "/submit",
        _process: Some(process),
    }
}

/// A finished search as the engine stores it; the peers get the same bytes under a key of theirs.
async fn finished_record(redis: &RedisServer) -> Uuid {
    let jobs = crate::engine::open(&redis.url()).expect("the address of our own Redis");
    let id = Uuid::new_v4();
    jobs.enqueue(&job(id)).await.expect("a job");
    let mode = Mode::Speed;
    let entries = jobs.consumer().dequeue(&[mode], 0).await.expect("an entry");
    assert_eq!(entries, [QueueEntry { id, mode }]);
    let claim = jobs
        .claim(QueueEntry { id, mode }, "bench", START_TIMEOUT)
        .await;
    let Ok(ClaimResult::Started { lease, .. }) = claim else {
        panic!("{claim:?}");
    };
    let result = serde_json::to_vec(&response(id)).expect("a response");
    assert!(result.len() >= MIN_RECORD_BYTES);
    jobs.finish(&lease, Ok(&result)).await.expect("the end");
    jobs.mark_done(id, mode).await.expect("the end of the end");
    let mut connection = redis.connection().await;
    let mut set = redis::cmd("SET");
    set.arg(format!("peer:{id}")).arg(result);
    let () = set
        .query_async(&mut connection)
        .await
        .expect("the peers' record");
    id
}
