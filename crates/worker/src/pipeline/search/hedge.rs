//! Down the chain of engines: the next is asked when those before it found too little, failed, or
//! are slower than they usually are. A slow one is still listened to until there is enough.

use super::{cascade::Attempt, providers::Guarded};
use crate::pipeline::{
    deadline::Deadline,
    provider::{ProviderError, ProviderQuery},
};
use futures_util::{StreamExt, stream::FuturesUnordered};
use privachat_core::domain::DomainList;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

/// With fewer results than this the next engine of the chain is asked too.
pub(super) const ENOUGH: usize = 3;

/// Asks the engines of `chain` for one query. Gives what they answered in that order, and then who
/// was late: who was outrun by one that was asked after it, or had not answered when `hurry` came.
pub(super) async fn descend(
    chain: &[&Guarded],
    query: &ProviderQuery,
    excluded: &DomainList,
    deadline: Deadline,
    hurry: &CancellationToken,
) -> Vec<Attempt> {
    let mut attempts: Vec<Attempt> = Vec::new();
    let mut running = FuturesUnordered::new();
    let mut asked = 0;
    let mut next_at = Instant::now();
    loop {
        if let Some(provider) = chain.get(asked)
            && (running.is_empty() || next_at <= Instant::now())
        {
            asked += 1;
            let is_last = asked == chain.len();
            next_at = Instant::now() + patience(provider, deadline, chain.len() - asked);
            running.push(Attempt::make(provider, query, excluded, is_last, deadline));
        }
        let attempt = tokio::select! {
            biased;
            attempt = running.next() => attempt,
            () = hurry.cancelled() => break,
            () = sleep_until(next_at), if asked < chain.len() => continue,
        };
        let Some(attempt) = attempt else { break };
        attempts.push(attempt);
        let is_enough = attempts.iter().map(Attempt::found).sum::<usize>() >= ENOUGH;
        if is_enough || (running.is_empty() && asked == chain.len()) {
            break;
        }
    }
    drop(running);
    let late = if hurry.is_cancelled() {
        chain.get(..asked).unwrap_or_default()
    } else {
        before_the_last(chain, &attempts)
    };
    attempts.extend(given_up(late, &attempts));
    attempts
}

/// How long `provider` is waited for: as it usually takes, and never so long that the `others`
/// after it would have less time than it had.
fn patience(provider: &Guarded, deadline: Deadline, others: usize) -> Duration {
    let share = deadline.remaining() / u32::try_from(others + 1).unwrap_or(u32::MAX);
    provider.patience().min(share)
}

/// Those that were asked before the one that answered last. One that was asked after it had too
/// little time to be called late.
fn before_the_last<'c, 'p>(chain: &'c [&'p Guarded], attempts: &[Attempt]) -> &'c [&'p Guarded] {
    let last = attempts.last().map_or("", |attempt| attempt.provider);
    let at = chain.iter().position(|provider| provider.name() == last);
    chain.get(..at.unwrap_or_default()).unwrap_or_default()
}

/// A failed attempt for each of `asked` that has not answered.
fn given_up(asked: &[&Guarded], attempts: &[Attempt]) -> Vec<Attempt> {
    let has_answered = |name| attempts.iter().any(|attempt| attempt.provider == name);
    asked
        .iter()
        .filter(|provider| !has_answered(provider.name()))
        .map(|provider| {
            provider.was_outrun();
            Attempt {
                provider: provider.name(),
                result: Err(ProviderError::TimedOut {
                    provider: provider.name(),
                }),
                excluded: 0,
            }
        })
        .collect()
}
