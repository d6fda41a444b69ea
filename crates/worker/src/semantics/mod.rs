//! Semantic similarity of texts over HTTP: embeddings or a reranker.

mod embeddings;
mod probe;
mod refusal;
mod rerank;
#[cfg(test)]
mod tests;
mod vectors;

use crate::pipeline::{
    Deadline, Semantics, SemanticsError, Similarities, search::breaker::Breaker,
};
use async_trait::async_trait;
use privachat_core::{schema::Usage, secret::Secret};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;
use vectors::Vectors;

/// The number of concurrent requests of one comparison.
const AT_ONCE: usize = 4;
/// Texts are compared up to this many characters. The models behind such endpoints read 256 to 512
/// tokens, and some reject longer texts.
const MOST_CHARS: usize = 1500;
/// A timeout with less time than this does not count against the server.
const FAIR_SHARE: Duration = Duration::from_millis(500);

/// The endpoint that scores similarity.
#[derive(Debug, Clone)]
pub enum SemanticsSettings {
    /// An OpenAI-compatible `/embeddings`.
    Embeddings(Server),
    /// A `/rerank`.
    Rerank(Server),
}

impl SemanticsSettings {
    /// The configured server.
    #[must_use]
    pub fn server(&self) -> &Server {
        match self {
            Self::Embeddings(server) | Self::Rerank(server) => server,
        }
    }
}

/// A server and its model.
#[derive(Debug, Clone)]
pub struct Server {
    /// Base URL, without `/embeddings` or `/rerank`.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// The name of the model.
    pub model: String,
}

impl Server {
    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }
}

/// A client for the configured server. Clones share its cached vectors and its circuit breaker.
#[derive(Debug, Clone)]
pub struct Semantic {
    settings: SemanticsSettings,
    client: Client,
    vectors: Arc<Vectors>,
    breaker: Arc<Breaker>,
}

impl Semantic {
    /// A client for the server in `settings`.
    #[must_use]
    pub fn new(settings: SemanticsSettings, client: Client) -> Self {
        Self {
            settings,
            client,
            vectors: Arc::default(),
            breaker: Arc::default(),
        }
    }

    async fn ask(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        match &self.settings {
            SemanticsSettings::Embeddings(server) => {
                let endpoint = embeddings::Endpoint {
                    server,
                    client: &self.client,
                    vectors: &self.vectors,
                };
                endpoint.compare(queries, texts, deadline).await
            }
            SemanticsSettings::Rerank(server) => {
                rerank::compare(server, &self.client, queries, texts, deadline).await
            }
        }
    }
}

#[async_trait]
impl Semantics for Semantic {
    fn is_mutual(&self) -> bool {
        matches!(self.settings, SemanticsSettings::Embeddings(_))
    }

    async fn similarities(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        if queries.is_empty() || texts.is_empty() {
            return Ok(Similarities {
                rows: vec![Vec::new(); queries.len()],
                usage: None,
            });
        }
        let queries: Vec<&str> = queries.iter().map(|text| shortened(text)).collect();
        let texts: Vec<&str> = texts.iter().map(|text| shortened(text)).collect();
        let permit = self.breaker.admit().map_err(resting)?;
        let share = deadline.remaining();
        let work = deadline.cut(self.ask(&queries, &texts, deadline)).await;
        let found = work.unwrap_or(Err(SemanticsError::TimedOut));
        match &found {
            Err(SemanticsError::TimedOut) if share < FAIR_SHARE => drop(permit),
            Err(SemanticsError::TimedOut | SemanticsError::Unavailable { .. }) => permit.failed(),
            // A refusal may be due to this one query; the server works.
            _ => permit.succeeded(),
        }
        found
    }
}

fn resting(left: Duration) -> SemanticsError {
    SemanticsError::Unavailable {
        reason: format!(
            "it failed repeatedly; the next try is in {} s",
            left.as_secs_f64().ceil()
        ),
    }
}

/// Cuts `text` to the length that is compared.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_CHARS).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The token counts that `body` reports.
fn usage(body: &Value) -> Option<Usage> {
    let usage = body.get("usage")?;
    let total_tokens = usage.get("total_tokens")?.as_u64()?;
    let prompt_tokens = usage.get("prompt_tokens").and_then(Value::as_u64);
    Some(Usage {
        prompt_tokens: prompt_tokens.unwrap_or(total_tokens),
        completion_tokens: 0,
        total_tokens,
    })
}

fn malformed(reason: &str) -> SemanticsError {
    SemanticsError::Malformed {
        reason: reason.to_owned(),
    }
}
