//! The events of a search; a client reads a [`StreamEvent`]. `docs/EVENTS.md` documents them.

use super::response::{Progress, SearchResponse, Source};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// An event of a running attempt.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Event {
    /// A stage has made progress.
    Stage(Progress),
    /// The sources found so far; sent again when they are ranked.
    Sources {
        /// The sources known so far, best first.
        sources: Vec<Source>,
    },
    /// Text was added to the answer.
    Text {
        /// Only the added text.
        delta: String,
    },
    /// The text sent so far is void: the answer begins anew.
    Discard {},
    /// Something was cut or failed without ending the search.
    Warning {
        /// The text for a person.
        message: String,
    },
}

/// An event in the lifecycle of a search. The scripts of the job engine write all of them except
/// `queued`, which the API adds.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(tag = "type", rename_all = "lowercase")]
pub enum Turn {
    /// The search was accepted and waits for a worker.
    Queued {},
    /// An attempt begins.
    Started {
        /// The number of the attempt, from 1.
        attempt: u32,
        /// The worker that runs the attempt.
        worker: String,
    },
    /// The attempt failed and another follows. Its events are void.
    Retry {
        /// The reason, for a person.
        error: String,
        /// Milliseconds until the next attempt may begin.
        pause_ms: u64,
    },
    /// A stopping worker has released the search; another takes it. The events of the attempt are
    /// void.
    Released {},
    /// The search has an answer. The last event.
    Completed {
        /// The same response as from the status address.
        result: Box<SearchResponse>,
    },
    /// The search has failed. The last event.
    Failed {
        /// The reason, for a person.
        error: String,
        /// The reason, for a program: one of the stable error codes.
        error_code: String,
        /// What to do about the failure.
        error_hint: Option<String>,
        /// The same response as from the status address.
        result: Box<SearchResponse>,
    },
}

/// One event of a search, as event streams send it and Redis stores it. Event streams add its `id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum StreamEvent {
    /// An event in the lifecycle.
    Lifecycle(Turn),
    /// An event of a running attempt.
    Attempt(Event),
}

#[cfg(test)]
mod tests;
