//! What a job costs while ten others wait, and while a million do.

use crate::engine;
use crate::figures::{Figure, Goal, Row, Verdict, digits};
use crate::scale::Scale;
use privachat_core::jobs::Jobs;
use privachat_tests::redis::RedisServer;
use std::time::Instant;
use tokio::task::JoinSet;

const SHALLOW: usize = 10;
/// The bound: so many percent up or down.
const FLAT: f64 = 10.0;
/// Jobs of one turn, at most.
const TURN: usize = 10_000;

/// A queue that keeps its depth.
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

    /// So many jobs in, so many out.
    async fn turn(&self, count: usize) -> f64 {
        let began = Instant::now();
        engine::submit(&self.jobs, count).await.expect("jobs");
        engine::drain(&self.jobs, count).await.expect("their ends");
        began.elapsed().as_secs_f64() * 1e6 / count as f64
    }
}

pub(crate) async fn depth(scale: Scale) -> Row {
    let count = TURN.min(scale.jobs);
    let mut sides = [Side::fill(SHALLOW).await, Side::fill(scale.depth).await];
    let mut sweepers = JoinSet::new();
    for side in &sides {
        // Connections, scripts, and the memory that the first jobs ask for.
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
            text: format!("flat, ± {FLAT} %"),
            measured: format!(
                "{change:+.1} % from {SHALLOW} to {} ({} → {} µs)",
                scale.depth,
                digits(shallow.median()),
                digits(deep.median())
            ),
            verdict: match change.abs() <= FLAT {
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
