//! The amount of measurement. The defaults take about a quarter of an hour on two idle cores.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

#[derive(Debug, Clone)]
pub(crate) struct Scale {
    /// Rounds of each side; BENCH_ROUNDS.
    pub(crate) rounds: usize,
    /// Rounds with wrk as the load: they are short and differ by a tenth; BENCH_ROUNDS.
    pub(crate) wrk_rounds: usize,
    /// The duration of one round of load; BENCH_SECONDS.
    pub(crate) span: Duration,
    /// Jobs per round of draining; BENCH_JOBS.
    pub(crate) jobs: usize,
    /// Jobs in the deep queue; BENCH_DEPTH.
    pub(crate) depth: usize,
    /// Documents of the corpus; BENCH_DOCUMENTS.
    pub(crate) documents: usize,
    /// Idle event streams; BENCH_LISTENERS.
    pub(crate) listeners: usize,
    /// Only these rows, by name; BENCH_ROWS, comma-separated.
    only: Vec<String>,
    /// The file of the page; BENCH_OUTPUT.
    pub(crate) output: Option<PathBuf>,
}

impl Scale {
    pub(crate) fn from_environment() -> Self {
        let only = text("BENCH_ROWS").unwrap_or_default();
        Self {
            rounds: number("BENCH_ROUNDS", 3),
            wrk_rounds: number("BENCH_ROUNDS", 7),
            span: Duration::from_secs_f64(number("BENCH_SECONDS", 5.0)),
            jobs: number("BENCH_JOBS", 20_000),
            depth: number("BENCH_DEPTH", 1_000_000),
            documents: number("BENCH_DOCUMENTS", 50_000),
            listeners: number("BENCH_LISTENERS", 10_000),
            only: only
                .split(',')
                .map(|name| name.trim().to_owned())
                .filter(|name| !name.is_empty())
                .collect(),
            output: text("BENCH_OUTPUT").map(PathBuf::from),
        }
    }

    pub(crate) fn wants(&self, row: &str) -> bool {
        self.only.is_empty() || self.only.iter().any(|name| name == row)
    }
}

pub(crate) fn text(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

pub(crate) fn number<T: FromStr>(name: &str, default: T) -> T {
    let Some(text) = text(name) else {
        return default;
    };
    text.parse()
        .unwrap_or_else(|_| panic!("{name} is no number of the kind that it should be: {text}"))
}
