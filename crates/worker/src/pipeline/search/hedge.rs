//! Hedged search over a chain of engines: the next one is called when those before it found too
//! little, failed, or are slower than usual. Slow calls keep running until there are enough hits.

use super::{providers::ProtectedProvider, route::ProviderCall};
use crate::pipeline::{
    deadline::Deadline,
    provider::{ProviderError, ProviderQuery},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use privachat_core::domain::DomainList;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// With fewer hits than this, the next engine of the chain is called too.
pub(super) const MIN_HITS: usize = 3;

/// Sends one query to the engines of `chain`. Returns the results in order of arrival, then a
/// timeout for each engine that was overtaken by a later one or was running when `hurry` was
/// cancelled.
pub(super) async fn hedged_search(
    chain: &[&ProtectedProvider],
    query: &ProviderQuery,
    excluded: &DomainList,
    deadline: Deadline,
    hurry: &CancellationToken,
) -> Vec<ProviderCall> {
    let mut attempts: Vec<ProviderCall> = Vec::new();
    let mut running = FuturesUnordered::new();
    let mut asked = 0;
    let mut next_at = Instant::now();
    loop {
        if let Some(provider) = chain.get(asked)
            && (running.is_empty() || next_at <= Instant::now())
        {
            asked += 1;
            let is_last = asked == chain.len();
            next_at = Instant::now() + hedge_delay(provider, deadline, chain.len() - asked);
            running.push(ProviderCall::make(
                provider, query, excluded, is_last, deadline,
            ));
        }
        let attempt = tokio::select! {
            biased;
            attempt = running.next() => attempt,
            () = hurry.cancelled() => break,
            () = sleep_until(next_at), if asked < chain.len() => continue,
        };
        let Some(attempt) = attempt else { break };
        attempts.push(attempt);
        let is_enough = attempts.iter().map(ProviderCall::found).sum::<usize>() >= MIN_HITS;
        if is_enough || (running.is_empty() && asked == chain.len()) {
            break;
        }
    }
    drop(running);
    let late = if hurry.is_cancelled() {
        chain.get(..asked).unwrap_or_default()
    } else {
        called_before_last(chain, &attempts)
    };
    attempts.extend(timed_out_calls(late, &attempts));
    attempts
}

/// The wait before the next engine is called: the hedge delay of `provider`, but at most its equal
/// share of the time left, with `others` engines after it.
fn hedge_delay(provider: &ProtectedProvider, deadline: Deadline, others: usize) -> Duration {
    let share = deadline.remaining() / u32::try_from(others + 1).unwrap_or(u32::MAX);
    provider.patience().min(share)
}

/// The engines that were called before the one that answered last. Those called after it had too
/// little time to count as timed out.
fn called_before_last<'c, 'p>(
    chain: &'c [&'p ProtectedProvider],
    attempts: &[ProviderCall],
) -> &'c [&'p ProtectedProvider] {
    let last = attempts.last().map_or("", |attempt| attempt.provider);
    let at = chain.iter().position(|provider| provider.name() == last);
    chain.get(..at.unwrap_or_default()).unwrap_or_default()
}

/// A timeout for each of `asked` that has not answered.
fn timed_out_calls(asked: &[&ProtectedProvider], attempts: &[ProviderCall]) -> Vec<ProviderCall> {
    let has_answered = |name| attempts.iter().any(|attempt| attempt.provider == name);
    asked
        .iter()
        .filter(|provider| !has_answered(provider.name()))
        .map(|provider| {
            provider.was_outrun();
            ProviderCall {
                provider: provider.name(),
                result: Err(ProviderError::TimedOut {
                    provider: provider.name(),
                }),
                excluded: 0,
            }
        })
        .collect()
}
