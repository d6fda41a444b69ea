//! What is asked of upstreams, each call with a span of its own: who was asked and how it went, never
//! what was asked, where it is or what it said.

use crate::pipeline::{
    Completion, Deadline, FetchError, Found, LanguageModel, ModelError, ModelLimits, Page,
    PageFetcher, Piece, Prompt, ProviderError, ProviderQuery, SearchProvider, Semantics,
    SemanticsError, Similarities,
};
use async_trait::async_trait;
use std::sync::Arc;
use tracing::{Instrument, Span, field::Empty};
use url::Url;

/// What stands behind a seam of the pipeline, with spans.
pub struct Traced<T: ?Sized>(pub Arc<T>);

/// A call to another server; `local` is this process. `http.response.status_code` is recorded where the answer is read.
fn client_span(name: &str, system: &str) -> Span {
    let kind = match system {
        "local" => "internal",
        _ => "client",
    };
    tracing::info_span!(
        "upstream",
        otel.kind = kind,
        otel.name = name,
        otel.status_code = Empty,
        upstream.name = system,
        error.type = Empty,
        http.response.status_code = Empty,
    )
}

/// Says of `span` how the call ended.
fn ended<T, E>(span: &Span, result: &Result<T, E>, kind: impl Fn(&E) -> &'static str) {
    if let Err(error) = result {
        span.record("otel.status_code", "ERROR");
        span.record("error.type", kind(error));
    }
}

#[async_trait]
impl SearchProvider for Traced<dyn SearchProvider> {
    fn name(&self) -> &'static str {
        self.0.name()
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        let span = client_span(&format!("search {}", self.name()), self.name());
        let asked = self.0.search(query, deadline);
        let result = asked.instrument(span.clone()).await;
        ended(&span, &result, |error| match error {
            ProviderError::TimedOut { .. } => "timeout",
            ProviderError::Unavailable { .. } => "unavailable",
            ProviderError::RateLimited { .. } => "rate_limited",
            ProviderError::Refused { .. } => "refused",
            ProviderError::Malformed { .. } => "malformed",
        });
        result
    }
}

#[async_trait]
impl PageFetcher for Traced<dyn PageFetcher> {
    async fn fetch(
        &self,
        url: &Url,
        language: Option<&str>,
        deadline: Deadline,
    ) -> Result<Page, FetchError> {
        let span = client_span("fetch page", "page");
        let fetched = self.0.fetch(url, language, deadline);
        let result = fetched.instrument(span.clone()).await;
        ended(&span, &result, |error| match error {
            FetchError::Forbidden(_) => "forbidden",
            FetchError::TimedOut => "timeout",
            FetchError::Status(_) => "status",
            FetchError::Unreachable(_) => "unreachable",
            FetchError::TooLarge { .. } => "too_large",
            FetchError::TooManyRedirects => "redirects",
            FetchError::UnsupportedType(_) => "type",
            FetchError::NoContent(_) => "no_content",
        });
        result
    }
}

#[async_trait]
impl LanguageModel for Traced<dyn LanguageModel> {
    fn name(&self) -> &str {
        self.0.name()
    }

    async fn limits(&self, model: Option<&str>, deadline: Deadline) -> ModelLimits {
        self.0.limits(model, deadline).await
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        on_piece: &mut (dyn for<'t> FnMut(Piece<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let span = client_span("chat", "model");
        let asked = self.0.complete(prompt, deadline, on_piece);
        let result = asked.instrument(span.clone()).await;
        ended(&span, &result, |error| match error {
            ModelError::TimedOut => "timeout",
            ModelError::Unavailable { .. } => "unavailable",
            ModelError::RateLimited { .. } => "rate_limited",
            ModelError::Refused { .. } => "refused",
            ModelError::ContextTooSmall => "context_too_small",
            ModelError::Cut { .. } => "cut",
            ModelError::Unusable { .. } => "unusable",
        });
        result
    }
}

#[async_trait]
impl Semantics for Traced<dyn Semantics> {
    fn is_mutual(&self) -> bool {
        self.0.is_mutual()
    }

    async fn similarities(
        &self,
        queries: &[&str],
        texts: &[&str],
        deadline: Deadline,
    ) -> Result<Similarities, SemanticsError> {
        let (name, system) = if self.is_mutual() {
            ("embed", "embeddings")
        } else {
            ("rerank", "rerank")
        };
        let span = client_span(name, system);
        let compared = self.0.similarities(queries, texts, deadline);
        let result = compared.instrument(span.clone()).await;
        ended(&span, &result, |error| match error {
            SemanticsError::TimedOut => "timeout",
            SemanticsError::Unavailable { .. } => "unavailable",
            SemanticsError::RateLimited => "rate_limited",
            SemanticsError::Refused { .. } => "refused",
            SemanticsError::Malformed { .. } => "malformed",
        });
        result
    }
}
