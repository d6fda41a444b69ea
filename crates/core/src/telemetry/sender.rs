//! HTTP to the collector of traces.

use crate::domain::is_loopback;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use reqwest::{Client, redirect};
use std::{
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};
use tokio::runtime::Runtime;
use url::Url;

/// How often a collector that takes nothing is worth a line in the log.
const QUIET: Duration = Duration::from_secs(300);

/// Sends batches from the exporter's own thread, one after the other.
#[derive(Debug)]
pub(super) struct Sender {
    client: Client,
    /// Its own: the exporter's thread belongs to no runtime, and the process's may have ended when
    /// the last batch is sent.
    runtime: Runtime,
    warned: Mutex<Option<Instant>>,
}

impl Sender {
    /// A sender to `endpoint` that gives a batch up after `patience`.
    pub(super) fn new(endpoint: &Url, patience: Duration) -> anyhow::Result<Self> {
        // Fails only when a provider is installed already, which serves as well.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut client = Client::builder()
            .timeout(patience)
            .redirect(redirect::Policy::none())
            // Nobody looks after a connection between two batches.
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
            warned: Mutex::default(),
        })
    }

    fn warn(&self, reason: &str) {
        let mut warned = self.warned.lock().unwrap_or_else(PoisonError::into_inner);
        if warned.is_none_or(|at| at.elapsed() >= QUIET) {
            *warned = Some(Instant::now());
            tracing::warn!(
                reason,
                "traces are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT does not take them"
            );
        }
    }
}

#[async_trait::async_trait]
impl HttpClient for Sender {
    /// Blocks, as that thread may.
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        // Called inside: the request takes its timer from the runtime.
        let answered = async { self.client.execute(request).await };
        let answered = self.runtime.block_on(answered);
        let status = match answered {
            Ok(answer) => answer.status(),
            Err(error) => {
                let reason = reason(&error);
                self.warn(reason);
                return Err(reason.into());
            }
        };
        if !status.is_success() {
            self.warn(&format!("HTTP {}", status.as_u16()));
        }
        // What a collector has to say about a batch is of no use here.
        Ok(Response::builder().status(status).body(Bytes::new())?)
    }
}

/// In words that name no address.
fn reason(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        return "no answer in time";
    }
    if error.is_connect() {
        return "no connection";
    }
    "the connection broke"
}
