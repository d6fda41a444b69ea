//! The search stage: sends all sub-queries to their providers concurrently ([`Providers`]) and
//! merges the hits into candidates.

pub mod breaker;
pub mod canonical_url;
mod error;
mod fusion;
mod hedge;
mod latency;
pub mod providers;
pub(crate) mod renumber;
mod retry;
mod route;
mod snippet_fallback;
mod speculative;
#[cfg(test)]
mod tests;

use super::{
    candidate::Candidate,
    context::Context,
    deadline::Deadline,
    outcome::PipelineError,
    plan_types::{Plan, PlannedQuery},
    progress::ProgressSink,
    provider::{ProviderQuery, ProviderResponse},
};
use fusion::ResultList;
use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use hedge::MIN_HITS;
use privachat_core::schema::{SearchEngine, SearchRequest, Stage, Usage};
pub use providers::Providers;
use route::{ProviderCall, ProviderRoute};
pub use speculative::SpeculativeSearch;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// The minimum number of results to request: some are duplicates or cannot be read.
const MIN_RESULTS: usize = 10;
/// The minimum time for the remaining queries once half of them have ended.
const MIN_STRAGGLER_TIME: Duration = Duration::from_secs(2);

#[derive(Debug)]
pub struct FoundCandidates {
    /// Best first; at least one.
    pub candidates: Vec<Candidate>,
    /// Tokens spent by providers that are models.
    pub usage: Option<Usage>,
}

/// Searches for every query of `plan` until `deadline`. The query of the speculative search
/// `ahead`, which is merged into the plan, is not sent again. Failures and notices of providers go
/// to `sink` as warnings.
///
/// # Errors
/// [`PipelineError`] when no provider is configured, all failed, or nothing was found.
pub async fn search(
    context: &Context,
    plan: &Plan,
    request: &SearchRequest,
    deadline: Deadline,
    ahead: Option<SpeculativeSearch<'_>>,
    sink: &dyn ProgressSink,
) -> Result<FoundCandidates, PipelineError> {
    let Some(route) = ProviderRoute::new(
        &context.providers,
        request.search_engine,
        &context.excluded_domains,
    ) else {
        return Err(error::not_configured(request.search_engine));
    };
    let (start, hurry) = match &ahead {
        Some(ahead) => (ahead.since, ahead.hurry.clone()),
        None => (Instant::now(), CancellationToken::new()),
    };
    let covered = ahead
        .as_ref()
        .filter(|ahead| ahead.is_whole)
        .map(|ahead| ahead.at);
    let mut running: FuturesUnordered<BoxFuture<'_, (usize, Vec<ProviderCall>)>> = plan
        .queries
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != covered)
        .map(|(at, planned)| {
            let query = provider_query(plan, planned, request);
            let (route, hurry) = (&route, &hurry);
            async move { (at, route.ask(&query, deadline, hurry).await) }.boxed()
        })
        .collect();
    if let Some(ahead) = ahead {
        let at = ahead.at;
        running.push(ahead.finish().map(move |attempts| (at, attempts)).boxed());
    }
    let total = running.len();
    sink.stage(Stage::Search, 0, total, "Searching");
    let mut answered: Vec<(usize, Vec<ProviderCall>)> = Vec::with_capacity(total);
    let mut found = 0;
    let mut hurry_at = None;
    loop {
        let next = tokio::select! {
            biased;
            next = running.next() => next,
            () = sleep_until(hurry_at.unwrap_or(start)), if hurry_at.is_some() => {
                hurry.cancel();
                hurry_at = None;
                continue;
            }
        };
        let Some((at, attempts)) = next else { break };
        emit_warnings(&attempts, sink);
        found += attempts.iter().map(ProviderCall::found).sum::<usize>();
        answered.push((at, attempts));
        let done = answered.len();
        if done * 2 >= total && found >= MIN_HITS && !hurry.is_cancelled() {
            // The remaining queries get as long again.
            hurry_at = hurry_at.or(Some(
                Instant::now() + start.elapsed().max(MIN_STRAGGLER_TIME),
            ));
        }
        sink.stage(
            Stage::Search,
            done,
            total,
            format!("{done} of {total} queries searched"),
        );
    }

    // The order of arrival must not decide ties.
    answered.sort_by_key(|(at, _)| *at);
    merge_calls(answered)
}

