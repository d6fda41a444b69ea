//! The formats of a log line: one flat JSON object, or one line for people.

use super::span_ids::{REQUEST_ID, SESSION_ID, SpanIds};
use chrono::{SecondsFormat, Utc};
use serde_json::Value;
use std::{
    borrow::Cow,
    fmt::{self, Debug, Write as _},
    iter,
};
use tracing::{
    Event, Level, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FmtContext, FormatEvent, FormatFields, format::Writer},
    registry::LookupSpan,
};

const MESSAGE: &str = "message";
/// The first fields of a JSON line; a field of an event with one of these names is dropped.
const FIRST_FIELDS: [&str; 3] = ["timestamp", "level", "target"];

/// Omits the fields of spans; only their ids are logged.
pub(super) struct OmitSpanFields;

impl<'writer> FormatFields<'writer> for OmitSpanFields {
    fn format_fields<R: RecordFields>(&self, _: Writer<'writer>, _: R) -> fmt::Result {
        Ok(())
    }
}

/// One JSON object a line: `timestamp`, `level`, `target`, `request_id` and `session_id` if known,
/// `message`, and the other fields of the event.
pub(super) struct JsonLines;

/// One line for people, with the same data except the target.
pub(super) struct PrettyLines;

/// The parts of a log line.
struct LogLine {
    level: Level,
    target: Cow<'static, str>,
    ids: SpanIds,
    message: Option<Value>,
    fields: Vec<(&'static str, Value)>,
}

impl LogLine {
    fn from_event<S, N>(context: &FmtContext<'_, S, N>, event: &Event<'_>) -> Self
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
        N: for<'writer> FormatFields<'writer> + 'static,
    {
        let mut fields = EventFields::default();
        event.record(&mut fields);
        let scope = context.event_scope().into_iter().flatten();
        let outer = scope.filter_map(|span| span.extensions().get::<SpanIds>().cloned());
        let metadata = event.metadata();
        Self {
            level: *metadata.level(),
            target: fields
                .log_target
                .map_or(Cow::Borrowed(metadata.target()), Cow::Owned),
            // The ids of the event itself take precedence.
            ids: SpanIds::merge(iter::once(fields.ids).chain(outer)),
            message: fields.message,
            fields: fields.others,
        }
    }

    fn ids(&mut self) -> impl Iterator<Item = (&'static str, String)> {
        let request = self.ids.request.take().map(|id| (REQUEST_ID, id));
        let session = self.ids.session.take().map(|id| (SESSION_ID, id));
        request.into_iter().chain(session)
    }
}

/// The fields of an event.
#[derive(Default)]
struct EventFields {
    ids: SpanIds,
    message: Option<Value>,
    others: Vec<(&'static str, Value)>,
    /// The target of an event of the `log` crate.
    log_target: Option<String>,
}

impl EventFields {
    fn insert(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            (MESSAGE, value) => self.message = Some(value),
            (REQUEST_ID, Value::String(id)) => self.ids.request = Some(id),
            (SESSION_ID, Value::String(id)) => self.ids.session = Some(id),
            ("log.target", Value::String(target)) => self.log_target = Some(target),
            (name, value) if !name.starts_with("log.") => self.others.push((name, value)),
            _ => {}
        }
    }
}

impl Visit for EventFields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.insert(field, format!("{value:?}").into());
    }
}

fn now() -> String {
    Utc::now().to_rfc3339_opts(SecondsFormat::Micros, true)
}

impl<S, N> FormatEvent<S, N> for JsonLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = LogLine::from_event(context, event);
        let [timestamp, level, target] = FIRST_FIELDS;
        write!(
            writer,
            r#"{{"{timestamp}":"{}","{level}":"{}","{target}":{}"#,
            now(),
            line.level,
            Value::from(&*line.target)
        )?;
        for (name, id) in line.ids() {
            write!(writer, r#","{name}":{}"#, Value::String(id))?;
        }
        if let Some(message) = &line.message {
            write!(writer, r#","{MESSAGE}":{message}"#)?;
        }
        for (name, value) in &line.fields {
            if !FIRST_FIELDS.contains(name) {
                write!(writer, r#","{name}":{value}"#)?;
            }
        }
        writeln!(writer, "}}")
    }
}

impl<S, N> FormatEvent<S, N> for PrettyLines
where
    S: Subscriber + for<'span> LookupSpan<'span>,
    N: for<'writer> FormatFields<'writer> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = LogLine::from_event(context, event);
        let has_colours = writer.has_ansi_escapes();
        let paint = |code: &'static str| if has_colours { code } else { "" };
        let (dim, plain) = (paint("\u{1b}[2m"), paint("\u{1b}[0m"));
        let colour = paint(colour(line.level));
        write!(
            writer,
            "{dim}{}{plain} {colour}{:>5}{plain}",
            now(),
            line.level.as_str()
        )?;
        if let Some(message) = &line.message {
            write!(writer, " {}", Escaped(message))?;
        }
        for (name, value) in &line.fields {
            write!(writer, " {dim}{name}={plain}{}", Escaped(value))?;
        }
        for (name, id) in line.ids() {
            write!(writer, " {dim}{name}={}{plain}", Escaped(&id.into()))?;
        }
        writeln!(writer)
    }
}

const fn colour(level: Level) -> &'static str {
    match level {
        Level::ERROR => "\u{1b}[31m",
        Level::WARN => "\u{1b}[33m",
        Level::INFO => "\u{1b}[32m",
        Level::DEBUG => "\u{1b}[34m",
        Level::TRACE => "\u{1b}[35m",
    }
}

/// Escapes control characters, so that a value cannot begin another line or control the terminal.
struct Escaped<'a>(&'a Value);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Value::String(text) = self.0 else {
            return write!(f, "{}", self.0);
        };
        text.chars().try_for_each(|c| match c.is_control() {
            true => write!(f, "{}", c.escape_default()),
            false => f.write_char(c),
        })
    }
}

#[cfg(test)]
mod tests;
