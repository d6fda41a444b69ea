//! A collector of traces: OTLP over HTTP, in protobuf.

use std::collections::BTreeMap;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::span::SpanKind;
use prost::Message;

use super::{Reply, Upstream};
use crate::wait::eventually;

/// One received span.
#[derive(Debug, Clone)]
pub struct Span {
    /// `service.name`.
    pub service: String,
    pub name: String,
    pub kind: SpanKind,
    pub trace: String,
    pub id: String,
    /// Empty for the first span of a trace.
    pub parent: String,
    pub is_error: bool,
    pub attributes: BTreeMap<String, String>,
}

/// Accepts everything.
pub fn taking() -> Upstream {
    Upstream::always(Reply::json(200, ""))
}

/// All spans so far.
pub fn spans(collector: &Upstream) -> Vec<Span> {
    let batches = collector.requests().into_iter().map(|request| {
        assert_eq!(request.path, "/v1/traces");
        ExportTraceServiceRequest::decode(request.body.as_slice()).expect("a batch of spans")
    });
    batches
        .flat_map(|batch| batch.resource_spans)
        .flat_map(|of_resource| {
            let resource = texts(of_resource.resource.unwrap_or_default().attributes);
            let service = resource.get("service.name").cloned().unwrap_or_default();
            assert!(resource.contains_key("service.version"), "{resource:?}");
            let spans = of_resource.scope_spans.into_iter().flat_map(|of| of.spans);
            spans.map(move |span| Span {
                service: service.clone(),
                kind: span.kind(),
                trace: hex(&span.trace_id),
                id: hex(&span.span_id),
                parent: hex(&span.parent_span_id),
                is_error: span.status.is_some_and(|status| status.code == 2),
                name: span.name,
                attributes: texts(span.attributes),
            })
        })
        .collect()
}

/// Waits until there are `count` spans of this name; returns all spans.
pub async fn until(collector: &Upstream, name: &str, count: usize) -> Vec<Span> {
    let what = format!("{count} spans {name} are exported");
    eventually(&what, Duration::from_secs(20), async || {
        let spans = spans(collector);
        (spans.iter().filter(|span| span.name == name).count() >= count).then_some(spans)
    })
    .await
}

fn texts(attributes: Vec<KeyValue>) -> BTreeMap<String, String> {
    let text = |attribute: KeyValue| {
        let text = match attribute.value.and_then(|value| value.value) {
            Some(Value::StringValue(text)) => text,
            Some(Value::IntValue(number)) => number.to_string(),
            other => format!("{other:?}"),
        };
        (attribute.key, text)
    };
    attributes.into_iter().map(text).collect()
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
