//! Semantic similarity of texts over HTTP: embeddings or a reranker.

mod embeddings;
mod probe;
mod request;
mod rerank;
#[cfg(test)]
mod tests;
mod vector_cache;

use crate::pipeline::{
    Deadline, Semantics, SemanticsError, Similarities, search::breaker::CircuitBreaker,
};
use async_trait::async_trait;
use privachat_core::{schema::Usage, secret::Secret};
use reqwest::{Client, RequestBuilder};
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use url::Url;
use vector_cache::VectorCache;

/// The number of concurrent requests of one comparison.
const MAX_CONCURRENT_REQUESTS: usize = 4;
/// Texts are compared up to this many characters. The models behind such endpoints read 256 to 512
/// tokens, and some reject longer texts.
const MAX_TEXT_CHARS: usize = 1500;
/// A timeout with less time than this does not count against the server.
const MIN_COUNTED_TIMEOUT: Duration = Duration::from_millis(500);

/// The endpoint that scores similarity.
#[derive(Debug, Clone)]
pub enum SimilarityConfig {
    /// An OpenAI-compatible `/embeddings`.
    Embeddings(SimilarityServer),
    /// A `/rerank`.
    Rerank(SimilarityServer),
}

impl SimilarityConfig {
    /// The configured server.
    #[must_use]
    pub fn server(&self) -> &SimilarityServer {
        match self {
            Self::Embeddings(server) | Self::Rerank(server) => server,
        }
    }
}

/// A server and its model.
#[derive(Debug, Clone)]
pub struct SimilarityServer {
    /// Base URL, without `/embeddings` or `/rerank`.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// The name of the model.
    pub model: String,
}

impl SimilarityServer {
    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        match &self.api_key {
            Some(key) => request.bearer_auth(key.expose()),
            None => request,
        }
    }
}

/// A client for the configured server. Clones share its cached vectors and its circuit breaker.
#[derive(Debug, Clone)]
pub struct SimilarityClient {
    settings: SimilarityConfig,
    client: Client,
    vectors: Arc<VectorCache>,
    breaker: Arc<CircuitBreaker>,
}

impl SimilarityClient {
    /// A client for the server in `settings`.
    #[must_use]
    pub fn new(settings: SimilarityConfig, client: Client) -> Self {
        Self {
            settings,
            client,
            vectors: Arc::default(),
            breaker: Arc::default(),
        }
    }

    async fn compare(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        match &self.settings {
            SimilarityConfig::Embeddings(server) => {
                let endpoint = embeddings::EmbeddingsEndpoint {
                    server,
                    client: &self.client,
                    vectors: &self.vectors,
                };
                endpoint.compare(queries, texts, deadline).await
            }
            SimilarityConfig::Rerank(server) => {
                rerank::compare(server, &self.client, queries, texts, deadline).await
            }
        }
    }
}

#[async_trait]
impl Semantics for SimilarityClient {
    fn is_mutual(&self) -> bool {
        matches!(self.settings, SimilarityConfig::Embeddings(_))
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
        let queries: Vec<&str> = queries.iter().map(|text| shorten(text)).collect();
        let texts: Vec<&str> = texts.iter().map(|text| shorten(text)).collect();
        let permit = self.breaker.admit().map_err(circuit_open)?;
        let share = deadline.remaining();
        let work = deadline
            .limit(self.compare(&queries, &texts, deadline))
            .await;
        let found = work.unwrap_or(Err(SemanticsError::TimedOut));
        match &found {
            Err(SemanticsError::TimedOut) if share < MIN_COUNTED_TIMEOUT => drop(permit),
            Err(SemanticsError::TimedOut | SemanticsError::Unavailable { .. }) => permit.failed(),
            // A refusal may be due to this one query; the server works.
            _ => permit.succeeded(),
        }
        found
    }
}

fn circuit_open(left: Duration) -> SemanticsError {
    SemanticsError::Unavailable {
        reason: format!(
            "it failed repeatedly; the next try is in {} s",
            left.as_secs_f64().ceil()
        ),
    }
}

/// Cuts `text` to the length that is compared.
fn shorten(text: &str) -> &str {
    let end = text.char_indices().nth(MAX_TEXT_CHARS).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The token counts that `body` reports.
fn parse_usage(body: &Value) -> Option<Usage> {
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
