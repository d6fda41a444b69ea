//! Who is asked, and in which order.
//!
//! A named engine is asked alone. `auto` asks the operator's documents and the web side by side.
//! On the web the engines form a chain, cheapest first, of which the next is asked only when those
//! before it found too little or are slow (see `hedge`); Wikipedia stands in when there is no chain.

use super::{
    hedge::{self, ENOUGH},
    lent::lend,
    providers::{Guarded, Providers},
};
use crate::pipeline::{
    deadline::Deadline,
    provider::{Found, Hit, ProviderError, ProviderQuery},
};
use futures_util::future::join;
use privachat_core::{domain::DomainList, schema::SearchEngine};
use std::time::Duration;
use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use url::Url;

const NOTHING_RECENT: &str = "nothing recent enough was found: results of any age were used";

/// Web engines in the order in which `auto` asks them.
const CHAIN: [SearchEngine; 3] = [
    SearchEngine::Searxng,
    SearchEngine::Serperdev,
    SearchEngine::Perplexity,
];

/// One call to one provider and what came of it.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) provider: &'static str,
    pub(super) result: Result<Found, ProviderError>,
    /// Results left out because the operator excludes their domains.
    pub(super) excluded: usize,
}

impl Attempt {
    /// Asks `provider`; results in `excluded` domains are left out.
    pub(super) async fn make(
        provider: &Guarded,
        query: &ProviderQuery,
        excluded: &DomainList,
        is_last: bool,
        deadline: Deadline,
    ) -> Self {
        let mut result = provider.search_in_chain(query, is_last, deadline).await;
        let mut left_out = 0;
        if let Ok(found) = &mut result {
            lend(found);
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

    /// Results that can be used.
    pub(super) fn found(&self) -> usize {
        self.result.as_ref().map_or(0, |found| found.hits.len())
    }

    /// Whether the provider answered that there is nothing.
    fn is_empty(&self) -> bool {
        self.result
            .as_ref()
            .is_ok_and(|found| found.hits.is_empty())
    }
}

/// Whether the operator allows no source at the address of `hit`.
pub(super) fn is_excluded(hit: &Hit, excluded: &DomainList) -> bool {
    let url = Url::parse(hit.url.trim());
    url.is_ok_and(|url| excluded.covers(&url))
}

/// The providers of one search.
#[derive(Clone)]
pub(super) struct Route<'a> {
    beside: Option<&'a Guarded>,
    chain: Vec<&'a Guarded>,
    excluded: &'a DomainList,
}

impl<'a> Route<'a> {
    /// The route for `engine`; `None` when nothing of it is configured.
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
        let mut chain: Vec<&Guarded> = CHAIN
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

    /// Asks for one query. Once `hurry` comes, the chain is not waited for any longer.
    pub(super) async fn ask(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
        hurry: &CancellationToken,
    ) -> Vec<Attempt> {
        let hurry = hurry.child_token();
        let chain_is_done = CancellationToken::new();
        let beside = async {
            let attempt = Attempt::make(self.beside?, query, self.excluded, true, deadline).await;
            if attempt.found() >= ENOUGH {
                // There is something to answer from: the web is worth its usual time, not all.
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

    /// What the chain takes when each of its engines is as slow as it may be, and once more.
    fn patience(&self) -> Duration {
        let all: Duration = self.chain.iter().map(|provider| provider.patience()).sum();
        all * 2
    }

    /// Asks the chain; when nothing is as recent as the query wants it, for results of any age.
    async fn ask_chain(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
        hurry: &CancellationToken,
    ) -> Vec<Attempt> {
        let mut attempts = self.descend(query, deadline, hurry).await;
        if query.time_range.is_none() || !attempts.iter().all(Attempt::is_empty) {
            return attempts;
        }
        let of_any_age = ProviderQuery {
            time_range: None,
            ..query.clone()
        };
        let mut older = self.descend(&of_any_age, deadline, hurry).await;
        for found in older.iter_mut().filter_map(|a| a.result.as_mut().ok()) {
            if !found.hits.is_empty() {
                found.notices.push(NOTHING_RECENT.to_owned());
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
    ) -> Vec<Attempt> {
        hedge::descend(&self.chain, query, self.excluded, deadline, hurry).await
    }
}
