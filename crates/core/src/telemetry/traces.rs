//! Exports traces over OpenTelemetry's HTTP protocol, if a collector is configured.
//!
//! A span is exported if it belongs to this service and has the field `otel.kind`; the log level
//! does not matter. Spans contain no query, text, key or address.

use super::collector_client::CollectorClient;
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

/// Bounds the export of one batch.
const EXPORT_TIMEOUT: Duration = Duration::from_secs(5);
/// Bounds the export of the last batch, which delays the end of the process.
const SHUTDOWN_TIMEOUT: Duration = Duration::from_secs(2);
/// The path of the traces endpoint below the configured address.
const TRACES_PATH: &str = "v1/traces";

/// The running exporter; empty if traces are off.
#[must_use = "the last spans are sent by `stop`"]
#[derive(Default)]
pub struct Traces(Option<SdkTracerProvider>);

impl Traces {
    /// Exports the remaining spans within at most 2 s. Must be called outside of any runtime.
    pub fn stop(self) {
        if let Some(provider) = self.0 {
            // A failed export has already been logged.
            let _sent_or_not = provider.shutdown_with_timeout(SHUTDOWN_TIMEOUT);
        }
    }
}

/// Starts the export to the collector at `endpoint`. Also returns the layer that collects the
/// spans.
///
/// # Errors
/// When the HTTP client cannot be built.
pub(super) fn start<S>(
    endpoint: &Url,
    service: &'static str,
) -> anyhow::Result<(Traces, impl Layer<S>)>
where
    S: Subscriber + for<'span> LookupSpan<'span> + Send + Sync,
{
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(CollectorClient::new(endpoint, EXPORT_TIMEOUT)?)
        // While the collector is down, drop batches instead of queueing them in memory.
        .with_retry_policy(RetryPolicy::disabled())
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(traces_endpoint(endpoint))
        .with_timeout(EXPORT_TIMEOUT)
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
        // Source locations of the build machine and thread ids do not help a reader of traces.
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false)
        // Libraries must not see our contexts, and an unused span must stay open to a new parent.
        .with_context_activation(false)
        .with_filter(filter_fn(is_exportable).with_max_level_hint(LevelFilter::INFO));
    Ok((Traces(Some(provider)), layer))
}

fn traces_endpoint(endpoint: &Url) -> String {
    format!("{}/{TRACES_PATH}", endpoint.as_str().trim_end_matches('/'))
}

fn is_exportable(metadata: &Metadata<'_>) -> bool {
    metadata.is_span()
        && metadata.target().starts_with("privachat")
        && metadata.fields().field("otel.kind").is_some()
}

/// The W3C `traceparent` of `span`, for other processes; `None` if the span is not exported.
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

/// Whether `span` is exported.
#[must_use]
pub fn is_exported(span: &Span) -> bool {
    span.context().span().span_context().is_valid()
}

/// Renames `span` after its start. Recording `otel.name` has no effect once the span has a child.
pub fn rename_span(span: &Span, name: String) {
    span.context().span().update_name(name);
}

/// Makes the span of `traceparent` the parent of `span`, which must not have been entered yet. An
/// invalid `traceparent` is ignored.
pub fn set_parent(span: &Span, traceparent: &str) {
    let carrier = HashMap::from([("traceparent".to_owned(), traceparent.to_owned())]);
    let parent = TraceContextPropagator::new().extract(&carrier);
    if parent.span().span_context().is_valid() {
        // Fails if traces are off.
        let _set_or_off = span.set_parent(parent);
    }
}
