//! The interface to language models.

use super::deadline::Deadline;
use async_trait::async_trait;
use privachat_core::schema::Usage;
use std::time::Duration;

#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// The system message: instructions.
    pub system: String,
    /// The user message: the task and its sources.
    pub user: String,
    /// A model other than the configured one.
    pub model: Option<String>,
    /// The maximum length of the completion, in tokens.
    pub max_tokens: u32,
    /// Whether to request a JSON object, from servers that support it.
    pub wants_json: bool,
}

/// The text that a model generated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// Without reasoning blocks.
    pub text: String,
    /// The model that generated it.
    pub model: String,
    /// Tokens spent, if the server counts them.
    pub usage: Option<Usage>,
    /// Whether the token limit was reached or the stream ended without its end mark.
    pub truncated: bool,
}

/// A step of a streamed completion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CompletionEvent<'t> {
    /// More visible text.
    Text(&'t str),
    /// The text so far is void: it was reasoning, or another model starts over.
    Discard,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLimits {
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Tokens that an answer may have.
    pub answer_tokens: u32,
}

impl ModelLimits {
    /// For models with unknown limits: nearly every model has at least these.
    pub const DEFAULT: Self = Self {
        context_tokens: 8192,
        answer_tokens: 1024,
    };
}

/// A chat model.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The configured model, used unless a prompt names another.
    fn name(&self) -> &str;

    /// The limits of `model`, or of the configured one. A limit not known by `deadline` is guessed.
    async fn limits(&self, _model: Option<&str>, _deadline: Deadline) -> ModelLimits {
        ModelLimits::DEFAULT
    }

    /// Completes `prompt` and calls `on_piece` as text arrives. Dropping the future ends the
    /// request.
    ///
    /// # Errors
    /// [`ModelError`] when there is no complete usable text.
    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        // async_trait would tie an elided lifetime to the whole call.
        on_piece: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError>;
}

/// Why a completion failed. The messages contain no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    #[error("the language model did not answer in time")]
    TimedOut,
    /// A connection error or a 5xx.
    #[error("the language model is not available ({reason})")]
    Unavailable {
        /// Such as "HTTP 502".
        reason: String,
    },
    /// A 429.
    #[error("the language model limits the rate of requests")]
    RateLimited {
        /// The wait that the server asks for.
        retry_after: Option<Duration>,
    },
    /// An error that only the operator or the client can fix: key, model name, parameters.
    #[error("the language model refuses the request ({reason})")]
    Refused {
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    #[error("the prompt is longer than the context of the language model")]
    ContextTooSmall,
    /// The stream ended early, after some text.
    #[error("the language model's answer was cut ({reason})")]
    Interrupted {
        /// The model that generated the text; may be the fallback model.
        model: String,
        reason: String,
        /// The text until then.
        partial: String,
        /// Tokens spent, if the server counted them by then.
        usage: Option<Usage>,
    },
    /// A response without usable text.
    #[error("the language model answered nothing usable ({reason})")]
    Unusable {
        /// Such as "empty answer".
        reason: String,
        /// Tokens spent, if the server counts them.
        usage: Option<Usage>,
    },
}

impl ModelError {
    /// What the operator can do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&str> {
        match self {
            Self::Refused { hint, .. } => Some(hint),
            _ => None,
        }
    }

    /// Tokens spent in spite of the error.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Interrupted { usage, .. } | Self::Unusable { usage, .. } => *usage,
            _ => None,
        }
    }

    /// Whether the same request can succeed shortly after.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut
            | Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::Interrupted { .. } => true,
            Self::Refused { .. } | Self::ContextTooSmall | Self::Unusable { .. } => false,
        }
    }
}
