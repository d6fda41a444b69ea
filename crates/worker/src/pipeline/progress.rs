//! Where a running search sends its events.

use privachat_core::schema::{Event, Progress, Stage};

/// Takes the events of a search. Must not block; cannot fail the search.
pub trait ProgressSink: Send + Sync {
    fn emit(&self, event: Event);
}

/// A sink that drops every event.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl ProgressSink for NullSink {
    fn emit(&self, _event: Event) {}
}

impl dyn ProgressSink + '_ {
    /// Emits how far a stage is.
    pub fn stage(&self, stage: Stage, done: usize, total: usize, message: impl Into<String>) {
        self.emit(Event::Stage(Progress {
            stage,
            done,
            total,
            message: message.into(),
        }));
    }

    /// Emits a warning: something was cut or failed.
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warning {
            message: message.into(),
        });
    }
}
