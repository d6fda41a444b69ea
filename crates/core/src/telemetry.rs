//! Logs: JSON for machines, pretty on a terminal, and nothing private in either. Traces, when there
//! is a collector for them. docs/OBSERVABILITY.md has the names.

mod ids;
mod lines;
mod sender;
mod traces;

pub use traces::{Traces, is_exported, rename, set_parent, traceparent};

use lines::{JsonLines, NoFields, PrettyLines};
use std::{io::IsTerminal, str::FromStr};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::{FilterExt, LevelFilter, filter_fn},
    fmt,
    layer::SubscriberExt,
    util::SubscriberInitExt,
};
use url::Url;

/// What is logged, and how.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// A level, or a filter in the form of tracing-subscriber's `EnvFilter`.
    pub level: String,
    /// In which form.
    pub format: LogFormat,
}

/// Form of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
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

/// Where the library behind the HTTP server logs what its peers do.
const STRANGERS: &str = "actix_http";

impl LogSettings {
    /// Whether the filter can be used.
    ///
    /// # Errors
    /// With what it should be.
    pub fn check(&self) -> Result<(), &'static str> {
        EnvFilter::try_new(&self.level)
            .map(|_filter| ())
            .map_err(|_unreadable| "must be error, warn, info, debug, trace or a filter such as info,privachat_core=debug")
    }

    /// The filter that the level stands for. More than `info` is for this service's own parts: the
    /// libraries below it write page text, headers and addresses with questions in them.
    ///
    /// What actix-http logs, it logs as errors, and it is what strangers do: requests that are
    /// none, connections that break. Such a line has to be asked for by name.
    fn filter(&self) -> String {
        let level = match self.level.parse::<LevelFilter>() {
            Ok(level) if level > LevelFilter::INFO => format!("info,privachat={level}"),
            _ => self.level.clone(),
        };
        match level.contains(STRANGERS) {
            true => level,
            false => format!("{level},{STRANGERS}=off"),
        }
    }

    /// For commands whose output a person reads: warnings only, unless more was asked for.
    #[must_use]
    pub fn quieter(&self) -> Self {
        if self.level == "info" {
            return Self {
                level: "warn".to_owned(),
                format: LogFormat::Pretty,
            };
        }
        self.clone()
    }

    /// Starts logging to standard error. Does nothing when logging has been started before.
    pub fn start(&self) {
        self.start_with(Vec::new());
    }

    /// The same, and sends the spans of `service` to the collector at `otlp` if there is one.
    ///
    /// # Errors
    /// When the HTTP client for it cannot be set up.
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
        layers.push(self.lines());
        if tracing_subscriber::registry()
            .with(layers)
            .try_init()
            .is_err()
        {
            tracing::debug!("logging was started before");
        }
    }

    fn lines(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let filter =
            EnvFilter::try_new(self.filter()).unwrap_or_else(|_unreadable| EnvFilter::new("info"));
        let filter = filter_fn(ids::matters).and(filter);
        let is_terminal = std::io::stderr().is_terminal();
        let json = match self.format {
            LogFormat::Json => true,
            LogFormat::Pretty => false,
            LogFormat::Auto => !is_terminal,
        };
        let layer = fmt::layer()
            .fmt_fields(NoFields)
            .with_writer(std::io::stderr);
        if json {
            let lines = layer.event_format(JsonLines);
            return ids::KeepIds.and_then(lines).with_filter(filter).boxed();
        }
        let lines = layer.with_ansi(is_terminal).event_format(PrettyLines);
        ids::KeepIds.and_then(lines).with_filter(filter).boxed()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(level: &str) -> String {
        let format = LogFormat::Json;
        let level = level.to_owned();
        LogSettings { level, format }.filter()
    }

    #[test]
    fn a_bare_level_beyond_info_is_for_our_own_parts_alone() {
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
