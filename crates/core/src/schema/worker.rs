//! What a worker says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A worker's description of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct WorkerDescription {
    /// Its version.
    pub version: String,
    /// Searches that it runs at once.
    pub slots: PerMode,
    /// Searches that it runs now.
    pub running: PerMode,
    /// How its search providers have been doing.
    pub providers: Vec<ProviderHealth>,
}

/// How one search provider has been doing, as one worker sees it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(default)]
pub struct ProviderHealth {
    /// Its name on the wire.
    pub name: String,
    /// "closed" while it is asked, "open" while it is spared, "half_open" while it is tried.
    pub state: String,
    /// How long its answers usually take, in milliseconds.
    pub usual_ms: Option<u64>,
    /// Failures in a row.
    pub failures: u32,
}

/// A number for each mode.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct PerMode {
    /// In speed mode.
    pub speed: usize,
    /// In balanced mode.
    pub balanced: usize,
    /// In deep mode.
    pub deep: usize,
}
