//! Logs (JSON, or pretty on a terminal; both without private data) and traces to a collector.
//! [`LogSettings`] starts both. docs/OBSERVABILITY.md lists the names.

mod collector_client;
mod line_format;
mod span_ids;
mod traces;

pub use traces::{Traces, is_exported, rename_span, set_parent, traceparent};

use line_format::{JsonLines, OmitSpanFields, PrettyLines};
use std::{io::IsTerminal, str::FromStr};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use url::Url;

/// Level and format of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A level, or a filter in the form of tracing-subscriber's `EnvFilter`.
    pub level: String,
    /// The format.
    pub format: LogFormat,
}

/// The format of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// One line for people.
    Pretty,
    /// Pretty on a terminal, JSON elsewhere.
    Auto,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text {
            "json" => Ok(Self::Json),
            "pretty" => Ok(Self::Pretty),
            "auto" => Ok(Self::Auto),
            _ => Err(()),
        }
    }
}

/// The log target of the HTTP server library, for errors that its clients cause.
const HTTP_LIBRARY_TARGET: &str = "actix_http";

impl LogSettings {
    /// Checks the filter.
    ///
    /// # Errors
    /// The expected form, if the filter is invalid.
    pub fn check(&self) -> Result<(), &'static str> {
        EnvFilter::try_new(&self.level)
            .map(|_filter| ())
            .map_err(|_unreadable| "must be error, warn, info, debug, trace or a filter such as info,privachat_core=debug")
    }

    /// The filter of the level. Levels above `info` apply to this service only: libraries would log
    /// page text, headers and addresses with questions in them.
    ///
    /// actix-http is off unless the filter names it: it logs malformed requests and broken
    /// connections, which any client can cause, as errors.
    fn env_filter(&self) -> String {
        let level = match self.level.parse::<LevelFilter>() {
            Ok(level) if level > LevelFilter::INFO => format!("info,privachat={level}"),
            _ => self.level.clone(),
        };
        match level.contains(HTTP_LIBRARY_TARGET) {
            true => level,
            false => format!("{level},{HTTP_LIBRARY_TARGET}=off"),
        }
    }

    /// The settings for a command that a person runs: warnings only, unless a level
    /// other than `info` is set.
    #[must_use]
    pub fn for_commands(&self) -> Self {
        if self.level == "info" {
            return Self {
                level: "warn".to_owned(),
                format: LogFormat::Pretty,
            };
        }
        self.clone()
    }

    /// Starts logging to standard error. Does nothing if logging was started before.
    pub fn start(&self) {
        self.start_with(Vec::new());
    }

    /// Like [`Self::start`], and sends the spans of `service` to the collector at `otlp`, if set.
    ///
    /// # Errors
    /// When the HTTP client of the exporter cannot be built.
    pub fn start_traced(
        &self,
        otlp: Option<&Url>,
        service: &'static str,
    ) -> anyhow::Result<Traces> {
        let Some(otlp) = otlp else {
            self.start();
            return Ok(Traces::default());
        };
        let (traces, layer) = traces::start(otlp, service)?;
        self.start_with(vec![layer.boxed()]);
        Ok(traces)
    }

    fn start_with(&self, mut layers: Vec<Box<dyn Layer<Registry> + Send + Sync>>) {
        layers.push(self.line_layer());
        if tracing_subscriber::registry()
            .with(layers)
            .try_init()
            .is_err()
        {
            tracing::debug!("logging was started before");
        }
    }

    fn line_layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let filter = EnvFilter::try_new(self.env_filter())
            .unwrap_or_else(|_unreadable| EnvFilter::new("info"));
        let filter = filter_fn(span_ids::is_needed_for_lines).and(filter);
        let is_terminal = std::io::stderr().is_terminal();
        let json = match self.format {
            LogFormat::Json => true,
            LogFormat::Pretty => false,
            LogFormat::Auto => !is_terminal,
        };
        let layer = fmt::layer()
            .fmt_fields(OmitSpanFields)
            .with_writer(std::io::stderr);
        if json {
            let lines = layer.event_format(JsonLines);
            return span_ids::SpanIdLayer
                .and_then(lines)
                .with_filter(filter)
                .boxed();
        }
        let lines = layer.with_ansi(is_terminal).event_format(PrettyLines);
        span_ids::SpanIdLayer
            .and_then(lines)
            .with_filter(filter)
            .boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(level: &str) -> String {
        let format = LogFormat::Json;
        let level = level.to_owned();
        LogSettings { level, format }.env_filter()
    }

    #[test]
    fn levels_above_info_apply_to_privachat_only() {
        for (level, expected) in [
            ("debug", "info,privachat=debug,actix_http=off"),
            ("TRACE", "info,privachat=trace,actix_http=off"),
            ("warn", "warn,actix_http=off"),
            (
                "info,privachat_core=debug",
                "info,privachat_core=debug,actix_http=off",
            ),
            ("info,actix_http=debug", "info,actix_http=debug"),
        ] {
            assert_eq!(filter(level), expected);
        }
    }
}
