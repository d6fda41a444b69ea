//! What all handlers share.

use crate::{
    access::ApiKeys, limits::TrustedProxies, metrics::Metrics, queue::QueueStream,
    settings::Capabilities, stream::EventStreams,
};
use actix_web::web::Bytes;
use privachat_core::{
    allowed_hosts::AllowedHosts,
    history::History,
    jobs::{CachedDurability, Jobs, Notifier},
    rate_limit::RateLimit,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(crate) struct AppState {
    pub(crate) jobs: Jobs,
    /// Whether Redis syncs to disk before it replies.
    pub(crate) durability: CachedDurability,
    pub(crate) metrics: Metrics,
    /// Wakes tasks that wait for a job to change.
    pub(crate) notifier: Notifier,
    /// The event streams that have subscribers.
    pub(crate) event_streams: Arc<EventStreams>,
    /// The snapshots of the queue.
    pub(crate) queue_stream: Arc<QueueStream>,
    pub(crate) history: Arc<dyn History>,
    pub(crate) capabilities: Capabilities,
    /// The keys of API_KEYS and API_ADMIN_KEYS.
    pub(crate) api_keys: ApiKeys,
    /// The limit of API_RATE_LIMIT for each key or address; none when it is 0.
    pub(crate) rate_limit: Option<RateLimit>,
    /// The proxies whose X-Forwarded-* headers count.
    pub(crate) trusted_proxies: TrustedProxies,
    pub(crate) job_ttl: Duration,
    pub(crate) max_queue_length: u64,
    pub(crate) environment: String,
    /// The OpenAPI document: see [`crate::openapi::document`].
    pub(crate) openapi_document: Bytes,
    /// The names allowed in the `Host` header.
    pub(crate) allowed_hosts: AllowedHosts,
    /// Other origins whose pages may use the API (CORS_ORIGINS).
    pub(crate) allowed_origins: Vec<String>,
    /// Cancelled by the first signal: requests are still served, `/readyz` fails and connections
    /// close after their response, so that load balancers choose another process.
    pub(crate) draining: CancellationToken,
    /// Cancelled after SHUTDOWN_DELAY_SECONDS: event streams end and their clients reconnect to
    /// another process.
    pub(crate) shutdown: CancellationToken,
}
