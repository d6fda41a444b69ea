//! The queues to drain, each with its producer and its worker.

use crate::programs::{Peers, binaries, this};
use privachat_core::keys;
use privachat_tests::Upstream;
use privachat_tests::process::isolated;
use privachat_tests::redis::RedisServer;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One queue: its producer, its worker, and the lengths that show what is left.
pub(super) struct Queue {
    pub(super) name: &'static str,
    pub(super) jobs: usize,
    pub(super) left: &'static [(&'static str, &'static str)],
    pub(super) enqueue: Box<dyn Fn(&RedisServer) -> Command>,
    pub(super) work: Box<dyn Fn(&RedisServer) -> Command>,
}

/// The service's job engine with a worker that does nothing else.
pub(super) fn engine(jobs: usize) -> Queue {
    let role = move |role: &'static str| {
        move |server: &RedisServer| {
            let mut command = this(role);
            command.arg(server.url()).arg(jobs.to_string());
            command
        }
    };
    Queue {
        name: "PrivaChat Search, job engine",
        jobs,
        left: &[("ZCARD", keys::LIVE)],
        enqueue: Box::new(role("submit")),
        work: Box::new(role("worker")),
    }
}

/// The deployed worker, with searches that it finds in its cache.
pub(super) fn worker(jobs: usize, web: &Upstream, folder: &Path) -> Queue {
    let jobs = (jobs / 5).max(1);
    let database = format!("sqlite://{}", folder.join("history.db").display());
    let engine = web.url();
    Queue {
        name: "PrivaChat Search, whole worker",
        jobs,
        left: &[("ZCARD", keys::LIVE), ("ZCARD", keys::UNSAVED)],
        enqueue: Box::new(move |server| {
            let mut command = this("submit-searches");
            command.arg(server.url()).arg(jobs.to_string());
            command
        }),
        work: Box::new(move |server| {
            let mut command = isolated(binaries().worker);
            command
                .env("REDIS_URL", server.url())
                .env("DATABASE_URL", &database)
                .env("SEARXNG_BASE_URL", &engine)
                .env("WIKIPEDIA_BASE_URL", "off")
                .env("CACHE_TTL_SECONDS", "3600");
            command
        }),
    }
}

pub(super) fn bullmq(peers: &Peers, jobs: usize) -> Result<Queue, String> {
    peers.program("bullmq/node_modules/bullmq")?;
    let script = peers.installed.join("bullmq/queue.js");
    let role = move |role: &'static str| {
        let script = script.clone();
        move |server: &RedisServer| {
            let mut command = isolated("node");
            command
                .arg(&script)
                .arg(role)
                .arg(server.port().to_string());
            command.arg(jobs.to_string());
            command
        }
    };
    Ok(Queue {
        name: "BullMQ",
        jobs,
        left: &[("LLEN", "bull:bench:wait"), ("LLEN", "bull:bench:active")],
        enqueue: Box::new(role("enqueue")),
        work: Box::new(role("work")),
    })
}

pub(super) fn celery(peers: &Peers, jobs: usize) -> Result<Queue, String> {
    // Its rate is a tenth of the others': fewer jobs take as long.
    let jobs = (jobs / 5).max(1);
    // Not its script, which names its installation folder: that may have moved.
    const PYTHON: &str = "celery/bin/python";
    peers.program(PYTHON)?;
    let sources = peers.sources.join("celery");
    let command = |arguments: Vec<String>| {
        let (peers, sources): (Peers, PathBuf) = (peers.clone(), sources.clone());
        move |server: &RedisServer| {
            let mut command = peers.program(PYTHON).expect("it was there");
            command.args(&arguments).current_dir(&sources);
            command.env("REDIS_URL", server.url());
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
    };
    let worker = [
        "-m",
        "celery",
        "--app",
        "tasks",
        "worker",
        "--pool",
        "prefork",
        "--concurrency",
        "2",
        "--without-gossip",
        "--without-mingle",
        "--loglevel",
        "WARNING",
    ];
    Ok(Queue {
        name: "Celery",
        jobs,
        left: &[("LLEN", "celery"), ("HLEN", "unacked")],
        enqueue: Box::new(command(vec!["tasks.py".to_owned(), jobs.to_string()])),
        work: Box::new(command(worker.map(str::to_owned).to_vec())),
    })
}

pub(super) fn asynq(peers: &Peers, jobs: usize) -> Result<Queue, String> {
    peers.program("asynq/asynq")?;
    let role = |role: &'static str| {
        let peers = peers.clone();
        move |server: &RedisServer| {
            let mut command = peers.program("asynq/asynq").expect("it was there");
            command.arg(role).arg(server.port().to_string());
            command.arg(jobs.to_string());
            command
        }
    };
    Ok(Queue {
        name: "asynq",
        jobs,
        left: &[
            ("LLEN", "asynq:{default}:pending"),
            ("LLEN", "asynq:{default}:active"),
        ],
        enqueue: Box::new(role("enqueue")),
        work: Box::new(role("work")),
    })
}
