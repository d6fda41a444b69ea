use super::*;
use crate::telemetry::span_ids::SpanIdLayer;
use serde_json::Map;
use std::{
    io,
    sync::{Arc, Mutex},
};
use tracing_subscriber::{
    Layer, Registry,
    fmt::{MakeWriter, layer},
    layer::SubscriberExt,
};

#[derive(Clone, Default)]
struct LogBuffer(Arc<Mutex<Vec<u8>>>);

impl io::Write for LogBuffer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for LogBuffer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl LogBuffer {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

fn json_line_of(events: impl FnOnce()) -> Map<String, Value> {
    let written = LogBuffer::default();
    let lines = layer()
        .fmt_fields(OmitSpanFields)
        .event_format(JsonLines)
        .with_writer(written.clone());
    tracing::subscriber::with_default(
        Registry::default().with(SpanIdLayer.and_then(lines)),
        events,
    );
    serde_json::from_str(&written.text()).unwrap()
}

#[test]
fn a_line_has_the_ids_of_its_spans_before_its_message() {
    let line = json_line_of(|| {
        let span = tracing::error_span!(
            "request",
            request_id = "r-1",
            session_id = tracing::field::Empty
        );
        let _in = span.enter();
        span.record("session_id", "s-1");
        let _deeper = tracing::error_span!("stage", host = "secret.example").entered();
        tracing::info!(count = 3, good = true, "done");
    });
    let names: Vec<&str> = line.keys().map(String::as_str).collect();
    let expected = [
        "timestamp",
        "level",
        "target",
        "request_id",
        "session_id",
        "message",
        "count",
        "good",
    ];
    assert_eq!(names, expected);
    assert_eq!(
        (&line["request_id"], &line["session_id"]),
        (&"r-1".into(), &"s-1".into())
    );
    assert_eq!((&line["count"], &line["good"]), (&3.into(), &true.into()));
}

#[test]
fn an_id_of_the_event_overrides_that_of_the_span() {
    let line = json_line_of(|| {
        let _in =
            tracing::error_span!("request", request_id = "r-1", session_id = "outer").entered();
        tracing::info!(session_id = %"inner", "done");
    });
    assert_eq!(line["session_id"], "inner");
    assert_eq!(line["request_id"], "r-1");
}

#[test]
fn a_line_without_spans_has_no_ids_and_cannot_override_the_first_fields() {
    let line = json_line_of(|| tracing::info!(level = "mine", "done"));
    assert!(!line.contains_key("request_id") && !line.contains_key("session_id"));
    assert_eq!(line["level"], "INFO");
}

#[test]
fn control_characters_in_a_pretty_line_are_escaped() {
    let written = LogBuffer::default();
    let lines = layer()
        .fmt_fields(OmitSpanFields)
        .event_format(PrettyLines)
        .with_ansi(false)
        .with_writer(written.clone());
    tracing::subscriber::with_default(
        Registry::default().with(SpanIdLayer.and_then(lines)),
        || {
            let _in = tracing::error_span!("request", request_id = "r-1").entered();
            tracing::warn!(error = "one\ntwo \u{1b}[31m", "broke");
        },
    );
    let text = written.text();
    assert!(
        text.ends_with("broke error=one\\ntwo \\u{1b}[31m request_id=r-1\n"),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}
