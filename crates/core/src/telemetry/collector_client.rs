//! The HTTP client of the trace exporter.

use crate::domain::is_loopback;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::{Client, redirect};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use url::Url;

/// The shortest time between two warnings about the collector.
const WARNING_INTERVAL: Duration = Duration::from_secs(300);

/// Sends batches one after the other, on the exporter's own thread.
#[derive(Debug)]
pub(super) struct CollectorClient {
    client: Client,
    /// A runtime of its own: the exporter's thread is in none, and that of the process may have
    /// ended before the last batch is sent.
    runtime: Runtime,
    last_warning: Mutex<Option<Instant>>,
}

impl CollectorClient {
    /// Creates a client for `endpoint` that gives a batch up after `timeout`.
    pub(super) fn new(endpoint: &Url, timeout: Duration) -> anyhow::Result<Self> {
        // Fails only if a provider is installed already, which also works.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(timeout)
            .redirect(redirect::Policy::none())
            // The runtime does not run between two batches, so an idle connection would go stale.
            .pool_max_idle_per_host(0);
        if is_loopback(endpoint) {
            client = client.no_proxy();
        }
        let client = client.build()?;
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        Ok(Self {
            client,
            runtime,
            last_warning: Mutex::default(),
        })
    }

    fn warn(&self, reason: &str) {
        let mut warned = self
            .last_warning
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= WARNING_INTERVAL) {
            *warned = Some(Instant::now());
            tracing::warn!(
                reason,
                "traces are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not accept them"
            );
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for CollectorClient {
    /// Blocks the exporter's thread, which is allowed.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        // Executed inside the runtime, which provides the timer of the request.
        let answered = async { self.client.execute(request).await };
        let answered = self.runtime.block_on(answered);
        let status = match answered {
            Ok(answer) => answer.status(),
            Err(error) => {
                let reason = failure_reason(&error);
                self.warn(reason);
                return Err(reason.into());
            }
        };
        if !status.is_success() {
            self.warn(&format!("HTTP {}", status.as_u16()));
        }
        // The body of the collector's response is not used.
        Ok(Response::builder().status(status).body(Bytes::new())?)
    }
}

/// A description without an address.
fn failure_reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "no answer in time";
    }
    if error.is_connect() {
        return "no connection";
    }
    "the connection broke"
}
