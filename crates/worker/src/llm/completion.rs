//! Builds a completion from the chunks of a stream.

use super::{
    chunk,
    error::{self, CompletionError, ModelSource},
    reasoning_filter::ReasoningFilter,
    sse::SseEvent,
};
use crate::{
    cleaning,
    json::{self, PendingSurrogate},
    pipeline::{Completion, CompletionEvent, ModelError},
};
use privachat_core::schema::Usage;
use serde_json::Value;

/// Longer text means that the model is repeating itself without end.
const MAX_TEXT_BYTES: usize = 400_000;
/// Bytes of text per requested token: several times what any language needs. Text is cut there when
/// a server ignores the token limit.
const BYTES_PER_TOKEN: usize = 16;
/// A model's name is cut to this many characters.
const MAX_NAME_CHARS: usize = 200;

/// Receives visible text as it arrives.
pub(super) type OnPiece<'a> = &'a mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send + 'a);

/// A completion under construction.
pub(super) struct CompletionBuilder<'a> {
    on_piece: OnPiece<'a>,
    model_source: ModelSource,
    model: String,
    filter: ReasoningFilter,
    text: String,
    max_bytes: usize,
    /// The first half of a surrogate pair that the last chunk ended with.
    pending_surrogate: PendingSurrogate,
    usage: Option<Usage>,
    finish: Option<String>,
    done: bool,
    started: bool,
    reasoned: bool,
    overflowed: bool,
}

impl<'a> CompletionBuilder<'a> {
    /// Starts a completion of at most `max_tokens`.
    pub(super) fn new(
        model: &str,
        model_source: ModelSource,
        max_tokens: u32,
        on_piece: OnPiece<'a>,
    ) -> Self {
        let asked = usize::try_from(max_tokens).unwrap_or(usize::MAX);
        Self {
            max_bytes: asked.saturating_mul(BYTES_PER_TOKEN).min(MAX_TEXT_BYTES),
            pending_surrogate: PendingSurrogate::default(),
            on_piece,
            model_source,
            model: model.to_owned(),
            filter: ReasoningFilter::default(),
            text: String::new(),
            usage: None,
            finish: None,
            done: false,
            started: false,
            reasoned: false,
            overflowed: false,
        }
    }

    /// Whether reasoning or text has arrived.
    pub(super) fn has_started(&self) -> bool {
        self.started
    }

    /// Whether a finish reason has arrived; only token counts can follow.
    pub(super) fn has_finished(&self) -> bool {
        self.finish.is_some()
    }

    /// Whether the rest of the stream can be ignored.
    pub(super) fn is_over(&self) -> bool {
        self.done || self.overflowed
    }

    /// Adds one event of the stream.
    pub(super) fn add_event(&mut self, event: &SseEvent) -> Result<(), CompletionError> {
        let data = event.data.trim();
        if data.is_empty() {
            return Ok(());
        }
        if data == "[DONE]" {
            self.done = true;
            return Ok(());
        }
        let mut half = self.pending_surrogate;
        let Ok(object) = json::read_piece(data, &mut half) else {
            return Err(self.broken_stream("a chunk that is not JSON"));
        };
        if event.event_type == "error" {
            return Err(self.server_error(&object));
        }
        let has_text = self.add_object(&object)?;
        // Chunks without text may come between the two halves of a surrogate pair.
        if has_text || half != PendingSurrogate::default() {
            self.pending_surrogate = half;
        }
        Ok(())
    }

    /// Adds the last event, which the end of the stream may have cut. A partial event is ignored.
    pub(super) fn add_last_event(&mut self, event: &SseEvent) -> Result<(), CompletionError> {
        let data = event.data.trim();
        if data == "[DONE]" || json::read_piece(data, &mut self.pending_surrogate.clone()).is_ok() {
            return self.add_event(event);
        }
        Ok(())
    }

    /// Adds the whole response of a server that does not stream.
    pub(super) fn add_body(&mut self, body: &[u8]) -> Result<(), CompletionError> {
        let Ok(parsed) = json::read(body) else {
            return Err(self.broken_stream("incomplete JSON"));
        };
        self.add_object(&parsed.value)?;
        self.done = parsed.value.get("choices").is_some();
        Ok(())
    }

