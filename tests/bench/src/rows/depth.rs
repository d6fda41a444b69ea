//! The cost of a job while ten others wait, and while a million do.

use crate::engine;
use crate::figures::{Figure, Goal, Row, Verdict, digits};
use crate::scale::Scale;
use privachat_core::jobs::Jobs;
use privachat_tests::redis::RedisServer;
use std::time::Instant;
use tokio::task::JoinSet;

const SHALLOW: usize = 10;
/// The bound in percent, up or down.
const MAX_CHANGE: f64 = 10.0;
/// Jobs of one round, at most.
const JOBS_PER_ROUND: usize = 10_000;

/// A queue of constant depth.
struct Side {
    jobs: Jobs,
    _server: RedisServer,
    cost: Figure,
}

impl Side {
    async fn fill(depth: usize) -> Self {
        let server = crate::redis::server().await;
        let jobs = engine::open(&server.url()).expect("the address of our own Redis");
        engine::submit(&jobs, depth).await.expect("a full queue");
        Self {
            jobs,
            _server: server,
            cost: Figure::new(&format!("{depth} waiting"), "µs/job"),
        }
    }

    /// This many jobs in, this many out.
    async fn turn(&self, count: usize) -> f64 {
        let began = Instant::now();
        engine::submit(&self.jobs, count).await.expect("jobs");
        engine::drain(&self.jobs, count).await.expect("their ends");
        began.elapsed().as_secs_f64() * 1e6 / count as f64
    }
}

pub(crate) async fn depth(scale: Scale) -> Row {
    let count = JOBS_PER_ROUND.min(scale.jobs);
    let mut sides = [Side::fill(SHALLOW).await, Side::fill(scale.depth).await];
    let mut sweepers = JoinSet::new();
    for side in &sides {
        // Opens connections, loads scripts and allocates memory.
        side.turn(count / 4 + 1).await;
        sweepers.spawn(engine::sweep(side.jobs.clone()));
    }
    for _ in 0..scale.rounds {
        for side in &mut sides {
            let cost = side.turn(count).await;
            side.cost.samples.push(cost);
        }
    }
    sweepers.shutdown().await;
    let [shallow, deep] = sides.map(|side| side.cost);
    let change = 100.0 * (deep.median() / shallow.median() - 1.0);
    Row {
        goals: vec![Goal {
            text: format!("flat, ± {MAX_CHANGE} %"),
            measured: format!(
                "{change:+.1} % from {SHALLOW} to {} ({} → {} µs)",
                scale.depth,
                digits(shallow.median()),
                digits(deep.median())
            ),
            verdict: match change.abs() <= MAX_CHANGE {
                true => Verdict::Met,
                false => Verdict::Missed,
            },
        }],
        figures: vec![shallow, deep],
        notes: vec![format!(
            "Submitting and draining {count} jobs a turn through the engine, sweepers running, on two Redis \
             servers: one whose queue holds {SHALLOW} real jobs, and one whose queue holds {}.",
            scale.depth
        )],
        ..Row::default()
    }
}
