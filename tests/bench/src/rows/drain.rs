//! Jobs per second that do nothing, through one worker: of the service and of other queues.

mod queues;

use crate::figures::{Figure, Goal, Row};
use crate::programs::Peers;
use crate::scale::Scale;
use crate::sites::web;
use privachat_tests::process::Process;
use privachat_tests::redis::RedisServer;
use queues::{Queue, asynq, bullmq, celery, engine, worker};
use redis::aio::MultiplexedConnection;
use std::path::Path;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const UNIT: &str = "jobs/s";
const LOOK_EVERY: Duration = Duration::from_millis(5);
/// The measurement begins after this share of jobs, with everything started and warm.
const WARM_UP: f64 = 0.05;
const LONGEST: Duration = Duration::from_secs(180);

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
    let web = web();
    let mut queues = vec![engine(scale.jobs), worker(scale.jobs, &web, folder.path())];
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

const NOTES: [&str; 3] = [
    "All jobs wait when the worker starts; the rate is that from 5 % done to the end, by the lengths of \
     each one's own lists, so that starting a process and its imports do not count. One worker each, as \
     its documentation sets it up (tests/bench/peers).",
    "Ours: 32 slots and the sweeper; claim with a lease and a nonce, watch list, result with TTL, events, \
     and a list of what is to be stored; at least once, and stale workers are fenced. BullMQ: at least \
     once with locks, events, results without TTL, no fencing of the result by attempt; concurrency 50. \
     Celery: prefork on 2 processes, late acknowledgement (a lost worker's tasks come back after an hour), \
     results with TTL. asynq: leases, no results.",
    "The other line of ours is no no-op: it is the whole worker daemon with its default settings, each job \
     a search that is answered from the cache, told in events, written as a record of its own and stored \
     in the history (SQLite); it counts as done when it is stored.",
];

async fn turn(queue: &Queue, server: &RedisServer, folder: &Path) -> f64 {
    crate::redis::empty(server).await;
    let mut enqueue = Process::spawn("enqueue", (queue.enqueue)(server), folder);
    let code = enqueue.exit_code(LONGEST).await;
    assert_eq!(code, 0, "{}: {}", queue.name, enqueue.output());
    let mut connection = server.connection().await;
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
