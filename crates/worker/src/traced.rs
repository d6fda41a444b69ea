//! What is asked of upstreams, each call with a span of its own: who was asked and how it went, never
//! what was asked, where it is or what it said.

use crate::pipeline::{
    Completion, Deadline, FetchError, Found, LanguageModel, ModelError, ModelLimits, Page,
    PageFetcher, Piece, Prompt, ProviderError, ProviderQuery, SearchProvider, Semantics,
    SemanticsError, Similarities,
};
use async_trait::async_trait;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{Instrument, Span, field::Empty};
use url::Url;

/// Hears of every call that has ended.
pub trait Calls: Send + Sync {
    /// Who was asked, how it went (`ok`, `abandoned` or the kind of failure) and how long it took.
    fn ended(&self, upstream: &'static str, outcome: &'static str, took: Duration);
}

/// What stands behind a seam of the pipeline, with spans.
pub struct Traced<T: ?Sized> {
    inner: Arc<T>,
    calls: Option<Arc<dyn Calls>>,
}

impl<T: ?Sized> Traced<T> {
    /// Adds spans to `inner`; `calls` hears of its calls too.
    pub fn new(inner: Arc<T>, calls: Option<Arc<dyn Calls>>) -> Self {
        Self { inner, calls }
    }

    fn call(&self, name: &str, upstream: &'static str) -> Call<'_> {
        Call {
            span: client_span(name, upstream),
            upstream,
            calls: self.calls.as_deref(),
            outcome: "abandoned",
            started: Instant::now(),
        }
    }
}

/// A call under way. Dropped without an end, the search did not wait for it.
struct Call<'a> {
    span: Span,
    upstream: &'static str,
    calls: Option<&'a dyn Calls>,
    outcome: &'static str,
    started: Instant,
}

impl Call<'_> {
    /// Says how it ended.
    fn ended<T, E>(mut self, result: &Result<T, E>, kind: impl Fn(&E) -> &'static str) {
        self.outcome = match result {
            Ok(_) => "ok",
            Err(error) => {
                let kind = kind(error);
                self.span.record("otel.status_code", "ERROR");
                self.span.record("error.type", kind);
                kind
            }
        };
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        if let Some(calls) = self.calls {
            calls.ended(self.upstream, self.outcome, self.started.elapsed());
        }
    }
}

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

#[async_trait]
impl SearchProvider for Traced<dyn SearchProvider> {
    fn name(&self) -> &'static str {
        self.inner.name()
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<Found, ProviderError> {
        let call = self.call(&format!("search {}", self.name()), self.name());
        let asked = self.inner.search(query, deadline);
        let result = asked.instrument(call.span.clone()).await;
        call.ended(&result, |error| match error {
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
        let call = self.call("fetch page", "page");
        let fetched = self.inner.fetch(url, language, deadline);
        let result = fetched.instrument(call.span.clone()).await;
        call.ended(&result, |error| match error {
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
        self.inner.name()
    }

    async fn limits(&self, model: Option<&str>, deadline: Deadline) -> ModelLimits {
        self.inner.limits(model, deadline).await
    }

    async fn complete(
        &self,
        prompt: &Prompt,
        deadline: Deadline,
        on_piece: &mut (dyn for<'t> FnMut(Piece<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let call = self.call("chat", "model");
        let asked = self.inner.complete(prompt, deadline, on_piece);
        let result = asked.instrument(call.span.clone()).await;
        call.ended(&result, |error| match error {
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
        self.inner.is_mutual()
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
        let call = self.call(name, system);
        let compared = self.inner.similarities(queries, texts, deadline);
        let result = compared.instrument(call.span.clone()).await;
        call.ended(&result, |error| match error {
            SemanticsError::TimedOut => "timeout",
            SemanticsError::Unavailable { .. } => "unavailable",
            SemanticsError::RateLimited => "rate_limited",
            SemanticsError::Refused { .. } => "refused",
            SemanticsError::Malformed { .. } => "malformed",
        });
        result
    }
}
