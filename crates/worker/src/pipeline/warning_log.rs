//! Sends each warning once, when it happens, and keeps it for the result.

use super::progress::ProgressSink;
use privachat_core::schema::Event;
use std::sync::{Mutex, PoisonError};

/// A sink that forwards every event but repeated warnings, and collects the warnings in order.
pub(super) struct WarningLog<'a> {
    sink: &'a dyn ProgressSink,
    warnings: Mutex<Vec<String>>,
}

impl<'a> WarningLog<'a> {
    pub(super) fn new(sink: &'a dyn ProgressSink) -> Self {
        Self {
            sink,
            warnings: Mutex::default(),
        }
    }

    pub(super) fn into_warnings(self) -> Vec<String> {
        self.warnings
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps `message`; false if it is known already.
    fn is_new(&self, message: &str) -> bool {
        let mut warnings = self.warnings.lock().unwrap_or_else(PoisonError::into_inner);
        if warnings.iter().any(|known| known == message) {
            return false;
        }
        warnings.push(message.to_owned());
        true
    }
}

impl ProgressSink for WarningLog<'_> {
    fn emit(&self, event: Event) {
        if let Event::Warning { message } = &event
            && !self.is_new(message)
        {
            return;
        }
        self.sink.emit(event);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::test_support::Recorder;

    #[test]
    fn a_repeated_warning_is_sent_and_kept_once() {
        let recorder = Recorder::default();
        let reporter = WarningLog::new(&recorder);
        let sink: &dyn ProgressSink = &reporter;
        for message in ["b", "a", "b"] {
            sink.warn(message);
        }
        assert_eq!(reporter.into_warnings(), ["b", "a"]);
        assert_eq!(recorder.warnings(), ["b", "a"]);
    }
}
