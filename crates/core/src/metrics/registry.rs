//! Families of metrics, by the tables of the binaries.

use super::{Metric, SECONDS};
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

fn labels<const N: usize>(metric: &Metric, values: [Cow<'static, str>; N]) -> Labels<N> {
    let mut names = metric.labels.iter();
    values.map(|value| (names.next().copied().unwrap_or("label"), value))
}

/// The metrics of a process.
#[derive(Debug, Default)]
pub struct Registry(Inner);

impl Registry {
    /// A family of counters.
    pub fn counters<const N: usize>(&mut self, metric: &'static Metric) -> Counters<N> {
        let family = Family::default();
        // The name gets it back when it is encoded.
        let name = metric.name.strip_suffix("_total").unwrap_or(metric.name);
        self.0.register(name, metric.meaning, family.clone());
        Counters { metric, family }
    }

    /// A family of gauges.
    pub fn gauges<const N: usize>(&mut self, metric: &'static Metric) -> Gauges<N> {
        let family = Family::default();
        self.0.register(metric.name, metric.meaning, family.clone());
        Gauges { metric, family }
    }

    /// A family of histograms.
    pub fn histograms<const N: usize>(&mut self, metric: &'static Metric) -> Histograms<N> {
        let family = Family::new_with_constructor(Seconds);
        self.0.register(metric.name, metric.meaning, family.clone());
        Histograms { metric, family }
    }

    /// Everything that was measured, and what holds at this moment.
    #[must_use]
    pub fn encode(&self, moment: &Moment) -> String {
        let mut text = String::new();
        // Writing to a string cannot fail.
        let _written = text::encode_registry(&mut text, &self.0)
            .and_then(|()| text::encode_registry(&mut text, &moment.0.0))
            .and_then(|()| text::encode_eof(&mut text));
        text
    }
}

/// What is looked up when somebody asks, and holds only then.
#[derive(Debug, Default)]
pub struct Moment(Registry);

impl Moment {
    /// A number without labels.
    pub fn set(&mut self, metric: &'static Metric, value: f64) {
        self.0.gauges(metric).set([], value);
    }

    /// A family of gauges.
    pub fn gauges<const N: usize>(&mut self, metric: &'static Metric) -> Gauges<N> {
        self.0.gauges(metric)
    }
}

/// Counters of one name. Clones share them.
#[derive(Debug, Clone)]
pub struct Counters<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Counter>,
}

impl<const N: usize> Counters<N> {
    /// Makes it known at zero, so that its first increase shows.
    pub fn show(&self, values: [impl Into<Cow<'static, str>>; N]) {
        self.add(values, 0);
    }

    /// Counts one.
    pub fn count(&self, values: [impl Into<Cow<'static, str>>; N]) {
        self.add(values, 1);
    }

    /// Counts so many.
    pub fn add(&self, values: [impl Into<Cow<'static, str>>; N], number: u64) {
        let labels = labels(self.metric, values.map(Into::into));
        self.family.get_or_create(&labels).inc_by(number);
    }
}

/// Gauges of one name. Clones share them.
#[derive(Debug, Clone)]
pub struct Gauges<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Gauge<f64, AtomicU64>>,
}

impl<const N: usize> Gauges<N> {
    /// Says what it is.
    pub fn set(&self, values: [Cow<'static, str>; N], value: f64) {
        let labels = labels(self.metric, values);
        self.family.get_or_create(&labels).set(value);
    }

    /// Says by how much it has changed.
    pub fn add(&self, values: [Cow<'static, str>; N], change: f64) {
        let labels = labels(self.metric, values);
        self.family.get_or_create(&labels).inc_by(change);
    }
}

/// Histograms of one name. Clones share them.
#[derive(Debug, Clone)]
pub struct Histograms<const N: usize> {
    metric: &'static Metric,
    family: Family<Labels<N>, Histogram, Seconds>,
}

impl<const N: usize> Histograms<N> {
    /// Makes it known without an observation.
    pub fn show(&self, values: [impl Into<Cow<'static, str>>; N]) {
        let labels = labels(self.metric, values.map(Into::into));
        drop(self.family.get_or_create(&labels));
    }

    /// Something took so long.
    pub fn observe(&self, values: [impl Into<Cow<'static, str>>; N], took: Duration) {
        let labels = labels(self.metric, values.map(Into::into));
        self.family
            .get_or_create(&labels)
            .observe(took.as_secs_f64());
    }
}

#[derive(Debug, Clone, Copy)]
struct Seconds;

impl MetricConstructor<Histogram> for Seconds {
    fn new_metric(&self) -> Histogram {
        Histogram::new(SECONDS.iter().copied())
    }
}
