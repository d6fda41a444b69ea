//! Jobs that do nothing, a second, through one worker: ours, and those of other queues.

use crate::figures::{Figure, Goal, Row};
use crate::programs::{Peers, this};
use crate::scale::Scale;
use privachat_tests::process::Process;
use privachat_tests::redis::RedisServer;
use redis::aio::MultiplexedConnection;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const UNIT: &str = "jobs/s";
const OURS: &str = "PrivaChat Search, job engine";
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The measurement begins when so much is done, with everything started and warm.
const WARM_UP: f64 = 0.05;
const LONGEST: Duration = Duration::from_secs(180);

/// One queue: how jobs get in, who runs them, and which lengths are those that are left.
struct Queue {
    name: &'static str,
    jobs: usize,
    left: &'static [(&'static str, &'static str)],
    enqueue: Box<dyn Fn(&RedisServer) -> Command + Send + Sync>,
    work: Box<dyn Fn(&RedisServer) -> Command + Send + Sync>,
}

pub(crate) async fn drain(scale: Scale) -> Row {
    let server = crate::redis::server().await;
    let folder = TempDir::with_prefix("privachat-bench-").expect("a folder");
    let mut row = Row {
        notes: NOTES.map(str::to_owned).to_vec(),
        ..Row::default()
    };
    let goals = [
        ("BullMQ", Some(1.5)),
        ("Celery", Some(10.0)),
        ("asynq", None),
    ];
    let peers = Peers::here();
    let found = [
        bullmq(&peers, scale.jobs),
        celery(&peers, scale.jobs),
        asynq(&peers, scale.jobs),
    ];
    let mut missing = Vec::new();
    let mut queues = vec![ours(scale.jobs)];
    for (queue, (name, _)) in found.into_iter().zip(goals) {
        match queue {
            Ok(queue) => queues.push(queue),
            Err(reason) => missing.push((name, reason)),
        }
    }
    row.figures = queues.iter().map(|it| Figure::new(it.name, UNIT)).collect();
    for _ in 0..scale.rounds {
        for (queue, figure) in queues.iter().zip(&mut row.figures) {
            figure
                .samples
                .push(turn(queue, &server, folder.path()).await);
        }
    }
    for (name, factor) in goals {
        let missing = missing.iter().find(|(it, _)| *it == name);
        let theirs = row.figures.iter().find(|it| it.side == name);
        match (factor, theirs, missing) {
            (Some(factor), Some(theirs), _) => {
                row.goals.push(Goal::ratio(factor, &row.figures[0], theirs));
            }
            (Some(factor), None, Some((_, reason))) => {
                let text = format!("≥ {factor} × {name}");
                row.goals.push(Goal::not_measured(text, reason));
            }
            (None, None, Some((_, reason))) => {
                row.notes
                    .push(format!("{name} was not measured: {reason}."));
            }
            _ => {}
        }
    }
    row
}

const NOTES: [&str; 2] = [
    "All jobs wait when the worker starts; the rate is that from 5 % done to the end, by the lengths of \
     each one's own lists, so that starting a process and its imports do not count. One worker each, as \
     its documentation sets it up (tests/bench/peers).",
    "Ours: 32 slots and the sweeper; claim with a lease and a nonce, watch list, result with TTL, events, \
     and a list of what is to be stored; at least once, and stale workers are fenced. BullMQ: at least \
     once with locks, events, results without TTL, no fencing of the result by attempt; concurrency 50. \
     Celery: prefork on 2 processes, late acknowledgement (a lost worker's tasks come back after an hour), \
     results with TTL. asynq: leases, no results.",
];

async fn turn(queue: &Queue, server: &RedisServer, folder: &Path) -> f64 {
    crate::redis::empty(server).await;
    let mut enqueue = Process::spawn("enqueue", (queue.enqueue)(server), folder);
    let code = enqueue.exit_code(LONGEST).await;
    assert_eq!(code, 0, "{}: {}", queue.name, enqueue.output());
    let mut connection = server.connection().await;
    crate::redis::settled(&mut connection).await;
    let all = left(queue, &mut connection).await;
    assert_eq!(all, queue.jobs, "{}: jobs that wait", queue.name);
    let mut worker = Process::spawn("work", (queue.work)(server), folder);
    let (started, mut from) = (Instant::now(), None);
    loop {
        let (left, now) = (left(queue, &mut connection).await, Instant::now());
        let (at, of) = match from {
            None if (left as f64) < (1.0 - WARM_UP) * all as f64 => *from.insert((now, left)),
            None => (now, left),
            Some(from) => from,
        };
        if left == 0 {
            return of as f64 / (now - at).as_secs_f64();
        }
        worker.assert_alive();
        assert!(
            started.elapsed() < LONGEST,
            "{}: {}",
            queue.name,
            worker.output()
        );
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

async fn left(queue: &Queue, connection: &mut MultiplexedConnection) -> usize {
    let mut pipeline = redis::pipe();
    pipeline.atomic();
    for (length, key) in queue.left {
        pipeline.cmd(length).arg(*key);
    }
    let lengths: Vec<usize> = pipeline.query_async(connection).await.expect("lengths");
    lengths.iter().sum()
}

fn ours(jobs: usize) -> Queue {
    let role = move |role: &'static str| {
        move |server: &RedisServer| {
            let mut command = this(role);
            command.arg(server.url()).arg(jobs.to_string());
            command
        }
    };
    Queue {
        name: OURS,
        jobs,
        left: &[("ZCARD", privachat_core::keys::LIVE)],
        enqueue: Box::new(role("submit")),
        work: Box::new(role("worker")),
    }
}

fn bullmq(peers: &Peers, jobs: usize) -> Result<Queue, String> {
    peers.program("bullmq/node_modules/bullmq")?;
    let script = peers.installed.join("bullmq/queue.js");
    let role = move |role: &'static str| {
        let script = script.clone();
        move |server: &RedisServer| {
            let mut command = privachat_tests::process::isolated("node");
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

fn celery(peers: &Peers, jobs: usize) -> Result<Queue, String> {
    // It takes a tenth of the others' rate: fewer jobs last as long.
    let jobs = (jobs / 5).max(1);
    peers.program("celery/bin/celery")?;
    let sources = peers.sources.join("celery");
    let command = |peers: &Peers, program: &str, arguments: Vec<String>| {
        let (peers, program) = (peers.clone(), program.to_owned());
        let sources: PathBuf = sources.clone();
        move |server: &RedisServer| {
            let mut command = peers.program(&program).expect("it was there");
            command.args(&arguments).current_dir(&sources);
            command.env("REDIS_URL", server.url());
            command.env("PYTHONDONTWRITEBYTECODE", "1");
            command
        }
    };
    let worker = [
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
        enqueue: Box::new(command(
            peers,
            "celery/bin/python",
            vec!["tasks.py".to_owned(), jobs.to_string()],
        )),
        work: Box::new(command(
            peers,
            "celery/bin/celery",
            worker.map(str::to_owned).to_vec(),
        )),
    })
}

fn asynq(peers: &Peers, jobs: usize) -> Result<Queue, String> {
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
