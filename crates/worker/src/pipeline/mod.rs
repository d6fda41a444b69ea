//! A search from question to checked answer: plan → search → read → rank → answer → check.
//!
//! Each stage is a function of its inputs and a [`Deadline`]; none uses Redis or a database.
//! [`Context`] holds what the stages call: providers, page fetcher, models. Dropping the future of
//! [`run()`] stops every upstream call.

pub mod answer;
pub mod candidate;
pub mod check;
pub mod context;
mod cost;
mod cpu_pool;
pub mod deadline;
pub mod direct;
pub mod document;
mod fallback;
pub mod fetcher;
pub mod model;
pub mod outcome;
pub mod plan;
pub mod plan_types;
pub mod progress;
pub mod provider;
pub mod rank;
pub mod read;
pub mod run;
pub mod search;
pub mod semantics;
pub mod sources;
mod spans;
#[cfg(test)]
pub(crate) mod test_support;
pub mod text;
pub mod time_budget;
mod warning_log;

pub use candidate::{Candidate, Passage, RankedSource};
pub use context::Context;
pub use cpu_pool::CpuPool;
pub(crate) use cpu_pool::processor_count;
pub use deadline::Deadline;
pub use document::{Block, BlockKind, Document};
pub use fetcher::{FetchError, Page, PageFetcher};
pub use model::{Completion, CompletionEvent, LanguageModel, ModelError, ModelLimits, Prompt};
pub use outcome::{Outcome, PipelineError};
pub use plan_types::{Plan, PlannedQuery, PlanningResult};
pub use progress::{NullSink, ProgressSink};
pub use provider::{
    EngineFailure, Hit, ProviderError, ProviderQuery, ProviderResponse, SearchProvider, TimeRange,
};
pub use run::run;
pub use search::Providers;
pub use semantics::{Semantics, SemanticsError, Similarities};
