//! What a search tells about itself, in the order in which it happens. `docs/EVENTS.md` is the page
//! for people.

use super::response::{Progress, SearchResponse, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// What a running attempt tells.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event {
    /// A stage moved on.
    Stage(Progress),
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

/// A turn in the life of a search. Written by the scripts of the job engine, but for `queued`,
/// which its reader makes up.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Turn {
    /// Accepted; it waits for a worker.
    Queued {},
    /// An attempt begins.
    Started {
        /// From 1.
        attempt: u32,
        /// The worker that runs it.
        worker: String,
    },
    /// The attempt ended without an outcome, and another follows. What it told is void.
    Retry {
        /// Why, for a person.
        error: String,
        /// Milliseconds until the next attempt may begin.
        pause_ms: u64,
    },
    /// The worker was told to stop and gave the search back. What it told is void.
    Released {},
    /// The answer is there. Nothing follows.
    Completed {
        /// What the status address answers.
        result: Box<SearchResponse>,
    },
    /// There will be no answer. Nothing follows.
    Failed {
        /// Why, for a person.
        error: String,
        /// Why, for a program.
        error_code: String,
        /// What to do about it.
        error_hint: Option<String>,
        /// What the status address answers.
        result: Box<SearchResponse>,
    },
}

/// One event of a search: what streams send and the stream in Redis holds. Streams add its `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StreamEvent {
    /// A turn in its life.
    Turn(Turn),
    /// What a running attempt tells.
    Told(Event),
}

#[cfg(test)]
mod tests;
