//! One file for each row of the table.

mod corpus;
mod depth;
mod drain;
mod http;
mod latency;
mod memory;
mod pipeline;

use crate::figures::{Goal, Row};
use crate::scale::Scale;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use std::panic::AssertUnwindSafe;

type Measuring = fn(Scale) -> LocalBoxFuture<'static, Row>;

/// The name for BENCH_ROWS, the title, and the measurement.
const ROWS: [(&str, &str, Measuring); 9] = [
    ("poll", "Status poll of a finished 20 KB record", |scale| {
        http::poll(scale).boxed_local()
    }),
    ("post", "Async POST, validated and safe", |scale| {
        http::post(scale).boxed_local()
    }),
    ("latency", "Async POST at 500 a second", |scale| {
        latency::post(scale).boxed_local()
    }),
    (
        "start",
        "POST until the worker starts, 100 a second",
        |scale| latency::start(scale).boxed_local(),
    ),
    ("drain", "No-op jobs drained by one worker", |scale| {
        drain::drain(scale).boxed_local()
    }),
    ("depth", "Cost of a job when the queue is deep", |scale| {
        depth::depth(scale).boxed_local()
    }),
    ("pipeline", "Pipeline, wall time / critical path", |scale| {
        pipeline::pipeline(scale).boxed_local()
    }),
    ("memory", "Idle memory", |scale| {
        memory::memory(scale).boxed_local()
    }),
    ("corpus", "Local corpus", |scale| {
        corpus::corpus(scale).boxed_local()
    }),
];

/// Measures the selected rows one by one. A failing row is reported as such; the others continue.
pub(crate) async fn run(scale: &Scale, each: impl Fn(&Row)) -> Vec<Row> {
    let mut rows = Vec::new();
    for (name, what, measure) in ROWS {
        if !scale.wants(name) {
            continue;
        }
        eprintln!("measuring: {what} ({name})");
        let measuring = AssertUnwindSafe(measure(scale.clone())).catch_unwind();
        let row = match measuring.await {
            Ok(row) => row,
            Err(_broken) => Row {
                goals: vec![Goal::not_measured(
                    "",
                    "the measurement broke off; its output says why",
                )],
                ..Row::default()
            },
        };
        let row = Row {
            what: what.to_owned(),
            ..row
        };
        each(&row);
        rows.push(row);
    }
    rows
}
