//! What every search of a process shares.

use super::{fetcher::PageFetcher, model::LanguageModel, search::Providers};
use std::sync::Arc;

/// The outside world as the pipeline sees it. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    /// What can be searched.
    pub providers: Providers,
    /// Reads pages.
    pub fetcher: Arc<dyn PageFetcher>,
    /// Writes answers; without one they are put together from sentences of the sources.
    pub model: Option<Arc<dyn LanguageModel>>,
}
