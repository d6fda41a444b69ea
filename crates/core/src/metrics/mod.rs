//! Metrics of a process, in the text form of OpenMetrics:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Each binary has a table of what it
//! measures; docs/METRICS.md is the same table for people.

mod process;
mod registry;
#[cfg(test)]
mod tests;

pub use process::{COMMON, Process};
pub use registry::{Counters, Gauges, Histograms, Moment, Registry};

/// The media type of what is encoded.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds in seconds, from a request that is answered at once to the longest search.
pub const SECONDS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// What a metric does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Only grows, until the process ends.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts seconds, in buckets.
    Histogram,
}

impl Kind {
    /// Its name in the text form.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// One metric. Dashboards and alerts are written against it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// Its name, with the `_total` of counters.
    pub name: &'static str,
    /// What it does.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: &'static [&'static str],
    /// What it measures, without a full stop.
    pub meaning: &'static str,
}

impl Metric {
    /// A counter.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: Kind::Counter,
            labels,
            meaning,
        }
    }

    /// A gauge.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: Kind::Gauge,
            labels,
            meaning,
        }
    }

    /// A histogram of seconds.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: Kind::Histogram,
            labels,
            meaning,
        }
    }

    /// Its row of docs/METRICS.md.
    #[must_use]
    pub fn row(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|it| format!("`{it}`")).collect();
        let Self { name, meaning, .. } = self;
        let labels = labels.join(", ");
        format!(
            "| `{name}` | {} | {labels} | {meaning} |",
            self.kind.as_str()
        )
    }
}
