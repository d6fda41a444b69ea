//! Metrics of a process, encoded as OpenMetrics text:
//! <https://prometheus.io/docs/specs/om/open_metrics_spec/>. Each binary declares its metrics in a
//! table of [`Metric`]; docs/METRICS.md has the same table. [`Registry`] makes and encodes them.

mod process;
mod registry;
#[cfg(test)]
mod tests;

pub use process::{PROCESS_METRICS, ProcessMetrics};
pub use registry::{Counters, Gauges, Histograms, Registry, ScrapeGauges};

/// The media type of the encoded text.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// Upper bounds of the histogram buckets in seconds, from the fastest request to the longest
/// search.
pub const DURATION_BUCKETS: &[f64] = &[
    0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0,
];

/// The type of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// Only grows while the process runs.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counts durations in buckets of seconds.
    Histogram,
}

impl MetricKind {
    /// The name of the type in the text format.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
        }
    }
}

/// The declaration of a metric. Dashboards and alerts depend on its name and labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Metric {
    /// The name; that of a counter ends in `_total`.
    pub name: &'static str,
    /// The type.
    pub kind: MetricKind,
    /// The names of the labels.
    pub labels: &'static [&'static str],
    /// The help text, without a full stop.
    pub meaning: &'static str,
}

impl Metric {
    /// Declares a counter.
    #[must_use]
    pub const fn counter(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Counter,
            labels,
            meaning,
        }
    }

    /// Declares a gauge.
    #[must_use]
    pub const fn gauge(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Gauge,
            labels,
            meaning,
        }
    }

    /// Declares a histogram of seconds.
    #[must_use]
    pub const fn histogram(
        name: &'static str,
        labels: &'static [&'static str],
        meaning: &'static str,
    ) -> Self {
        Self {
            name,
            kind: MetricKind::Histogram,
            labels,
            meaning,
        }
    }

    /// Its row in docs/METRICS.md.
    #[must_use]
    pub fn markdown_row(&self) -> String {
        let labels: Vec<String> = self.labels.iter().map(|it| format!("`{it}`")).collect();
        let Self { name, meaning, .. } = self;
        let labels = labels.join(", ");
        format!(
            "| `{name}` | {} | {labels} | {meaning} |",
            self.kind.as_str()
        )
    }
}
