//! [`Registry`] and its families of counters, gauges and histograms, over prometheus-client.

use super::{DURATION_BUCKETS, Metric};
use prometheus_client::{
    encoding::text,
    metrics::{
        counter::Counter,
        family::{Family, MetricConstructor},
        gauge::Gauge,
        histogram::Histogram,
    },
    registry::Registry as Inner,
};
use std::{borrow::Cow, sync::atomic::AtomicU64, time::Duration};

type Labels<const N: usize> = [(&'static str, Cow<'static, str>); N];

fn label_set<const N: usize>(metric: &Metric, values: [Cow<'static, str>; N]) -> Labels<N> {
    let mut names = metric.labels.iter();
    values.map(|value| (names.next().copied().unwrap_or("label"), value))
}

/// All metrics of a process.
#[derive(Debug, Default)]
pub struct Registry(Inner);

impl Registry {
    /// Registers a family of counters.
    pub fn counters<const N: usize>(&mut self, metric: &'static Metric) -> Counters<N> {
        let family = Family::default();
        // The encoder appends `_total`.
        let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
        self.0.register(name, metric.meaning, family.clone());
        Counters { metric, family }
    }

    /// Registers a family of gauges.
    pub fn gauges<const N: usize>(&mut self, metric: &'static Metric) -> Gauges<N> {
        let family = Family::default();
        self.0.register(metric.name, metric.meaning, family.clone());
        Gauges { metric, family }
    }

    /// Registers a family of histograms.
    pub fn histograms<const N: usize>(&mut self, metric: &'static Metric) -> Histograms<N> {
        let family = Family::new_with_constructor(DurationHistogram);
        self.0.register(metric.name, metric.meaning, family.clone());
        Histograms { metric, family }
    }

    /// The OpenMetrics text of these metrics and the gauges of this scrape.
    #[must_use]
    pub fn encode(&self, moment: &ScrapeGauges) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _written = text::encode_registry(&mut text, &self.0)
            .and_then(|()| text::encode_registry(&mut text, &moment.0.0))
            .and_then(|()| text::encode_eof(&mut text));
        text
    }
}

/// Gauges that are read at each scrape and hold only for it.
#[derive(Debug, Default)]
pub struct ScrapeGauges(Registry);

impl ScrapeGauges {
    /// Sets a gauge without labels.
    pub fn set(&mut self, metric: &'static Metric, value: f64) {
        self.0.gauges(metric).set([], value);
    }

    /// Registers a family of gauges.
    pub fn gauges<const N: usize>(&mut self, metric: &'static Metric) -> Gauges<N> {
        self.0.gauges(metric)
    }
}

/// The counters of one metric, one for each set of label values. Clones share them.
#[derive(Debug, Clone)]
pub struct Counters<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Counter>,
}

impl<const N: usize> Counters<N> {
    /// Creates the counter at zero, so that a rate includes its first increase.
    pub fn init_zero(&self, values: [impl Into<Cow<'static, str>>; N]) {
        self.add(values, 0);
    }

    /// Adds one.
    pub fn increment(&self, values: [impl Into<Cow<'static, str>>; N]) {
        self.add(values, 1);
    }

    /// Adds `number`.
    pub fn add(&self, values: [impl Into<Cow<'static, str>>; N], number: u64) {
        let labels = label_set(self.metric, values.map(Into::into));
        self.family.get_or_create(&labels).inc_by(number);
    }
}

/// The gauges of one metric, one for each set of label values. Clones share them.
#[derive(Debug, Clone)]
pub struct Gauges<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Gauge<f64, AtomicU64>>,
}

impl<const N: usize> Gauges<N> {
    /// Sets the gauge.
    pub fn set(&self, values: [Cow<'static, str>; N], value: f64) {
        let labels = label_set(self.metric, values);
        self.family.get_or_create(&labels).set(value);
    }

    /// Adds `change`, which may be negative.
    pub fn add(&self, values: [Cow<'static, str>; N], change: f64) {
        let labels = label_set(self.metric, values);
        self.family.get_or_create(&labels).inc_by(change);
    }
}

/// The histograms of one metric, one for each set of label values. Clones share them.
#[derive(Debug, Clone)]
pub struct Histograms<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Histogram, DurationHistogram>,
}

impl<const N: usize> Histograms<N> {
    /// Creates the histogram without an observation.
    pub fn init_empty(&self, values: [impl Into<Cow<'static, str>>; N]) {
        let labels = label_set(self.metric, values.map(Into::into));
        drop(self.family.get_or_create(&labels));
    }

    /// Records one duration.
    pub fn observe(&self, values: [impl Into<Cow<'static, str>>; N], took: Duration) {
        let labels = label_set(self.metric, values.map(Into::into));
        self.family
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }
}

#[derive(Debug, Clone, Copy)]
struct DurationHistogram;

impl MetricConstructor<Histogram> for DurationHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(DURATION_BUCKETS.iter().copied())
    }
}
