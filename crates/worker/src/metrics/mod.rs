//! What the worker measures. The pipeline knows nothing of it: upstreams are counted by
//! [`Traced`](crate::traced::Traced), everything else by the daemon.

mod door;
mod names;
mod port;

pub use port::{Look, Port};

use crate::traced::Calls;
use privachat_core::{
    jobs::Swept,
    metrics::{Counters, Histograms, Process, Registry},
    mode::Mode,
    schema::{Stage, Usage, problem},
};
use std::{collections::BTreeMap, time::Duration};

/// How an attempt ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attempted {
    /// With an answer.
    Completed,
    /// Without one, for good.
    Failed,
    /// Failed in passing.
    Retry,
    /// Given back.
    Released,
    /// Another worker had taken over.
    Fenced,
}

impl Attempted {
    const ALL: [Self; 5] = [
        Self::Completed,
        Self::Failed,
        Self::Retry,
        Self::Released,
        Self::Fenced,
    ];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Retry => "retry",
            Self::Released => "released",
            Self::Fenced => "fenced",
        }
    }
}

/// How telling a callback went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Told {
    /// The receiver has it.
    Taken,
    /// It is told again later.
    Failed,
    /// It is not told any more.
    GivenUp,
}

impl Told {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::Failed => "failed",
            Self::GivenUp => "given_up",
        }
    }
}

/// What was counted since the process began.
pub struct Metrics {
    registry: Registry,
    process: Process,
    claim_seconds: Histograms<1>,
    attempts: Counters<2>,
    search_seconds: Histograms<1>,
    failures: Counters<1>,
    stage_seconds: Histograms<1>,
    upstream_requests: Counters<2>,
    upstream_seconds: Histograms<1>,
    leases_lost: Counters<0>,
    fenced_writes: Counters<0>,
    recoveries: Counters<1>,
    tokens: Counters<1>,
    callbacks: Counters<1>,
    history_writes: Counters<1>,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            claim_seconds: registry.histograms(&names::CLAIM_SECONDS),
            attempts: registry.counters(&names::ATTEMPTS),
            search_seconds: registry.histograms(&names::SEARCH_SECONDS),
            failures: registry.counters(&names::FAILURES),
            stage_seconds: registry.histograms(&names::STAGE_SECONDS),
            upstream_requests: registry.counters(&names::UPSTREAM_REQUESTS),
            upstream_seconds: registry.histograms(&names::UPSTREAM_SECONDS),
            leases_lost: registry.counters(&names::LEASES_LOST),
            fenced_writes: registry.counters(&names::FENCED_WRITES),
            recoveries: registry.counters(&names::RECOVERIES),
            tokens: registry.counters(&names::TOKENS),
            callbacks: registry.counters(&names::CALLBACKS),
            history_writes: registry.counters(&names::HISTORY_WRITES),
            process: Process::begun("privachat-worker"),
            registry,
        };
        metrics.show();
        metrics
    }
}

impl Metrics {
    /// Makes what is not about upstreams known at zero: an increase from nothing is seen by nobody.
    fn show(&self) {
        for mode in Mode::ALL.map(Mode::as_str) {
            self.claim_seconds.show([mode]);
            self.search_seconds.show([mode]);
            for outcome in Attempted::ALL {
                self.attempts.show([mode, outcome.as_str()]);
            }
        }
        for failure in problem::ALL {
            if failure.kind == problem::Kind::Search {
                self.failures.show([failure.code]);
            }
        }
        self.leases_lost.show([""; 0]);
        self.fenced_writes.show([""; 0]);
        self.swept(&Swept::default());
        self.spent(Usage::default());
        for outcome in [Told::Taken, Told::Failed, Told::GivenUp] {
            self.callbacks.show([outcome.as_str()]);
        }
        self.history_writes.show(["saved"]);
        self.history_writes.show(["failed"]);
    }

    /// A search is taken up for the first time.
    pub fn claimed(&self, mode: Mode, waited: Duration) {
        self.claim_seconds.observe([mode.as_str()], waited);
    }

    /// An attempt ran so long.
    pub fn ran(&self, mode: Mode, took: Duration) {
        self.search_seconds.observe([mode.as_str()], took);
    }

    /// An attempt ended like this.
    pub fn attempted(&self, mode: Mode, outcome: Attempted) {
        self.attempts.count([mode.as_str(), outcome.as_str()]);
    }

    /// An answer was made, in so long and with so many tokens.
    pub fn answered(&self, timings: &BTreeMap<Stage, Duration>, usage: Option<Usage>) {
        for (stage, took) in timings {
            self.stage_seconds.observe([name_of(*stage)], *took);
        }
        self.spent(usage.unwrap_or_default());
    }

    fn spent(&self, usage: Usage) {
        self.tokens.add(["prompt"], usage.prompt_tokens);
        self.tokens.add(["completion"], usage.completion_tokens);
    }

    /// A search ended without an answer.
    pub fn failed(&self, code: &'static str) {
        self.failures.count([code]);
    }

    /// Another worker took a search over that ran here.
    pub fn lease_lost(&self) {
        self.leases_lost.count([""; 0]);
    }

    /// An outcome was not written: another worker had taken over.
    pub fn write_fenced(&self) {
        self.fenced_writes.count([""; 0]);
    }

    /// The sweeper's round has done this.
    pub fn swept(&self, swept: &Swept) {
        for (kind, number) in [
            ("worker_lost", swept.reaped),
            ("given_up", swept.given_up),
            ("expired", swept.expired),
            ("hint_lost", swept.hints_found),
            ("unlisted", swept.taken_in),
            ("left_listed", swept.tidied),
        ] {
            self.recoveries.add([kind], number as u64);
        }
        let failures = &self.failures;
        failures.add([problem::WORKER_LOST], swept.given_up as u64);
        failures.add([problem::QUEUE_EXPIRED], swept.expired as u64);
    }

    /// A call to a callback went like this.
    pub fn told(&self, outcome: Told) {
        self.callbacks.count([outcome.as_str()]);
    }

    /// A search was, or was not, written into the history.
    pub fn history_written(&self, saved: bool) {
        self.history_writes
            .count([if saved { "saved" } else { "failed" }]);
    }
}

impl Calls for Metrics {
    fn ended(&self, upstream: &'static str, outcome: &'static str, took: Duration) {
        self.upstream_requests.count([upstream, outcome]);
        self.upstream_seconds.observe([upstream], took);
    }
}

const fn name_of(stage: Stage) -> &'static str {
    match stage {
        Stage::Plan => "plan",
        Stage::Search => "search",
        Stage::Read => "read",
        Stage::Rank => "rank",
        Stage::Answer => "answer",
        Stage::Check => "check",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = include_str!("../../../../docs/METRICS.md");

    #[test]
    fn the_page_for_people_holds_every_metric_of_the_worker_and_no_other() {
        let (_, rest) = PAGE.split_once("\n## The worker\n").unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let expected: Vec<String> = names::ALL.iter().map(|metric| metric.row()).collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
