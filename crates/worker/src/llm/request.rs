//! The body of a chat completion request, and the fields it drops for servers that refuse them.

use crate::{pipeline::Prompt, upstream::UpstreamResponse};
use serde_json::{Value, json};

use super::error;

/// Low, because answers must follow their sources.
const TEMPERATURE: f64 = 0.2;

/// The optional fields that a server accepts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct RequestFields {
    /// Requests token counts at the end of a stream.
    pub(super) stream_options: bool,
    temperature: bool,
    /// Sends `max_completion_tokens` instead of `max_tokens`, as OpenAI's reasoning models require.
    max_completion_tokens: bool,
    /// Sends `response_format`, which requests JSON.
    response_format: bool,
}

impl RequestFields {
    pub(super) fn new(stream_options: bool) -> Self {
        Self {
            stream_options,
            temperature: true,
            max_completion_tokens: false,
            response_format: true,
        }
    }

    /// Drops the field that `reply` complains about; `None` when it names none.
    pub(super) fn without_refused_field(self, reply: &UpstreamResponse) -> Option<Self> {
        if !matches!(reply.status.as_u16(), 400 | 422) {
            return None;
        }
        let complaint = error::error_text(&reply.body);
        let mut shape = self;
        if self.stream_options && complaint.contains("stream_options") {
            shape.stream_options = false;
        }
        if self.temperature && complaint.contains("temperature") {
            shape.temperature = false;
        }
        if self.response_format && complaint.contains("response_format") {
            shape.response_format = false;
        }
        if complaint.contains("max_completion_tokens") {
            shape.max_completion_tokens = true;
        }
        (shape != self).then_some(shape)
    }

    pub(super) fn body(self, model: &str, prompt: &Prompt) -> Value {
        let mut messages = Vec::with_capacity(2);
        if !prompt.system.is_empty() {
            messages.push(json!({"role": "system", "content": prompt.system}));
        }
        messages.push(json!({"role": "user", "content": prompt.user}));
        let mut body = json!({"model": model, "messages": messages, "stream": true});
        let limit = if self.max_completion_tokens {
            "max_completion_tokens"
        } else {
            "max_tokens"
        };
        body[limit] = json!(prompt.max_tokens);
        if self.temperature {
            body["temperature"] = json!(TEMPERATURE);
        }
        if self.response_format && prompt.wants_json {
            body["response_format"] = json!({"type": "json_object"});
        }
        if self.stream_options {
            body["stream_options"] = json!({"include_usage": true});
        }
        body
    }
}
