//! Comparing meanings over HTTP: embeddings or a reranker.

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

/// Requests of one comparison that are under way at the same time.
const AT_ONCE: usize = 4;
/// Characters of a text that are compared. The models behind such endpoints read 256 to 512 tokens
/// and some refuse what is longer.
const MOST_CHARS: usize = 1500;
/// A server that was given less time than this is not to blame for being late.
const FAIR_SHARE: Duration = Duration::from_millis(500);

/// What compares meanings.
#[derive(Debug, Clone)]
pub enum SemanticsSettings {
    /// An OpenAI-compatible `/embeddings`.
    Embeddings(Server),
    /// A `/rerank`.
    Rerank(Server),
}

impl SemanticsSettings {
    /// The server that is asked.
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
    /// The address in front of `/embeddings` or `/rerank`.
    pub base_url: Url,
    /// Sent as a bearer token.
    pub api_key: Option<Secret>,
    /// The model that is asked.
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

/// A client of the server that compares meanings. Clones share the vectors that it has sent, and
/// leave it alone together for a while when it keeps failing.
#[derive(Debug, Clone)]
pub struct Semantic {
    settings: SemanticsSettings,
    client: Client,
    vectors: Arc<Vectors>,
    breaker: Arc<Breaker>,
}

impl Semantic {
    /// A client of the server in `settings`.
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
            // What it refuses may be the fault of one question: it is there.
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

/// The beginning of `text`, as far as it is compared.
fn shortened(text: &str) -> &str {
    let end = text.char_indices().nth(MOST_CHARS).map(|(end, _)| end);
    end.and_then(|end| text.get(..end)).unwrap_or(text)
}

/// The tokens that `body` says were spent.
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
