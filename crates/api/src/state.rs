//! What every handler can reach.

use crate::{
    access::Keys, limits::Proxies, metrics::Metrics, queue::QueueFeed, settings::Engines,
    watch::Feeds,
};
use actix_web::web::Bytes;
use privachat_core::{
    history::History,
    hosts::AllowedHosts,
    jobs::{Bell, DurabilityCheck, Jobs},
    limits::RateLimit,
};
use std::{sync::Arc, time::Duration};
use tokio_util::sync::CancellationToken;

pub(crate) struct State {
    pub(crate) jobs: Jobs,
    /// What the disk of Redis is worth.
    pub(crate) durability: DurabilityCheck,
    pub(crate) metrics: Metrics,
    /// Rings when a job changes.
    pub(crate) changes: Bell,
    /// The searches that somebody watches.
    pub(crate) feeds: Arc<Feeds>,
    /// The queue, for those who watch it.
    pub(crate) queue: Arc<QueueFeed>,
    pub(crate) history: Arc<dyn History>,
    pub(crate) engines: Engines,
    /// Who may use the service.
    pub(crate) keys: Keys,
    /// How many requests each of them may send, if that is limited.
    pub(crate) rate_limit: Option<RateLimit>,
    /// Who is believed about where a request comes from.
    pub(crate) proxies: Proxies,
    pub(crate) job_ttl: Duration,
    pub(crate) max_queue_length: u64,
    pub(crate) environment: String,
    /// What describes the API to programs: see [`crate::openapi::document`].
    pub(crate) document: Bytes,
    /// The names that the service answers to.
    pub(crate) hosts: AllowedHosts,
    /// Origins whose pages may use the API, beside its own.
    pub(crate) origins: Vec<String>,
    /// The process was told to stop: it still takes requests, and says on `/readyz` and by closing
    /// connections that the next ones should go elsewhere.
    pub(crate) leaving: CancellationToken,
    /// Nobody comes any more: streams end, so that their clients come again elsewhere.
    pub(crate) stopping: CancellationToken,
}
