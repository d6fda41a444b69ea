//! What all searches of a process share.

use super::{
    cpu_pool::CpuPool, fetcher::PageFetcher, model::LanguageModel, search::Providers,
    semantics::Semantics,
};
use chrono::{DateTime, Utc};
use privachat_core::domain::DomainList;
use std::sync::Arc;

/// Everything outside the pipeline that it calls. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    pub providers: Providers,
    pub fetcher: Arc<dyn PageFetcher>,
    /// Plans searches and writes answers; without it, rules plan and answers are extracted.
    pub model: Option<Arc<dyn LanguageModel>>,
    /// Compares texts by meaning; without it, only words count.
    pub semantics: Option<Arc<dyn Semantics>>,
    /// Domains that the operator excludes as sources.
    pub excluded_domains: Arc<DomainList>,
    /// Runs work that keeps a processor busy.
    pub cpu_pool: CpuPool,
    /// The current time. Tests set it to choose what "today" is.
    pub clock: fn() -> DateTime<Utc>,
}

impl Context {
    /// A context without models and without excluded domains.
    #[must_use]
    pub fn new(providers: Providers, fetcher: Arc<dyn PageFetcher>) -> Self {
        Self {
            providers,
            fetcher,
            model: None,
            semantics: None,
            excluded_domains: Arc::default(),
            cpu_pool: CpuPool::default(),
            clock: Utc::now,
        }
    }
}
