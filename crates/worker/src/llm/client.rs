//! Chooses the model of a request, retries it, and falls back to the second model.

use super::{
    completion::{CompletionBuilder, OnPiece},
    context_window::ContextCache,
    error::{self, CompletionError, ModelSource},
    request::RequestFields,
    stream::{self, StreamDeadlines},
};
use crate::{
    pipeline::{
        Completion, CompletionEvent, Deadline, LanguageModel, ModelError, ModelLimits, Prompt,
    },
    upstream::{self, UpstreamError},
};
use async_trait::async_trait;
use privachat_core::{schema::Usage, secret::Secret};
use reqwest::{Client, Method, RequestBuilder};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};
use tracing::Span;
use url::Url;

/// The longest pause between two chunks of a stream.
const STALL_TIMEOUT: Duration = Duration::from_secs(20);

/// After reasoning has used up all tokens, the retry gets this many times as many.
const RETRY_TOKENS_FACTOR: u32 = 4;

/// The address, the key and the models of the server.
#[derive(Debug, Clone)]
pub struct LlmConfig {
    /// Base URL, without `/chat/completions`; usually ends in `/v1`.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// The default model; a request may name another.
    pub model: String,
    /// Tried once after the first model fails.
    pub fallback_model: Option<String>,
    /// The model's context in tokens; read from the server when `None`.
    pub context_tokens: Option<u32>,
    /// The limit of an answer, in tokens.
    pub max_answer_tokens: u32,
}

/// A client for OpenAI's chat completions. Clones share what they learn about the server.
#[derive(Debug, Clone)]
pub struct OpenAiClient {
    pub(super) config: LlmConfig,
    client: Client,
    stall_timeout: Duration,
    /// Set once the server has refused `stream_options`; they are not sent again.
    omit_stream_options: Arc<AtomicBool>,
    /// Context windows that the server has reported.
    pub(super) context_cache: ContextCache,
}

impl OpenAiClient {
    /// A client for the server in `config`.
    #[must_use]
    pub fn new(config: LlmConfig, client: Client) -> Self {
        Self {
            config,
            client,
            stall_timeout: STALL_TIMEOUT,
            omit_stream_options: Arc::default(),
            context_cache: ContextCache::default(),
        }
    }

    /// Sets the longest pause between two chunks of a stream; 20 s by default.
    #[must_use]
    pub fn with_stall_timeout(mut self, stall: Duration) -> Self {
        self.stall_timeout = stall;
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

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.authorised(self.client.request(method, url))
    }

    async fn complete_once(
        &self,
        (model, source): (&str, ModelSource),
        prompt: &Prompt,
        (deadline, first_by): (Deadline, Deadline),
        on_piece: OnPiece<'_>,
    ) -> Result<Completion, CompletionError> {
        let url = upstream::endpoint(&self.config.base_url, "chat/completions");
        let mut shape = RequestFields::new(!self.omit_stream_options.load(Ordering::Relaxed));
        let mut is_second = false;
        loop {
            let request = self.authorised(self.client.post(url.clone()));
            let sent = request.json(&shape.body(model, prompt)).send();
            let response = first_by.limit(sent).await.ok_or(UpstreamError::TimedOut)?;
            let response = match response {
                // The server may close a pooled connection at the moment of its next use.
                Err(error) if !is_second && is_connection_closed(&error) => {
                    is_second = true;
                    continue;
                }
                response => response.map_err(UpstreamError::from)?,
            };
            if response.status().is_success() {
                let status = response.status().as_u16();
                Span::current().record("http.response.status_code", status);
                let patience = StreamDeadlines {
                    deadline,
                    first_text_by: first_by,
                    stall_timeout: self.stall_timeout,
                };
                let mut answer =
                    CompletionBuilder::new(model, source, prompt.max_tokens, &mut *on_piece);
                stream::read_stream(response, patience, &mut answer).await?;
                return answer.finish();
            }
            let reply = first_by.limit(upstream::read_response(response)).await;
            let reply = reply.ok_or(UpstreamError::TimedOut)??;
            // Each retry drops a field for good, so this loop ends.
            let Some(accepted) = shape.without_refused_field(&reply) else {
                return Err(error::classify_response(&reply, source));
            };
            if !accepted.stream_options {
                self.omit_stream_options.store(true, Ordering::Relaxed);
            }
            shape = accepted;
        }
    }

