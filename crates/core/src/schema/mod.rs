//! The wire types of HTTP and Redis: requests, responses, records, events and error codes.

pub mod error_code;
pub mod event;
pub mod job;
pub mod record;
pub mod request;
pub mod response;
pub mod time;
pub mod validate;
pub mod worker;

pub use event::{Event, StreamEvent, Turn};
pub use job::SearchJob;
pub use request::{DIRECT_MODE, PromptStrategy, SearchEngine, SearchRequest};
pub use response::{
    CitationMapping, Intent, Progress, SearchResponse, Source, SourceDetail, SourceType, Stage,
    Status, SubQuery, Usage,
};
