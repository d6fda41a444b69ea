//! Which model is asked, and what happens when it fails.

use super::{
    answer::{Answer, OnPiece},
    limits::Known,
    refusal::{self, Failure, ModelName},
    request::Shape,
    stream::{self, Patience},
};
use crate::{
    pipeline::{Completion, Deadline, LanguageModel, ModelError, ModelLimits, Piece, Prompt},
    upstream::{self, Trouble},
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

/// The longest silence in a stream that has begun.
const STALL: Duration = Duration::from_secs(20);

/// How much more an answer may have once reasoning has used up all of it.
const MORE_ROOM: u32 = 4;

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
    /// What the server said of its models.
    pub(super) known: Known,
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
            known: Known::default(),
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

    pub(super) fn request(&self, method: Method, url: Url) -> RequestBuilder {
        self.authorised(self.client.request(method, url))
    }

    async fn attempt(
        &self,
        (model, source): (&str, ModelName),
        prompt: &Prompt,
        (deadline, first_by): (Deadline, Deadline),
        on_piece: OnPiece<'_>,
    ) -> Result<Completion, Failure> {
        let url = upstream::endpoint(&self.config.base_url, "chat/completions");
        let mut shape = Shape::new(!self.plain_stream.load(Ordering::Relaxed));
        let mut is_second = false;
        loop {
            let request = self.authorised(self.client.post(url.clone()));
            let sent = request.json(&shape.body(model, prompt)).send();
            let response = first_by.cut(sent).await.ok_or(Trouble::TimedOut)?;
            let response = match response {
                // A kept connection may be closed by the server at the moment of its next use.
                Err(error) if !is_second && is_broken(&error) => {
                    is_second = true;
                    continue;
                }
                response => response.map_err(Trouble::from)?,
            };
            if response.status().is_success() {
                let status = response.status().as_u16();
                Span::current().record("http.response.status_code", status);
                let patience = Patience {
                    deadline,
                    first_by,
                    stall: self.stall,
                };
                let mut answer = Answer::new(model, source, prompt.max_tokens, &mut *on_piece);
                stream::read(response, patience, &mut answer).await?;
                return answer.finish();
            }
            let reply = first_by.cut(upstream::read(response)).await;
            let reply = reply.ok_or(Trouble::TimedOut)??;
            // Each change takes a field out for good, so this ends.
            let Some(accepted) = shape.without_refused(&reply) else {
                return Err(refusal::of_reply(&reply, source));
            };
            if !accepted.stream_options {
                self.plain_stream.store(true, Ordering::Relaxed);
            }
            shape = accepted;
        }
    }

    /// One attempt, and another with more room if reasoning left none for the answer. Adds to
    /// `spent` what the first one cost.
    async fn patient_attempt(
        &self,
        who: (&str, ModelName),
        prompt: &Prompt,
        times: (Deadline, Deadline),
        on_piece: OnPiece<'_>,
        spent: &mut Option<Usage>,
    ) -> Result<Completion, Failure> {
        let failure = match self.attempt(who, prompt, times, &mut *on_piece).await {
            Err(failure) if failure.starved && !times.0.is_over() => failure,
            other => return other,
        };
        tracing::info!("reasoning used up the tokens of the answer: asking once more with more");
        let roomier = Prompt {
            max_tokens: prompt.max_tokens.saturating_mul(MORE_ROOM),
            ..prompt.clone()
        };
        match self.attempt(who, &roomier, times, on_piece).await {
            // There is no more room: the first failure tells more.
            Err(second) if second.error.usage().is_none() && !is_cut(&second) => Err(failure),
            other => {
                add(spent, failure.error.usage());
                other
            }
        }
    }
}

#[async_trait]
impl LanguageModel for OpenAi {
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
        on_piece: &mut (dyn for<'t> FnMut(Piece<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let who = match &prompt.model {
            Some(model) => (model.as_str(), ModelName::Requested),
            None => (self.config.model.as_str(), ModelName::Configured),
        };
        let fallback = self.config.fallback_model.as_deref();
        let fallback = fallback.filter(|fallback| *fallback != who.0);
        let first_by = match fallback {
            Some(_) => deadline.within(deadline.remaining() / 2),
            None => deadline,
        };
        let mut spent = None;
        let times = (deadline, first_by);
        let first = self.patient_attempt(who, prompt, times, &mut *on_piece, &mut spent);
        let failure = match first.await {
            Ok(completion) => return Ok(charged(completion, spent)),
            Err(failure) => failure,
        };
        let helps = failure.fallback_helps && !is_cut(&failure) && !deadline.is_over();
        let Some(fallback) = fallback.filter(|_| helps) else {
            return Err(charged_error(failure.error, spent));
        };
        tracing::info!(reason = %failure.error, "asking the fallback model");
        let mut before = spent;
        add(&mut before, failure.error.usage());
        let who = (fallback, ModelName::Fallback);
        let times = (deadline, deadline);
        let second = self.patient_attempt(who, prompt, times, on_piece, &mut before);
        match second.await {
            Ok(completion) => Ok(charged(completion, before)),
            Err(second) if is_cut(&second) => Err(charged_error(second.error, before)),
            Err(second) => {
                tracing::warn!(reason = %second.error, "the fallback model failed as well");
                add(&mut spent, second.error.usage());
                Err(charged_error(failure.error, spent))
            }
        }
    }
}

/// Whether a reader may have seen text.
fn is_cut(failure: &Failure) -> bool {
    matches!(failure.error, ModelError::Cut { .. })
}

fn add(sum: &mut Option<Usage>, more: Option<Usage>) {
    if let Some(more) = more {
        *sum.get_or_insert_default() += more;
    }
}

/// A completion that also answers for what was spent before it.
fn charged(mut completion: Completion, spent: Option<Usage>) -> Completion {
    add(&mut completion.usage, spent);
    completion
}

/// The same for an error, if it can say so.
fn charged_error(mut error: ModelError, spent: Option<Usage>) -> ModelError {
    if let ModelError::Cut { usage, .. } | ModelError::Unusable { usage, .. } = &mut error {
        add(usage, spent);
    }
    error
}

/// Whether a request went out, and its connection ended before an answer began.
fn is_broken(error: &reqwest::Error) -> bool {
    error.is_request() && !error.is_connect() && !error.is_timeout()
}
