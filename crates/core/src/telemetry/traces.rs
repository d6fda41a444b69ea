//! Traces over OpenTelemetry's HTTP protocol, when there is somewhere to send them.
//!
//! A span is exported when it is of this service and says what kind it is (`otel.kind`); the log
//! level does not matter. Spans hold no query, text, key or address.

use super::sender::Sender;
use opentelemetry::{
    KeyValue,
    propagation::TextMapPropagator,
    trace::{TraceContextExt, TracerProvider},
};
use opentelemetry_otlp::{Protocol, RetryPolicy, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::{Resource, propagation::TraceContextPropagator, trace::SdkTracerProvider};
use std::{collections::HashMap, time::Duration};
use tracing::{Metadata, Span, Subscriber, level_filters::LevelFilter};
use tracing_opentelemetry::OpenTelemetrySpanExt;
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};
use url::Url;

/// How long one batch may take to be sent.
const SENT_WITHIN: Duration = Duration::from_secs(5);
/// How long the last one may hold up the end of the process.
const LAST_BATCH: Duration = Duration::from_secs(2);
/// Where collectors take traces, below the address that is configured.
const PATH: &str = "v1/traces";

/// Sends spans until it is told to stop; nothing of it runs when traces are off.
#[must_use = "the last spans are sent by `stop`"]
#[derive(Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Sends what is left, for at most 2 s. To be called outside of any runtime.
    pub fn stop(self) {
        if let Some(provider) = self.0 {
            // A batch that was not taken has been warned of.
            let _sent_or_not = provider.shutdown_with_timeout(LAST_BATCH);
        }
    }
}

/// Starts to send to the collector at `endpoint`. Gives the layer that takes the spans.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(super) fn start<S>(
    endpoint: &Url,
    service: &'static str,
) -> anyhow::Result<(Traces, impl Layer<S>)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::new(endpoint, SENT_WITHIN)?)
        // A collector that is down costs its batch, and not the memory of all that follow.
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(below(endpoint))
        .with_timeout(SENT_WITHIN)
        .build()?;
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let provider = SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource)
        .build();
    let layer = tracing_opentelemetry::layer()
        .with_tracer(provider.tracer("privachat"))
        // Files and lines of the machine that built it, threads: of no use to who reads a trace.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // No library is to see our contexts, and a span keeps open to its parent until it is used.
        .with_context_activation(false)
        .with_filter(filter_fn(is_for_export).with_max_level_hint(LevelFilter::INFO));
    Ok((Traces(Some(provider)), layer))
}

fn below(endpoint: &Url) -> String {
    format!("{}/{PATH}", endpoint.as_str().trim_end_matches('/'))
}

fn is_for_export(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && metadata.target().starts_with("privachat")
        && metadata.fields().field("otel.kind").is_some()
}

/// The name of `span` for other processes, in the form of W3C Trace Context; `None` when it is not
/// exported.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span();
    let named = span.span_context();
    named.is_valid().then(|| {
        let flags = named.trace_flags().to_u8();
        format!("00-{}-{}-{flags:02x}", named.trace_id(), named.span_id())
    })
}

/// Whether `span` goes to a collector.
#[must_use]
pub fn is_exported(span: &Span) -> bool {
    span.context().span().span_context().is_valid()
}

/// Gives `span` a name that was not known when it began; recording `otel.name` does not, once there
/// is a child.
pub fn rename(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// Makes the span that `traceparent` names the parent of `span`, which has not been entered yet.
/// Anything else than such a name changes nothing.
pub fn set_parent(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract(&carrier);
    if parent.span().span_context().is_valid() {
        // Fails when traces are off.
        let _set_or_off = span.set_parent(parent);
    }
}
