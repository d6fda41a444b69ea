//! The rows of the crash table: each causes its fault in real processes and measures the time until
//! the recovery. The tests run each once with a short lease, `make recovery` many times with the
//! lease of a deployment.

pub mod api;
pub mod network;
pub mod redis;
pub mod workers;

use crate::upstream::{Reply, Request, searxng};
use crate::{Binaries, Stack, Upstream, fixtures};
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};
use std::time::{Duration, Instant};

/// How much too early a take-over may seem, measured by the clocks of two processes.
const CLOCK_TOLERANCE: Duration = Duration::from_secs(2);
/// The limit for "at once": nothing here waits for a timer.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long after the end of a lease the next sweep has found it.
const SWEEP: Duration = Duration::from_secs(2);

/// One fault and its recovery.
#[derive(Debug)]
pub struct Row {
    pub name: &'static str,
    bound: fn(Duration) -> Duration,
    play: fn(Scenario) -> LocalBoxFuture<'static, Duration>,
}

macro_rules! row {
    ($name:literal, $bound:expr, $play:path) => {
        $crate::recovery::Row {
            name: $name,
            bound: $bound,
            play: |scenario| Box::pin($play(scenario)),
        }
    };
}
use row;

/// Every row.
pub fn rows() -> Vec<&'static Row> {
    [&api::ROWS[..], &workers::ROWS, &network::ROWS, &redis::ROWS]
        .into_iter()
        .flatten()
        .collect()
}

impl Row {
    /// The longest time that the row allows, with leases of this length.
    pub fn bound(&self, lease: Duration) -> Duration {
        (self.bound)(lease)
    }

    /// Runs it once; returns how long the recovery took.
    pub async fn measure(&self, binaries: Binaries, lease: Duration) -> Duration {
        let took = (self.play)(Scenario { binaries, lease }).await;
        let bound = self.bound(lease).as_secs();
        println!(
            "recovery: {}: {:.3} s (bound {bound} s)",
            self.name,
            took.as_secs_f64()
        );
        took
    }

    /// Runs it once with a short lease and checks that it recovers in the right order. A test runs
    /// beside others on a busy machine; `make recovery` holds the times to their bounds.
    pub async fn assert_recovers(&self, binaries: Binaries) {
        let lease = Duration::from_secs(fixtures::LEASE);
        self.measure(binaries, lease).await;
    }
}

/// The environment of one row.
#[derive(Debug, Clone, Copy)]
pub struct Scenario {
    binaries: Binaries,
    lease: Duration,
}

impl Scenario {
    /// A stack with these leases whose only engine is this SearXNG.
    fn builder(self, searxng: &Upstream) -> crate::stack::StackBuilder {
        Stack::builder(self.binaries)
            .with_searxng(searxng)
            .env("JOB_LEASE_SECONDS", self.lease.as_secs())
    }

    /// More than any row allows: a slow recovery is measured, not cut off.
    fn timeout(self) -> Duration {
        self.lease * 4 + Duration::from_secs(20)
    }

    /// Waits for the end of a search; returns the time since `since`.
    async fn completed(self, stack: &Stack, id: &str, since: Instant) -> (Duration, Value) {
        let end = fixtures::wait_for_status(stack, id, "completed", self.timeout()).await;
        (since.elapsed(), end)
    }
}

/// A search that may take longer than a lease.
fn patient_question() -> Value {
    json!({"query": "What is gather?", "mode": "speed", "timeout": 60})
}

/// A SearXNG that returns results after a delay.
pub fn found_after(delay: Duration) -> Upstream {
    Upstream::start(move |request: &Request| {
        let query = request.parameter("q").unwrap_or_default();
        Reply::json(
            200,
            searxng::body(query, &fixtures::gather_results()).to_string(),
        )
        .late(delay)
    })
}

/// Redis's address through `proxy`.
fn url_through(proxy: &crate::Proxy) -> String {
    format!("redis://{}/0", proxy.address())
}
