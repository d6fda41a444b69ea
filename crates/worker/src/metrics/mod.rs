//! The metrics of the worker. [`Traced`](crate::traced::Traced) counts calls to upstreams, the
//! daemon everything else; the pipeline itself counts nothing.

mod host_check;
mod names;
mod server;

pub use server::{HealthProbe, MetricsServer};

use crate::traced::CallObserver;
use privachat_core::{
    jobs::SweepStats,
    metrics::{Counters, Histograms, ProcessMetrics, Registry},
    mode::Mode,
    schema::{Stage, Usage, error_code},
};
use std::{collections::BTreeMap, time::Duration};

/// The outcome of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AttemptOutcome {
    /// The search has an answer.
    Completed,
    /// The search failed or was cancelled.
    Failed,
    /// The attempt failed, and another one follows.
    Retry,
    /// A stopping worker released the job.
    Released,
    /// Another attempt had claimed the job.
    Fenced,
}

impl AttemptOutcome {
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

/// The outcome of a callback's call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallbackOutcome {
    /// The receiver answered 2xx.
    Taken,
    /// The call is repeated later.
    Failed,
    /// No further calls.
    GivenUp,
}

impl CallbackOutcome {
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
    process: ProcessMetrics,
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
            process: ProcessMetrics::new("privachat-worker"),
            registry,
        };
        metrics.init_zero();
        metrics
    }
}

impl Metrics {
    /// Sets every series but those of upstreams to zero: Prometheus sees no increase of a series
    /// that first appears at one.
    fn init_zero(&self) {
        for mode in Mode::ALL.map(Mode::as_str) {
            self.claim_seconds.init_empty([mode]);
            self.search_seconds.init_empty([mode]);
            for outcome in AttemptOutcome::ALL {
                self.attempts.init_zero([mode, outcome.as_str()]);
            }
        }
        for failure in error_code::ERROR_CODES {
            if failure.scope == error_code::ErrorScope::Search {
                self.failures.init_zero([failure.code]);
            }
        }
        self.leases_lost.init_zero([""; 0]);
        self.fenced_writes.init_zero([""; 0]);
        self.count_recoveries(&SweepStats::default());
        self.count_tokens(Usage::default());
        for outcome in [
            CallbackOutcome::Taken,
            CallbackOutcome::Failed,
            CallbackOutcome::GivenUp,
        ] {
            self.callbacks.init_zero([outcome.as_str()]);
        }
        self.history_writes.init_zero(["saved"]);
        self.history_writes.init_zero(["failed"]);
    }

    /// Records the time in the queue of a search's first attempt.
    pub fn observe_queue_time(&self, mode: Mode, waited: Duration) {
        self.claim_seconds.observe([mode.as_str()], waited);
    }

    /// Records the duration of an attempt.
    pub fn observe_attempt_time(&self, mode: Mode, took: Duration) {
        self.search_seconds.observe([mode.as_str()], took);
    }

    /// Counts an attempt that has ended.
    pub fn count_attempt(&self, mode: Mode, outcome: AttemptOutcome) {
        self.attempts.increment([mode.as_str(), outcome.as_str()]);
    }

    /// Records the stage times and the tokens of a new answer.
    pub fn observe_answer(&self, timings: &BTreeMap<Stage, Duration>, usage: Option<Usage>) {
        for (stage, took) in timings {
            self.stage_seconds.observe([stage_label(*stage)], *took);
        }
        self.count_tokens(usage.unwrap_or_default());
    }

    fn count_tokens(&self, usage: Usage) {
        self.tokens.add(["prompt"], usage.prompt_tokens);
        self.tokens.add(["completion"], usage.completion_tokens);
    }

    /// Counts a search that ended without an answer.
    pub fn count_failure(&self, code: &'static str) {
        self.failures.increment([code]);
    }

    /// Counts a lease that was lost to another worker.
    pub fn count_lost_lease(&self) {
        self.leases_lost.increment([""; 0]);
    }

    /// Counts an outcome that was refused because the job was fenced.
    pub fn count_fenced_write(&self) {
        self.fenced_writes.increment([""; 0]);
    }

    /// Counts what one sweep recovered.
    pub fn count_recoveries(&self, swept: &SweepStats) {
        for (kind, number) in [
            ("worker_lost", swept.leases_expired),
            ("given_up", swept.abandoned),
            ("expired", swept.queue_expired),
            ("hint_lost", swept.requeued),
            ("unlisted", swept.untracked),
            ("left_listed", swept.stale_removed),
        ] {
            self.recoveries.add([kind], number as u64);
        }
        let failures = &self.failures;
        failures.add([error_code::WORKER_LOST], swept.abandoned as u64);
        failures.add([error_code::QUEUE_EXPIRED], swept.queue_expired as u64);
    }

    /// Counts a call to a callback.
    pub fn count_callback(&self, outcome: CallbackOutcome) {
        self.callbacks.increment([outcome.as_str()]);
    }

    /// Counts a write to the history.
    pub fn count_history_write(&self, saved: bool) {
        self.history_writes
            .increment([if saved { "saved" } else { "failed" }]);
    }
}

impl CallObserver for Metrics {
    fn call_ended(&self, upstream: &'static str, outcome: &'static str, took: Duration) {
        self.upstream_requests.increment([upstream, outcome]);
        self.upstream_seconds.observe([upstream], took);
    }
}

const fn stage_label(stage: Stage) -> &'static str {
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
    fn metrics_md_lists_every_metric_of_the_worker_and_no_other() {
        let (_, rest) = PAGE.split_once("\n## The worker\n").unwrap();
        let (section, _) = rest.split_once("\n## ").unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| `"));
        let expected: Vec<String> = names::ALL
            .iter()
            .map(|metric| metric.markdown_row())
            .collect();
        assert_eq!(rows.collect::<Vec<_>>(), expected);
    }
}
