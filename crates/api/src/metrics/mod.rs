//! The metrics of the API, the middleware that counts requests, and `/metrics` on both ports.

mod definitions;
mod endpoint;
mod redis_gauges;
mod requests;
mod server;

pub(crate) use endpoint::{__path_get, get};
pub(crate) use requests::count_request;
pub(crate) use server::MetricsServer;

use privachat_core::{
    metrics::{Counters, Gauges, Histograms, ProcessMetrics, Registry},
    mode::Mode,
};

/// The counters and gauges of this process.
pub(crate) struct Metrics {
    registry: Registry,
    process: ProcessMetrics,
    requests: Counters<3>,
    request_seconds: Histograms<2>,
    in_flight: Gauges<0>,
    accepted: Counters<1>,
    refusals: Counters<1>,
    subscribers: Gauges<1>,
}

impl Metrics {
    /// Registers all metrics; those with known labels start at 0.
    pub(crate) fn new() -> Self {
        let mut registry = Registry::default();
        let metrics = Self {
            requests: registry.counters(&definitions::REQUESTS),
            request_seconds: registry.histograms(&definitions::REQUEST_SECONDS),
            in_flight: registry.gauges(&definitions::IN_FLIGHT),
            accepted: registry.counters(&definitions::ACCEPTED),
            refusals: registry.counters(&definitions::REFUSALS),
            subscribers: registry.gauges(&definitions::SUBSCRIBERS),
            process: ProcessMetrics::new("privachat-api"),
            registry,
        };
        for mode in Mode::ALL {
            metrics.accepted.init_zero([mode.as_str()]);
        }
        metrics.in_flight.set([], 0.0);
        for transport in [Transport::Sse, Transport::WebSocket] {
            metrics.subscribers.set([transport.as_str().into()], 0.0);
        }
        metrics
    }

    /// Counts an enqueued search.
    pub(crate) fn accepted(&self, mode: Mode) {
        self.accepted.increment([mode.as_str()]);
    }

    /// Counts a subscriber until the returned guard is dropped.
    pub(crate) fn count_subscriber(&self, transport: Transport) -> SubscriberGuard {
        let gauges = self.subscribers.clone();
        gauges.add([transport.as_str().into()], 1.0);
        SubscriberGuard { gauges, transport }
    }
}

/// How a subscriber receives events.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Transport {
    Sse,
    WebSocket,
}

impl Transport {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Sse => "sse",
            Self::WebSocket => "websocket",
        }
    }
}

/// Counts one subscriber until it is dropped.
pub(crate) struct SubscriberGuard {
    gauges: Gauges<1>,
    transport: Transport,
}

impl Drop for SubscriberGuard {
    fn drop(&mut self) {
        self.gauges.add([self.transport.as_str().into()], -1.0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privachat_core::metrics::PROCESS_METRICS;

    const METRICS_DOCS: &str = include_str!("../../../../docs/METRICS.md");

    /// The rows of a section of docs/METRICS.md.
    fn rows(section: &str) -> Vec<&'static str> {
        let heading = format!("\n## {section}\n");
        let (_, rest) = METRICS_DOCS.split_once(&heading).unwrap();
        let section = rest
            .split_once("\n## ")
            .map_or(rest, |(section, _)| section);
        section
            .lines()
            .filter(|line| line.starts_with("| `"))
            .collect()
    }

    #[test]
    fn the_docs_list_exactly_the_metrics_of_the_api() {
        let expected: Vec<String> = definitions::ALL
            .iter()
            .map(|metric| metric.markdown_row())
            .collect();
        assert_eq!(rows("The API"), expected);
        let common: Vec<String> = PROCESS_METRICS
            .iter()
            .map(|metric| metric.markdown_row())
            .collect();
        assert_eq!(rows("Both"), common);
    }

    #[test]
    fn a_subscriber_counts_until_it_is_dropped() {
        let metrics = Metrics::new();
        let shown = || metrics.registry.encode(&Default::default());
        let listening = metrics.count_subscriber(Transport::WebSocket);
        let one = r#"privachat_api_listeners{transport="websocket"} 1.0"#;
        assert!(shown().contains(one), "{}", shown());
        drop(listening);
        assert!(!shown().contains(one));
    }
}
