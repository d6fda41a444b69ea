//! The seam to language models.

use super::deadline::Deadline;
use async_trait::async_trait;
use privachat_core::schema::Usage;
use std::time::Duration;

/// What is asked of a model.
#[derive(Debug, Clone, PartialEq)]
pub struct Prompt {
    /// Standing instructions.
    pub system: String,
    /// The task with its material.
    pub user: String,
    /// A model other than the configured one.
    pub model: Option<String>,
    /// Upper bound of the answer, in tokens.
    pub max_tokens: u32,
    /// Whether the answer is to be a JSON object, for servers that can be told so.
    pub json: bool,
}

/// What a model said.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Completion {
    /// The text, without reasoning blocks.
    pub text: String,
    /// The model that said it.
    pub model: String,
    /// Tokens spent, if the server counts them.
    pub usage: Option<Usage>,
    /// Whether it stopped at its token limit or the stream ended without its end mark.
    pub truncated: bool,
}

/// What comes while a model speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Piece<'t> {
    /// More visible text.
    Text(&'t str),
    /// The text so far is void: it was reasoning, or another model begins.
    Discard,
}

/// How much a model takes and gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ModelLimits {
    /// Tokens of prompt and answer together.
    pub context_tokens: u32,
    /// Tokens that an answer may have.
    pub answer_tokens: u32,
}

impl ModelLimits {
    /// For models of which nothing is known: what nearly every one has.
    pub const USUAL: Self = Self {
        context_tokens: 8192,
        answer_tokens: 1024,
    };
}

/// A chat model.
#[async_trait]
pub trait LanguageModel: Send + Sync {
    /// The name of the model that is asked unless a prompt names another.
    fn name(&self) -> &str;

    /// The limits of `model`, or of the usual one. What is not known by `deadline` is guessed.
    async fn limits(&self, _model: Option<&str>, _deadline: Deadline) -> ModelLimits {
        ModelLimits::USUAL
    }

    /// Completes `prompt`; `on_piece` gets each piece of visible text as it arrives. Dropping the
    /// future ends the request.
    ///
    /// # Errors
    /// When there is no usable text.
    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        // Spelt out: async_trait would turn an elided lifetime into one of the whole call.
        on_piece: &mut (dyn for<'t> FnMut(Piece<'t>) + Send),
    ) -> Result<Completion, ModelError>;
}

/// Why a model gave no answer. The messages name no internal address and no key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ModelError {
    /// No answer in time.
    #[error("the language model did not answer in time")]
    TimedOut,
    /// Connection trouble or a 5xx.
    #[error("the language model is not available ({reason})")]
    Unavailable {
        /// Such as "HTTP 502".
        reason: String,
    },
    /// A 429.
    #[error("the language model limits the rate of requests")]
    RateLimited {
        /// How long it asks us to wait.
        retry_after: Option<Duration>,
    },
    /// A refusal that only the operator or the client can mend: key, model name, parameters.
    #[error("the language model refuses the request ({reason})")]
    Refused {
        /// Such as "HTTP 401".
        reason: String,
        /// What to set.
        hint: String,
    },
    /// The prompt is longer than the model's context.
    #[error("the prompt is longer than the context of the language model")]
    ContextTooSmall,
    /// The stream broke off after some text.
    #[error("the language model's answer was cut ({reason})")]
    Cut {
        /// The model that was speaking: the fallback, perhaps.
        model: String,
        /// What broke it.
        reason: String,
        /// The text until then.
        partial: String,
        /// Tokens spent, if the server said so before.
        usage: Option<Usage>,
    },
    /// Nothing in it that can be used.
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

    /// Tokens that were spent all the same.
    #[must_use]
    pub fn usage(&self) -> Option<Usage> {
        match self {
            Self::Cut { usage, .. } | Self::Unusable { usage, .. } => *usage,
            _ => None,
        }
    }

    /// Whether the same request can succeed a moment later.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TimedOut
            | Self::Unavailable { .. }
            | Self::RateLimited { .. }
            | Self::Cut { .. } => true,
            Self::Refused { .. } | Self::ContextTooSmall | Self::Unusable { .. } => false,
        }
    }
}
