//! Streams the text of an answer to subscribers while the model writes it.

use crate::pipeline::{ProgressSink, answer::citations::CitationFilter};
use privachat_core::schema::Event;

/// The text that was streamed; its citations are cleaned piece by piece.
pub(super) struct StreamedText<'a> {
    sources: usize,
    filter: CitationFilter,
    pub(super) sink: &'a dyn ProgressSink,
    pub(super) text: String,
}

impl<'a> StreamedText<'a> {
    pub(super) fn new(sources: usize, sink: &'a dyn ProgressSink) -> Self {
        Self {
            sources,
            filter: CitationFilter::new(sources),
            sink,
            text: String::new(),
        }
    }

    pub(super) fn push(&mut self, piece: &str) {
        let delta = self.filter.push(piece);
        self.emit(delta);
    }

    /// Voids the text so far.
    pub(super) fn discard(&mut self) {
        self.filter = CitationFilter::new(self.sources);
        if self.text.is_empty() {
            return;
        }
        self.text.clear();
        self.sink.emit(Event::Discard {});
    }

    pub(super) fn finish(&mut self) {
        let delta = self.filter.finish();
        self.emit(delta);
    }

    fn emit(&mut self, delta: String) {
        if delta.is_empty() {
            return;
        }
        self.text.push_str(&delta);
        self.sink.emit(Event::Text { delta });
    }

    pub(super) fn any(&self) -> bool {
        !self.text.trim().is_empty()
    }
}
