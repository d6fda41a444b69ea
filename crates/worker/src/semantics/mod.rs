//! Comparing meanings over HTTP: embeddings or a reranker.

mod embeddings;
mod probe;
mod rerank;
mod vectors;

use crate::{
    pipeline::{Deadline, Semantics, SemanticsError, Similarities},
    upstream::ProbeError,
};
use async_trait::async_trait;
use privachat_core::secret::Secret;
use reqwest::Client;
use url::Url;

/// What compares meanings.
#[derive(Debug, Clone)]
pub enum SemanticsSettings {
    /// An OpenAI-compatible `/embeddings`.
    Embeddings(Server),
    /// A `/rerank`.
    Rerank(Server),
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

/// A client of the server that compares meanings.
#[derive(Debug, Clone)]
pub struct Semantic {
    /// What was configured.
    pub settings: SemanticsSettings,
    /// The shared HTTP client.
    pub client: Client,
}

impl Semantic {
    /// A client of the server in `settings`.
    #[must_use]
    pub fn new(settings: SemanticsSettings, client: Client) -> Self {
        Self { settings, client }
    }

    /// Asks the server to compare two words.
    ///
    /// # Errors
    /// When it does not answer or refuses.
    #[expect(clippy::unused_async, reason = "the server will be asked")]
    pub async fn probe(&self, _deadline: Deadline) -> Result<String, ProbeError> {
        Ok("configured, not asked".to_owned())
    }
}

#[async_trait]
impl Semantics for Semantic {
    async fn similarities(
        &self,
        _queries: &[&str],
        _texts: &[&str],
        _deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        Err(SemanticsError::Unavailable {
            reason: "not asked".to_owned(),
        })
    }
}
