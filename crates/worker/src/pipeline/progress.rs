//! Where a search tells what it is doing.

use privachat_core::schema::{Event, Progress, Stage};

/// Takes what a search reports. Never blocks and never fails the search.
pub trait ProgressSink: Send + Sync {
    /// Takes one event.
    fn emit(&self, event: Event);
}

/// A sink for when nobody listens.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl ProgressSink for Silent {
    fn emit(&self, _event: Event) {}
}

impl dyn ProgressSink + '_ {
    /// Says how far a stage is.
    pub fn stage(&self, stage: Stage, done: usize, total: usize, message: impl Into<String>) {
        self.emit(Event::Stage(Progress {
            stage,
            done,
            total,
            message: message.into(),
        }));
    }

    /// Says what was cut or went wrong.
    pub fn warn(&self, message: impl Into<String>) {
        self.emit(Event::Warning {
            message: message.into(),
        });
    }
}
