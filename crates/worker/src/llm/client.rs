//! Which model is asked, and what happens when it fails.

use super::{
    answer::{Answer, OnText},
    refusal::{self, Failure, ModelName},
    request::Shape,
    stream::{self, Patience},
};
use crate::{
    pipeline::{Completion, Deadline, LanguageModel, ModelError, Piece, Prompt},
    upstream::{self, Trouble},
};
use async_trait::async_trait;
use privachat_core::secret::Secret;
use reqwest::{Client, RequestBuilder};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use url::Url;

/// The longest silence in a stream that has begun.
const STALL: Duration = Duration::from_secs(20);

/// Where the language model is.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// The address in front of `/chat/completions`; usually ends in `/v1`.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// The model that is asked unless the request names one.
    pub model: String,
    /// The model that is asked once when the first one fails.
    pub fallback_model: Option<String>,
    /// Tokens that fit into the model's context; the server is asked when `None`.
    pub context_tokens: Option<u32>,
    /// Tokens that an answer may have.
    pub answer_tokens: u32,
}

/// A server that speaks OpenAI's chat completions. Clones share what was learnt of it.
#[derive(Debug, Clone)]
pub struct OpenAi {
    pub(super) config: LlmConfig,
    client: Client,
    stall: Duration,
    /// The server refused `stream_options` once: it is not sent again.
    plain_stream: Arc<AtomicBool>,
}

impl OpenAi {
    /// A client of the server in `config`.
    #[must_use]
    pub fn new(config: LlmConfig, client: Client) -> Self {
        Self {
            config,
            client,
            stall: STALL,
            plain_stream: Arc::default(),
        }
    }

    /// The longest silence in a stream that has begun; 20 s unless set.
    #[must_use]
    pub fn with_stall(mut self, stall: Duration) -> Self {
        self.stall = stall;
        self
    }

    pub(super) fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.config.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }

    pub(super) fn get(&self, path: &str) -> RequestBuilder {
        let url = upstream::endpoint(&self.config.base_url, path);
        self.authorised(self.client.get(url))
    }

    async fn attempt(
        &self,
        (model, source): (&str, ModelName),
        prompt: &Prompt,
        (deadline, first_by): (Deadline, Deadline),
        on_text: OnText<'_>,
    ) -> Result<Completion, Failure> {
        let url = upstream::endpoint(&self.config.base_url, "chat/completions");
        let mut shape = Shape::new(!self.plain_stream.load(Ordering::Relaxed));
        loop {
            let request = self.authorised(self.client.post(url.clone()));
            let sent = request.json(&shape.body(model, prompt)).send();
            let response = first_by.cut(sent).await.ok_or(Trouble::TimedOut)?;
            let response = response.map_err(Trouble::from)?;
            if response.status().is_success() {
                let patience = Patience {
                    deadline,
                    first_by,
                    stall: self.stall,
                };
                let mut answer = Answer::new(model, source, &mut *on_text);
                stream::read(response, patience, &mut answer).await?;
                return answer.finish();
            }
            let reply = first_by.cut(upstream::read(response)).await;
            let reply = reply.ok_or(Trouble::TimedOut)??;
            // Each change takes a field out for good, so this ends.
            let Some(accepted) = shape.without_refused(&reply) else {
                let status = reply.status.as_u16();
                return Err(refusal::classify(
                    status,
                    &reply.body,
                    reply.retry_after,
                    source,
                ));
            };
            if !accepted.stream_options {
                self.plain_stream.store(true, Ordering::Relaxed);
            }
            shape = accepted;
        }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
    fn name(&self) -> &str {
        &self.config.model
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        on_piece: &mut (dyn for<'t> FnMut(Piece<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let mut on_text = |text: &str| on_piece(Piece::Text(text));
        let (model, source) = match &prompt.model {
            Some(model) => (model.as_str(), ModelName::Requested),
            None => (self.config.model.as_str(), ModelName::Configured),
        };
        let fallback = self.config.fallback_model.as_deref();
        let fallback = fallback.filter(|fallback| *fallback != model);
        // A model that has not begun by half-time leaves the other half to the fallback.
        let first_by = match fallback {
            Some(_) => deadline.within(deadline.remaining() / 2),
            None => deadline,
        };
        let times = (deadline, first_by);
        let failure = match self
            .attempt((model, source), prompt, times, &mut on_text)
            .await
        {
            Ok(completion) => return Ok(completion),
            Err(failure) => failure,
        };
        let shown = matches!(failure.error, ModelError::Cut { .. });
        let Some(fallback) = fallback.filter(|_| failure.fallback_helps && !shown) else {
            return Err(failure.error);
        };
        if deadline.is_over() {
            return Err(failure.error);
        }
        tracing::info!(reason = %failure.error, "asking the fallback model");
        let fallback = (fallback, ModelName::Fallback);
        let times = (deadline, deadline);
        match self.attempt(fallback, prompt, times, &mut on_text).await {
            Ok(completion) => Ok(completion),
            Err(second) if matches!(second.error, ModelError::Cut { .. }) => Err(second.error),
            Err(second) => {
                tracing::warn!(reason = %second.error, "the fallback model failed as well");
                Err(failure.error)
            }
        }
    }
}
