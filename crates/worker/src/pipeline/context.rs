//! What every search of a process shares.

use super::{
    blocking::Cores, fetcher::PageFetcher, model::LanguageModel, search::Providers,
    semantics::Semantics,
};
use chrono::{DateTime, Utc};
use privachat_core::domain::DomainList;
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
    /// Compares meanings; without it only words count.
    pub semantics: Option<Arc<dyn Semantics>>,
    /// Domains that are no sources.
    pub excluded: Arc<DomainList>,
    /// Turns for work that keeps a processor busy.
    pub cores: Cores,
    /// Tells the time of day. A parameter, so that tests decide what "today" is.
    pub clock: fn() -> DateTime<Utc>,
}

impl Context {
    /// Searches with `providers` and reads with `fetcher`; everything else is off.
    #[must_use]
    pub fn new(providers: Providers, fetcher: Arc<dyn PageFetcher>) -> Self {
        Self {
            providers,
            fetcher,
            model: None,
            semantics: None,
            excluded: Arc::default(),
            cores: Cores::default(),
            clock: Utc::now,
        }
    }
}
