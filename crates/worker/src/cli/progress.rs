//! Progress on stderr: a bar on a terminal, plain lines elsewhere.

use super::escape::escape_invisible;
use crate::pipeline::ProgressSink;
use indicatif::{ProgressBar, ProgressStyle};
use privachat_core::schema::{Event, Progress};
use std::{
    io::{self, IsTerminal, Write},
    time::Duration,
};

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(120);

/// The form of the progress.
pub(super) enum ProgressOutput {
    Bar(ProgressBar),
    Lines,
}

/// A bar when stderr is a terminal, lines otherwise.
pub(super) fn stderr() -> ProgressOutput {
    if !io::stderr().is_terminal() {
        return ProgressOutput::Lines;
    }
    let bar = ProgressBar::new(1);
    if let Ok(style) = ProgressStyle::with_template("{spinner} {bar:20} {msg}") {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    ProgressOutput::Bar(bar)
}

impl ProgressOutput {
    pub(super) fn as_sink(&self) -> &dyn ProgressSink {
        self
    }

    /// Removes the bar.
    pub(super) fn finish(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }

    fn print_line(&self, text: &str) {
        let text = escape_invisible(text);
        match self {
            Self::Bar(bar) => bar.println(text),
            // A closed stderr must not end the search.
            Self::Lines => drop(writeln!(io::stderr().lock(), "{text}")),
        }
    }

    fn update(&self, progress: &Progress) {
        match self {
            Self::Bar(bar) => {
                bar.set_length(u64::try_from(progress.total).unwrap_or(u64::MAX));
                bar.set_position(u64::try_from(progress.done).unwrap_or(u64::MAX));
                bar.set_message(escape_invisible(&progress.message).into_owned());
            }
            Self::Lines => self.print_line(&progress.message),
        }
    }
}

impl ProgressSink for ProgressOutput {
    fn emit(&self, event: Event) {
        match event {
            Event::Stage(progress) => self.update(&progress),
            Event::Warning { message } => self.print_line(&format!("warning: {message}")),
            // The result contains them.
            Event::Sources { .. } | Event::Text { .. } | Event::Discard {} => {}
        }
    }
}