    /// Adds one chunk; returns whether it holds text.
    fn add_object(&mut self, object: &Value) -> Result<bool, CompletionError> {
        if object.get("error").is_some_and(|error| !error.is_null()) {
            return Err(self.server_error(object));
        }
        let mut chunk = chunk::parse(object);
        let has_text = !chunk.text.is_empty();
        cleaning::clean_in_place(&mut chunk.text);
        self.reasoned |= chunk.has_reasoning;
        self.started |= chunk.has_reasoning || !chunk.text.is_empty();
        self.usage = chunk.usage.or(self.usage);
        self.finish = chunk.finish_reason.or(self.finish.take());
        if let Some(model) = chunk.model {
            self.model = cleaning::clean_line(&model, MAX_NAME_CHARS);
        }
        let visible = self.filter.feed(&chunk.text);
        if self.filter.take_discard() {
            self.text.clear();
            (self.on_piece)(CompletionEvent::Discard);
        }
        self.emit(&visible);
        Ok(has_text)
    }

    fn emit(&mut self, visible: &str) {
        if visible.is_empty() {
            return;
        }
        let room = self.max_bytes.saturating_sub(self.text.len());
        let end = visible.floor_char_boundary(room);
        self.overflowed |= end < visible.len();
        let visible = visible.get(..end).unwrap_or_default();
        self.text.push_str(visible);
        (self.on_piece)(CompletionEvent::Text(visible));
    }

    /// The error of a broken stream: `Cut` with the text so far, or `Unavailable` if there is none.
    pub(super) fn broken_stream(&mut self, reason: &str) -> CompletionError {
        let reason = reason.to_owned();
        if self.text.is_empty() {
            return CompletionError::with_fallback(ModelError::Unavailable { reason });
        }
        let partial = std::mem::take(&mut self.text);
        CompletionError::with_fallback(ModelError::Interrupted {
            model: self.model.clone(),
            reason,
            partial,
            usage: self.usage,
        })
    }

    /// The error of a stream that stalled or ran out of time: `Cut`, or `TimedOut` without text.
    pub(super) fn stalled_stream(&mut self, reason: &str) -> CompletionError {
        if self.text.is_empty() {
            return CompletionError::with_fallback(ModelError::TimedOut);
        }
        self.broken_stream(reason)
    }

    fn server_error(&mut self, object: &Value) -> CompletionError {
        let failure = error::classify_error_object(object, self.model_source);
        if self.text.is_empty() {
            return failure;
        }
        self.broken_stream("the server reports an error")
    }

    /// The completion, after the end of the stream.
    pub(super) fn finish(mut self) -> Result<Completion, CompletionError> {
        let held = self.filter.finish();
        self.emit(&held);
        let finish = self.finish.as_deref().unwrap_or_default();
        if self.text.trim().is_empty() {
            return Err(CompletionError {
                tokens_exhausted: is_token_limit(finish) && self.has_reasoned(),
                ..self.no_text_error()
            });
        }
        let cut_short = is_token_limit(finish) || finish == "content_filter";
        let unmarked = finish.is_empty() && !self.done;
        Ok(Completion {
            truncated: cut_short || unmarked || self.overflowed,
            text: self.text.trim_end().to_owned(),
            model: self.model,
            usage: self.usage,
        })
    }

    fn has_reasoned(&self) -> bool {
        self.reasoned || self.filter.has_removed_reasoning()
    }

    fn no_text_error(&self) -> CompletionError {
        let reason = match self.finish.as_deref() {
            Some("content_filter") => "stopped by a content filter",
            _ if self.has_reasoned() => "reasoning without an answer",
            None if !self.done => {
                return CompletionError::with_fallback(ModelError::Unavailable {
                    reason: "the stream ended without text".to_owned(),
                });
            }
            _ => "empty answer",
        };
        CompletionError::with_fallback(ModelError::Unusable {
            reason: reason.to_owned(),
            usage: self.usage,
        })
    }
}

/// Whether the model stopped at its token limit.
fn is_token_limit(finish: &str) -> bool {
    matches!(finish, "length" | "max_tokens")
}
