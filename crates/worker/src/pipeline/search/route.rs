//! Chooses the providers of a search and their order.
//!
//! A named engine is used alone. `auto` uses the local corpus and the web concurrently. The web
//! engines form a chain, cheapest first: the next one is called only when those before it found too
//! little or are slow (see `hedge`). Without a web engine, Wikipedia is the chain.

use super::{
    hedge::{self, MIN_HITS},
    providers::{ProtectedProvider, Providers},
    snippet_fallback::fill_snippets,
};
use crate::pipeline::{
    deadline::Deadline,
    provider::{Hit, ProviderError, ProviderQuery, ProviderResponse},
};
use futures_util::future::join;
use privachat_core::{domain::DomainList, schema::SearchEngine};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

const NOTHING_RECENT_WARNING: &str =
    "nothing recent enough was found: results of any age were used";

/// The web engines of `auto`, in order.
const WEB_ENGINES: [SearchEngine; 3] = [
    SearchEngine::Searxng,
    SearchEngine::Serperdev,
    SearchEngine::Perplexity,
];

/// One call to one provider and its result.
#[derive(Debug)]
pub(super) struct ProviderCall {
    pub(super) provider: &'static str,
    pub(super) result: Result<ProviderResponse, ProviderError>,
    /// Hits that were dropped because the operator excludes their domains.
    pub(super) excluded: usize,
}

impl ProviderCall {
    /// Calls `provider` and drops hits in `excluded` domains.
    pub(super) async fn make(
        provider: &ProtectedProvider,
        query: &ProviderQuery,
        excluded: &DomainList,
        is_last: bool,
        deadline: Deadline,
    ) -> Self {
        let mut result = provider.search_in_chain(query, is_last, deadline).await;
        let mut left_out = 0;
        if let Ok(found) = &mut result {
            fill_snippets(found);
            let all = found.hits.len();
            found.hits.retain(|hit| !is_excluded(hit, excluded));
            left_out = all - found.hits.len();
        }
        Self {
            provider: provider.name(),
            result,
            excluded: left_out,
        }
    }

    /// The number of hits.
    pub(super) fn found(&self) -> usize {
        self.result.as_ref().map_or(0, |found| found.hits.len())
    }

    /// Whether the provider answered without hits.
    fn is_empty(&self) -> bool {
        self.result
            .as_ref()
            .is_ok_and(|found| found.hits.is_empty())
    }
}

/// Whether the URL of `hit` is in an excluded domain.
pub(super) fn is_excluded(hit: &Hit, excluded: &DomainList) -> bool {
    let url = Url::parse(hit.url.trim());
    url.is_ok_and(|url| excluded.covers(&url))
}

/// The providers of one search: the local corpus and a chain, either of which may be missing.
#[derive(Clone)]
pub(super) struct ProviderRoute<'a> {
    beside: Option<&'a ProtectedProvider>,
    chain: Vec<&'a ProtectedProvider>,
    excluded: &'a DomainList,
}

impl<'a> ProviderRoute<'a> {
    /// The route for `engine`; `None` if no provider for it is configured.
    pub(super) fn new(
        providers: &'a Providers,
        engine: SearchEngine,
        excluded: &'a DomainList,
    ) -> Option<Self> {
        let route = match engine {
            SearchEngine::Auto => Self::auto(providers, excluded),
            named => Self {
                beside: None,
                chain: providers.get(named).into_iter().collect(),
                excluded,
            },
        };
        (route.beside.is_some() || !route.chain.is_empty()).then_some(route)
    }

    fn auto(providers: &'a Providers, excluded: &'a DomainList) -> Self {
        let mut chain: Vec<&ProtectedProvider> = WEB_ENGINES
            .into_iter()
            .filter_map(|engine| providers.get(engine))
            .collect();
        if chain.is_empty() {
            chain.extend(providers.get(SearchEngine::Wikipedia));
        }
        Self {
            beside: providers.get(SearchEngine::Local),
            chain,
            excluded,
        }
    }

    /// Sends one query to the providers. Cancelling `hurry` stops the wait for the chain.
    pub(super) async fn ask(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
        hurry: &CancellationToken,
    ) -> Vec<ProviderCall> {
        let hurry = hurry.child_token();
        let chain_is_done = CancellationToken::new();
        let beside = async {
            let attempt =
                ProviderCall::make(self.beside?, query, self.excluded, true, deadline).await;
            if attempt.found() >= MIN_HITS {
                // The local corpus has enough: the chain gets its usual time, not all of it.
                tokio::select! {
                    () = chain_is_done.cancelled() => {}
                    () = sleep(self.patience()) => hurry.cancel(),
                }
            }
            Some(attempt)
        };
        let chain = async {
            let attempts = self.ask_chain(query, deadline, &hurry).await;
            chain_is_done.cancel();
            attempts
        };
        let (beside, chained) = join(beside, chain).await;
        beside.into_iter().chain(chained).collect()
    }

    /// Twice the hedge delays of the whole chain.
    fn patience(&self) -> Duration {
        let all: Duration = self.chain.iter().map(|provider| provider.patience()).sum();
        all * 2
    }

    /// Searches the chain; if no hit is recent enough, again for hits of any age.
    async fn ask_chain(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
        hurry: &CancellationToken,
    ) -> Vec<ProviderCall> {
        let mut attempts = self.descend(query, deadline, hurry).await;
        if query.time_range.is_none() || !attempts.iter().all(ProviderCall::is_empty) {
            return attempts;
        }
        let of_any_age = ProviderQuery {
            time_range: None,
            ..query.clone()
        };
        let mut older = self.descend(&of_any_age, deadline, hurry).await;
        for found in older.iter_mut().filter_map(|a| a.result.as_mut().ok()) {
            if !found.hits.is_empty() {
                found.notices.push(NOTHING_RECENT_WARNING.to_owned());
            }
        }
        attempts.append(&mut older);
        attempts
    }

    async fn descend(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
        hurry: &CancellationToken,
    ) -> Vec<ProviderCall> {
        hedge::hedged_search(&self.chain, query, self.excluded, deadline, hurry).await
    }
}
