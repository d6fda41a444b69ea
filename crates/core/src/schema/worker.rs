//! [`WorkerDescription`]: what a worker publishes with its heartbeat.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A worker's version, load and providers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkerDescription {
    /// The version of the worker.
    pub version: String,
    /// Worker slots: how many searches it can run at a time.
    pub slots: PerMode,
    /// Searches that run now.
    pub running: PerMode,
    /// The health of its search providers.
    pub providers: Vec<ProviderHealth>,
}

/// The health of one search provider, as seen by one worker.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ProviderHealth {
    /// The name of the provider on the wire.
    pub name: String,
    /// The state of its circuit breaker: "closed", "open" (no calls) or "half_open" (one trial
    /// call).
    pub state: String,
    /// The usual latency of its answers, in milliseconds.
    pub usual_ms: Option<u64>,
    /// Consecutive failures.
    pub failures: u32,
}

/// A number of searches for each mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PerMode {
    /// Speed mode.
    pub speed: usize,
    /// Balanced mode.
    pub balanced: usize,
    /// Deep mode.
    pub deep: usize,
}