    /// Completes once, and a second time with more tokens if reasoning used up all of them. Adds
    /// the usage of the first request to `spent`.
    async fn complete_with_retry(
        &self,
        who: (&str, ModelSource),
        prompt: &Prompt,
        times: (Deadline, Deadline),
        on_piece: OnPiece<'_>,
        spent: &mut Option<Usage>,
    ) -> Result<Completion, CompletionError> {
        let failure = match self.complete_once(who, prompt, times, &mut *on_piece).await {
            Err(failure) if failure.tokens_exhausted && !times.0.has_passed() => failure,
            other => return other,
        };
        tracing::info!("reasoning used up the token limit: retrying with a higher one");
        let roomier = Prompt {
            max_tokens: prompt.max_tokens.saturating_mul(RETRY_TOKENS_FACTOR),
            ..prompt.clone()
        };
        match self.complete_once(who, &roomier, times, on_piece).await {
            // The server allows no more tokens: report the first failure.
            Err(second) if second.error.usage().is_none() && !has_partial_text(&second) => {
                Err(failure)
            }
            other => {
                add_usage(spent, failure.error.usage());
                other
            }
        }
    }
}

#[async_trait]
impl LanguageModel for OpenAiClient {
    fn name(&self) -> &str {
        &self.config.model
    }

    async fn limits(&self, model: Option<&str>, deadline: Deadline) -> ModelLimits {
        self.find_limits(model.unwrap_or(&self.config.model), deadline)
            .await
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        on_piece: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let who = match &prompt.model {
            Some(model) => (model.as_str(), ModelSource::Requested),
            None => (self.config.model.as_str(), ModelSource::Configured),
        };
        let fallback = self.config.fallback_model.as_deref();
        let fallback = fallback.filter(|fallback| *fallback != who.0);
        let first_by = match fallback {
            Some(_) => deadline.at_most(deadline.remaining() / 2),
            None => deadline,
        };
        let mut spent = None;
        let times = (deadline, first_by);
        let first = self.complete_with_retry(who, prompt, times, &mut *on_piece, &mut spent);
        let failure = match first.await {
            Ok(completion) => return Ok(with_usage(completion, spent)),
            Err(failure) => failure,
        };
        let helps = failure.fallback_helps && !has_partial_text(&failure) && !deadline.has_passed();
        let Some(fallback) = fallback.filter(|_| helps) else {
            return Err(error_with_usage(failure.error, spent));
        };
        tracing::info!(reason = %failure.error, "trying the fallback model");
        let mut before = spent;
        add_usage(&mut before, failure.error.usage());
        let who = (fallback, ModelSource::Fallback);
        let times = (deadline, deadline);
        let second = self.complete_with_retry(who, prompt, times, on_piece, &mut before);
        match second.await {
            Ok(completion) => Ok(with_usage(completion, before)),
            Err(second) if has_partial_text(&second) => Err(error_with_usage(second.error, before)),
            Err(second) => {
                tracing::warn!(reason = %second.error, "the fallback model failed too");
                add_usage(&mut spent, second.error.usage());
                Err(error_with_usage(failure.error, spent))
            }
        }
    }
}

/// Whether part of the answer was already streamed to a reader.
fn has_partial_text(failure: &CompletionError) -> bool {
    matches!(failure.error, ModelError::Interrupted { .. })
}

fn add_usage(sum: &mut Option<Usage>, more: Option<Usage>) {
    if let Some(more) = more {
        *sum.get_or_insert_default() += more;
    }
}

/// Adds the usage of earlier requests to `completion`.
fn with_usage(mut completion: Completion, spent: Option<Usage>) -> Completion {
    add_usage(&mut completion.usage, spent);
    completion
}

/// Adds the usage of earlier requests to `error`, if it carries usage.
fn error_with_usage(mut error: ModelError, spent: Option<Usage>) -> ModelError {
    if let ModelError::Interrupted { usage, .. } | ModelError::Unusable { usage, .. } = &mut error {
        add_usage(usage, spent);
    }
    error
}

/// Whether the connection closed after the request was sent and before a response began.
fn is_connection_closed(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
