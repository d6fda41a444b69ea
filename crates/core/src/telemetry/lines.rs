//! How a log line looks: one flat JSON object, or one line for people.

use super::ids::{Ids, REQUEST_ID, SESSION_ID};
use chrono::{SecondsFormat, Utc};
use serde_json::{Map, Value};
use std::fmt::{self, Debug, Write as _};
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

/// Spans are not told but for their ids.
pub(super) struct NoFields;

impl<'writer> FormatFields<'writer> for NoFields {
    fn format_fields<R: RecordFields>(&self, _: Writer<'writer>, _: R) -> fmt::Result {
        Ok(())
    }
}

/// One JSON object a line: `timestamp`, `level`, `target`, `request_id` and `session_id` when there
/// are any, `message`, and what else the event says.
pub(super) struct JsonLines;

/// The same for people.
pub(super) struct PrettyLines;

/// An event in parts.
struct Line {
    level: Level,
    target: String,
    ids: Ids,
    fields: Map<String, Value>,
}

impl Line {
    fn of<S, N>(context: &FmtContext<'_, S, N>, event: &Event<'_>) -> Self
    where
        S: Subscriber + for<'span> LookupSpan<'span>,
        N: for<'writer> FormatFields<'writer> + 'static,
    {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let Fields { said, log_target } = fields;
        let scope = context.event_scope().into_iter().flatten();
        let mut ids = Ids::of(scope.filter_map(|span| span.extensions().get::<Ids>().cloned()));
        let mut fields = said;
        // What the event says itself is nearer.
        let mut own = |name| match fields.shift_remove(name) {
            Some(Value::String(id)) => Some(id),
            _ => None,
        };
        ids.request = own(REQUEST_ID).or(ids.request);
        ids.session = own(SESSION_ID).or(ids.session);
        let metadata = event.metadata();
        Self {
            level: *metadata.level(),
            target: log_target.unwrap_or_else(|| metadata.target().to_owned()),
            ids,
            fields,
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
struct Fields {
    said: Map<String, Value>,
    /// Whose line it is, of lines that came by the `log` crate.
    log_target: Option<String>,
}

impl Fields {
    fn keep(&mut self, field: &Field, value: Value) {
        match field.name() {
            "log.target" => self.log_target = value.as_str().map(str::to_owned),
            name if name.starts_with("log.") => {}
            name => {
                self.said.insert(name.to_owned(), value);
            }
        }
    }
}

impl Visit for Fields {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.keep(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.keep(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.keep(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.keep(field, value.into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.keep(field, value.into());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.keep(field, format!("{value:?}").into());
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
        let mut line = Line::of(context, event);
        let mut object = Map::new();
        object.insert("timestamp".to_owned(), now().into());
        object.insert("level".to_owned(), line.level.as_str().into());
        object.insert("target".to_owned(), std::mem::take(&mut line.target).into());
        for (name, id) in line.ids() {
            object.insert(name.to_owned(), id.into());
        }
        if let Some(message) = line.fields.shift_remove(MESSAGE) {
            object.insert(MESSAGE.to_owned(), message);
        }
        for (name, value) in line.fields {
            object.entry(name).or_insert(value);
        }
        writeln!(writer, "{}", Value::Object(object))
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
        let mut line = Line::of(context, event);
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
        if let Some(message) = line.fields.shift_remove(MESSAGE) {
            write!(writer, " {}", OneLine(&message))?;
        }
        for (name, value) in &line.fields {
            write!(writer, " {dim}{name}={plain}{}", OneLine(value))?;
        }
        for (name, id) in line.ids() {
            write!(writer, " {dim}{name}={}{plain}", OneLine(&id.into()))?;
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

/// A value that cannot begin another line, nor speak to the terminal.
struct OneLine<'a>(&'a Value);

impl fmt::Display for OneLine<'_> {
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
