//! The answer as it grows from chunks.

use super::{
    chunk,
    refusal::{self, Failure, ModelName},
    sse::Event,
    think::ThinkFilter,
};
use crate::pipeline::{Completion, ModelError, Piece};
use privachat_core::schema::Usage;
use serde_json::Value;

/// A model that goes on for longer than this has lost its way.
const MAX_TEXT_BYTES: usize = 400_000;

/// Where visible text goes as it arrives.
pub(super) type OnPiece<'a> = &'a mut (dyn for<'t> FnMut(Piece<'t>) + Send + 'a);

/// A completion under construction.
pub(super) struct Answer<'a> {
    on_piece: OnPiece<'a>,
    source: ModelName,
    model: String,
    filter: ThinkFilter,
    text: String,
    usage: Option<Usage>,
    finish: Option<String>,
    done: bool,
    started: bool,
    reasoned: bool,
    overflowed: bool,
}

impl<'a> Answer<'a> {
    pub(super) fn new(model: &str, source: ModelName, on_piece: OnPiece<'a>) -> Self {
        Self {
            on_piece,
            source,
            model: model.to_owned(),
            filter: ThinkFilter::default(),
            text: String::new(),
            usage: None,
            finish: None,
            done: false,
            started: false,
            reasoned: false,
            overflowed: false,
        }
    }

    /// Whether the model has begun to think or to write.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Whether the model said why it stopped; only token counts can follow.
    pub(super) fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether nothing more is wanted of the stream.
    pub(super) fn is_over(&self) -> bool {
        self.done || self.overflowed
    }

    /// Takes one event of the stream.
    pub(super) fn take_event(&mut self, event: &Event) -> Result<(), Failure> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        match serde_json::from_str::<Value>(data) {
            Ok(object) if event.name == "error" => Err(self.refused(&object)),
            Ok(object) => self.take(&object),
            Err(_) => Err(self.broken("a chunk that is not JSON")),
        }
    }

    /// Takes the event that the end of the stream may have cut in the middle; half an event says
    /// no more than that the end mark is missing.
    pub(super) fn take_last_event(&mut self, event: &Event) -> Result<(), Failure> {
        let data = event.data.trim();
        if data == "[DONE]" || serde_json::from_str::<Value>(data).is_ok() {
            return self.take_event(event);
        }
        Ok(())
    }

    /// Takes a whole answer of a server that does not stream.
    pub(super) fn take_whole(&mut self, body: &[u8]) -> Result<(), Failure> {
        let Ok(object) = serde_json::from_slice::<Value>(body) else {
            return Err(self.broken("JSON that breaks off"));
        };
        self.take(&object)?;
        self.done = object.get("choices").is_some();
        Ok(())
    }

    fn take(&mut self, object: &Value) -> Result<(), Failure> {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.refused(object));
        }
        let chunk = chunk::read(object);
        self.reasoned |= chunk.reasons;
        self.started |= chunk.reasons || !chunk.text.is_empty();
        self.usage = chunk.usage.or(self.usage);
        self.finish = chunk.finish.or(self.finish.take());
        if let Some(model) = chunk.model {
            self.model = model;
        }
        let visible = self.filter.feed(&chunk.text);
        if self.filter.take_void() {
            self.text.clear();
            (self.on_piece)(Piece::Discard);
        }
        self.show(&visible);
        Ok(())
    }

    fn show(&mut self, visible: &str) {
        if visible.is_empty() {
            return;
        }
        self.text.push_str(visible);
        (self.on_piece)(Piece::Text(visible));
        self.overflowed |= self.text.len() > MAX_TEXT_BYTES;
    }

    /// The failure of a stream that broke: with the text until then, if a reader has seen any.
    pub(super) fn broken(&mut self, reason: &str) -> Failure {
        let reason = reason.to_owned();
        if self.text.is_empty() {
            return Failure::of_model(ModelError::Unavailable { reason });
        }
        let partial = std::mem::take(&mut self.text);
        Failure::of_model(ModelError::Cut {
            model: self.model.clone(),
            reason,
            partial,
            usage: self.usage,
        })
    }

    /// The failure of a stream that fell silent or ran out of time.
    pub(super) fn late(&mut self, reason: &str) -> Failure {
        if self.text.is_empty() {
            return Failure::of_model(ModelError::TimedOut);
        }
        self.broken(reason)
    }

    fn refused(&mut self, object: &Value) -> Failure {
        let failure = refusal::classify_object(object, self.source);
        if self.text.is_empty() {
            return failure;
        }
        self.broken("the server reports an error")
    }

    /// The completion, once the stream has ended.
    pub(super) fn finish(mut self) -> Result<Completion, Failure> {
        let held = self.filter.finish();
        self.show(&held);
        let finish = self.finish.as_deref().unwrap_or_default();
        if self.text.trim().is_empty() {
            return Err(Failure {
                starved: at_limit(finish) && self.has_reasoned(),
                ..self.empty()
            });
        }
        let cut_short = at_limit(finish) || finish == "content_filter";
        let unmarked = finish.is_empty() && !self.done;
        Ok(Completion {
            truncated: cut_short || unmarked || self.overflowed,
            text: self.text.trim_end().to_owned(),
            model: self.model,
            usage: self.usage,
        })
    }

    fn has_reasoned(&self) -> bool {
        self.reasoned || self.filter.hid_something()
    }

    fn empty(&self) -> Failure {
        let reason = match self.finish.as_deref() {
            Some("content_filter") => "stopped by a content filter",
            _ if self.has_reasoned() => "reasoning without an answer",
            None if !self.done => {
                return Failure::of_model(ModelError::Unavailable {
                    reason: "the stream ended without text".to_owned(),
                });
            }
            _ => "empty answer",
        };
        Failure::of_model(ModelError::Unusable {
            reason: reason.to_owned(),
            usage: self.usage,
        })
    }
}

/// Whether the model stopped because its tokens were used up.
fn at_limit(finish: &str) -> bool {
    matches!(finish, "length" | "max_tokens")
}
