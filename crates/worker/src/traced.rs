//! [`Traced`] adds a span and a metric to each call of an upstream: its name, outcome and duration,
//! but never a query, an address or content.

use crate::pipeline::{
    Completion, CompletionEvent, Deadline, FetchError, LanguageModel, ModelError, ModelLimits,
    Page, PageFetcher, Prompt, ProviderError, ProviderQuery, ProviderResponse, SearchProvider,
    Semantics, SemanticsError, Similarities,
};
use async_trait::async_trait;
use std::{
    sync::Arc,
    time::{Duration, Instant},
};
use tracing::{Instrument, Span, field::Empty};
use url::Url;

/// Observes calls to upstreams.
pub trait CallObserver: Send + Sync {
    /// Called when a call ends; `outcome` is `ok`, `abandoned` or the kind of failure.
    fn call_ended(&self, upstream: &'static str, outcome: &'static str, took: Duration);
}

/// A provider, fetcher or model whose calls are traced.
pub struct Traced<T: ?Sized> {
    inner: Arc<T>,
    observer: Option<Arc<dyn CallObserver>>,
}

impl<T: ?Sized> Traced<T> {
    /// Adds spans to `inner`, and reports its calls to `calls`.
    pub fn new(inner: Arc<T>, observer: Option<Arc<dyn CallObserver>>) -> Self {
        Self { inner, observer }
    }

    fn call(&self, name: &str, upstream: &'static str) -> ActiveCall<'_> {
        ActiveCall {
            span: client_span(name, upstream),
            upstream,
            observer: self.observer.as_deref(),
            outcome: "abandoned",
            started: Instant::now(),
        }
    }
}

/// A call in flight. Its outcome is `abandoned` when it is dropped before it ends.
struct ActiveCall<'a> {
    span: Span,
    upstream: &'static str,
    observer: Option<&'a dyn CallObserver>,
    outcome: &'static str,
    started: Instant,
}

impl ActiveCall<'_> {
    /// Records the result.
    fn record_result<T, E>(mut self, result: &Result<T, E>, kind: impl Fn(&E) -> &'static str) {
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

impl Drop for ActiveCall<'_> {
    fn drop(&mut self) {
        if let Some(calls) = self.observer {
            calls.call_ended(self.upstream, self.outcome, self.started.elapsed());
        }
    }
}

/// The span of a call; `local` stays in this process. `http.response.status_code` is recorded where
/// the response is read.
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
    ) -> Result<ProviderResponse, ProviderError> {
        let call = self.call(&format!("search {}", self.name()), self.name());
        let asked = self.inner.search(query, deadline);
        let result = asked.instrument(call.span.clone()).await;
        call.record_result(&result, |error| match error {
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
        call.record_result(&result, |error| match error {
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
        on_piece: &mut (dyn for<'t> FnMut(CompletionEvent<'t>) + Send),
    ) -> Result<Completion, ModelError> {
        let call = self.call("chat", "model");
        let asked = self.inner.complete(prompt, deadline, on_piece);
        let result = asked.instrument(call.span.clone()).await;
        call.record_result(&result, |error| match error {
            ModelError::TimedOut => "timeout",
            ModelError::Unavailable { .. } => "unavailable",
            ModelError::RateLimited { .. } => "rate_limited",
            ModelError::Refused { .. } => "refused",
            ModelError::ContextTooSmall => "context_too_small",
            ModelError::Interrupted { .. } => "cut",
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
        call.record_result(&result, |error| match error {
            SemanticsError::TimedOut => "timeout",
            SemanticsError::Unavailable { .. } => "unavailable",
            SemanticsError::RateLimited => "rate_limited",
            SemanticsError::Refused { .. } => "refused",
            SemanticsError::Malformed { .. } => "malformed",
        });
        result
    }
}
