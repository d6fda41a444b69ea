//! Who is asked, and in which order.
//!
//! A named engine is asked alone. `auto` asks the operator's documents and the web side by side.
//! On the web the engines form a chain, cheapest first, of which the next is asked only when those
//! before it found too little; Wikipedia stands in when there is no chain.

use super::providers::{Guarded, Providers};
use crate::pipeline::{
    deadline::Deadline,
    provider::{Found, ProviderError, ProviderQuery},
};
use futures_util::future::join;
use privachat_core::schema::SearchEngine;

/// With fewer results than this the next engine of the chain is asked too.
const ENOUGH: usize = 3;

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
}

impl Attempt {
    /// Whether the provider answered that there is nothing.
    fn is_empty(&self) -> bool {
        self.result
            .as_ref()
            .is_ok_and(|found| found.hits.is_empty())
    }
}

/// The providers of one search.
#[derive(Clone)]
pub(super) struct Route<'a> {
    beside: Option<&'a Guarded>,
    chain: Vec<&'a Guarded>,
}

impl<'a> Route<'a> {
    /// The route for `engine`; `None` when nothing of it is configured.
    pub(super) fn new(providers: &'a Providers, engine: SearchEngine) -> Option<Self> {
        let route = match engine {
            SearchEngine::Auto => Self::auto(providers),
            named => Self {
                beside: None,
                chain: providers.get(named).into_iter().collect(),
            },
        };
        (route.beside.is_some() || !route.chain.is_empty()).then_some(route)
    }

    fn auto(providers: &'a Providers) -> Self {
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
        }
    }

    /// Asks for one query.
    pub(super) async fn ask(&self, query: &ProviderQuery, deadline: Deadline) -> Vec<Attempt> {
        let (mut attempts, chained) = join(
            self.ask_beside(query, deadline),
            self.ask_chain(query, deadline),
        )
        .await;
        attempts.extend(chained);
        attempts
    }

    async fn ask_beside(&self, query: &ProviderQuery, deadline: Deadline) -> Vec<Attempt> {
        match self.beside {
            Some(provider) => vec![attempt(provider, query, deadline).await],
            None => Vec::new(),
        }
    }

    /// Asks the chain; when nothing is as recent as the query wants it, for results of any age.
    async fn ask_chain(&self, query: &ProviderQuery, deadline: Deadline) -> Vec<Attempt> {
        let mut attempts = self.descend(query, deadline).await;
        if query.time_range.is_none() || !attempts.iter().all(Attempt::is_empty) {
            return attempts;
        }
        let of_any_age = ProviderQuery {
            time_range: None,
            ..query.clone()
        };
        let mut older = self.descend(&of_any_age, deadline).await;
        for found in older.iter_mut().filter_map(|a| a.result.as_mut().ok()) {
            if !found.hits.is_empty() {
                found.notices.push(NOTHING_RECENT.to_owned());
            }
        }
        attempts.append(&mut older);
        attempts
    }

    async fn descend(&self, query: &ProviderQuery, deadline: Deadline) -> Vec<Attempt> {
        let mut attempts = Vec::new();
        let mut found = 0;
        for (at, provider) in self.chain.iter().enumerate() {
            let share = share(deadline, self.chain.len() - at);
            let attempt = attempt(provider, query, share).await;
            found += attempt.result.as_ref().map_or(0, |found| found.hits.len());
            attempts.push(attempt);
            if found >= ENOUGH {
                break;
            }
        }
        attempts
    }
}

/// The part of what is left that the next of `engines` may use: all when it is the last, two
/// thirds when one may follow, a half when two may.
fn share(deadline: Deadline, engines: usize) -> Deadline {
    let divisor = u32::try_from(engines + 1).unwrap_or(u32::MAX);
    deadline.within(deadline.remaining() * 2 / divisor)
}

async fn attempt(provider: &Guarded, query: &ProviderQuery, deadline: Deadline) -> Attempt {
    Attempt {
        provider: provider.name(),
        result: provider.search(query, deadline).await,
    }
}
