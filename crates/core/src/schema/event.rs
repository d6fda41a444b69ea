//! What a running search tells about itself.

use super::response::{Progress, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// One thing that happened in a search, in the order in which it happened.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event {
    /// A stage moved on.
    Progress(Progress),
    /// Sources, as they are found and again once they are ranked.
    Sources {
        /// The sources known so far, best first.
        sources: Vec<Source>,
    },
    /// Text that was added to the answer.
    Text {
        /// What was added, never the whole.
        delta: String,
    },
    /// The text that was added so far is void: another answer begins.
    Discard {},
    /// Something was cut or failed without ending the search.
    Warning {
        /// For a person.
        message: String,
    },
}
