//! plan → search → read → rank → answer → check. Each stage is a function of its inputs and a
//! deadline; none of them knows Redis or a database. Dropping the future of [`run`] stops every
//! upstream call.

pub mod answer;
pub mod candidate;
pub mod check;
pub mod deadline;
pub mod document;
pub mod fetcher;
pub mod model;
pub mod outcome;
pub mod progress;
pub mod provider;
pub mod question;
pub mod rank;
pub mod sources;
pub mod text;

pub use candidate::{Candidate, Passage, RankedSource};
pub use deadline::Deadline;
pub use document::{Block, BlockKind, Document};
pub use fetcher::{FetchError, Page, PageFetcher};
pub use model::{Completion, LanguageModel, ModelError, Prompt};
pub use outcome::{Outcome, PipelineError};
pub use progress::{ProgressSink, Silent};
pub use provider::{Found, Hit, ProviderError, ProviderQuery, SearchProvider, TimeRange};
pub use question::{Plan, PlannedQuery};
