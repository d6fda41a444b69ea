//! Direct: Perplexity answers by itself; its text is cleaned and held against its sources.

use super::{
    context::Context,
    deadline::Deadline,
    outcome::{Outcome, PipelineError},
    progress::ProgressSink,
};
use privachat_core::schema::{SearchRequest, Stage, problem};

/// Runs a direct search until `deadline`.
///
/// # Errors
/// When Perplexity is not configured or gives no answer.
#[expect(
    clippy::unused_async,
    reason = "the caller waits for it as for the search in stages"
)]
pub async fn run(
    _context: &Context,
    _request: &SearchRequest,
    _deadline: Deadline,
    _sink: &dyn ProgressSink,
) -> Result<Outcome, PipelineError> {
    Err(PipelineError {
        stage: Stage::Search,
        code: problem::NO_PROVIDER,
        message: "Perplexity cannot be asked directly.".to_owned(),
        hint: None,
        retryable: false,
        warnings: Vec::new(),
    })
}
