//! A search from question to checked answer: plan → search → read → rank → answer → check.
//!
//! Each stage is a function of its inputs and a [`Deadline`]; none uses Redis or a database.
//! [`Context`] holds what the stages call: providers, page fetcher, models. Dropping the future of
//! [`run()`] stops every upstream call.

pub mod answer;
mod blocking;
pub mod candidate;
pub mod check;
pub mod context;
mod cost;
pub mod deadline;
pub mod direct;
pub mod document;
pub mod fetcher;
mod last_resort;
pub mod model;
pub mod outcome;
pub mod plan;
pub mod progress;
pub mod provider;
pub mod question;
pub mod rank;
pub mod read;
mod reporter;
pub mod run;
pub mod search;
pub mod semantics;
pub mod shares;
pub mod sources;
mod spans;
#[cfg(test)]
pub(crate) mod test_support;
pub mod text;

pub use blocking::Cores;
pub(crate) use blocking::processors;
pub use candidate::{Candidate, Passage, RankedSource};
pub use context::Context;
pub use deadline::Deadline;
pub use document::{Block, BlockKind, Document};
pub use fetcher::{FetchError, Page, PageFetcher};
pub use model::{Completion, LanguageModel, ModelError, ModelLimits, Piece, Prompt};
pub use outcome::{Outcome, PipelineError};
pub use progress::{ProgressSink, Silent};
pub use provider::{Found, Hit, ProviderError, ProviderQuery, SearchProvider, Silence, TimeRange};
pub use question::{Plan, Planned, PlannedQuery};
pub use run::run;
pub use search::Providers;
pub use semantics::{Semantics, SemanticsError, Similarities};