/// Sends `query` to `engine` alone, once. Returns its response, its merged hits as candidates, and
/// for each hit the number of its candidate, from 1.
///
/// # Errors
/// [`PipelineError`] when `engine` is not configured, fails or finds nothing.
pub(super) async fn query_engine(
    context: &Context,
    engine: SearchEngine,
    query: &ProviderQuery,
    deadline: Deadline,
) -> Result<(ProviderResponse, Vec<Candidate>, Vec<Option<usize>>), PipelineError> {
    let Some(provider) = context.providers.get(engine) else {
        return Err(error::not_configured(engine));
    };
    let mut result = provider.search(query, deadline).await;
    let hits = match &mut result {
        Ok(found) => std::mem::take(&mut found.hits),
        Err(_) => Vec::new(),
    };
    let keys: Vec<String> = hits
        .iter()
        .map(|hit| canonical_url::canonical_url(&hit.url))
        .collect();
    let all = hits.len();
    let kept: Vec<_> = hits
        .into_iter()
        .filter(|hit| !route::is_excluded(hit, &context.excluded_domains))
        .collect();
    let excluded = all - kept.len();
    let candidates = fusion::fuse(vec![ResultList {
        query: 0,
        hits: kept,
    }]);
    match result {
        Ok(found) if !candidates.is_empty() => {
            let places: Vec<String> = candidates
                .iter()
                .map(|candidate| canonical_url::canonical_url(&candidate.url))
                .collect();
            let numbers = keys
                .iter()
                .map(|key| Some(places.iter().position(|place| place == key)? + 1))
                .collect();
            Ok((found, candidates, numbers))
        }
        result => Err(error::no_sources(&[ProviderCall {
            provider: provider.name(),
            result,
            excluded,
        }])),
    }
}

fn provider_query(plan: &Plan, planned: &PlannedQuery, request: &SearchRequest) -> ProviderQuery {
    ProviderQuery {
        text: with_year(&planned.sub_query.query, plan.year),
        language: plan.language.clone(),
        time_range: planned.time_range,
        year: plan.year,
        limit: request.source_limit().max(MIN_RESULTS),
    }
}

/// `text` with the year that the question names: most engines have no filter for it.
fn with_year(text: &str, year: Option<i32>) -> String {
    let missing = year
        .map(|year| year.to_string())
        .filter(|year| !text.contains(year));
    match missing {
        Some(year) => format!("{text} {year}"),
        None => text.to_owned(),
    }
}

fn emit_warnings(attempts: &[ProviderCall], sink: &dyn ProgressSink) {
    for attempt in attempts {
        match &attempt.result {
            Ok(found) => found.notices.iter().for_each(|notice| sink.warn(notice)),
            Err(error) => sink.warn(error.to_string()),
        }
    }
}

fn merge_calls(
    answered: Vec<(usize, Vec<ProviderCall>)>,
) -> Result<FoundCandidates, PipelineError> {
    let mut lists = Vec::new();
    let mut attempts = Vec::new();
    let mut usage: Option<Usage> = None;
    for (query, mut of_query) in answered {
        for attempt in &mut of_query {
            let Ok(found) = &mut attempt.result else {
                continue;
            };
            lists.push(ResultList {
                query,
                hits: std::mem::take(&mut found.hits),
            });
            if let Some(spent) = found.usage {
                *usage.get_or_insert_default() += spent;
            }
        }
        attempts.append(&mut of_query);
    }
    let candidates = fusion::fuse(lists);
    if candidates.is_empty() {
        return Err(error::no_sources(&attempts));
    }
    Ok(FoundCandidates { candidates, usage })
}
