//! What a worker says of itself.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// A worker's description of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct WorkerDescription {
    /// Its version.
    pub version: String,
    /// Searches that it runs at once.
    pub slots: PerMode,
    /// Searches that it runs now.
    pub running: PerMode,
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
