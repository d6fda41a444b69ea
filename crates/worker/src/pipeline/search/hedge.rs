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

/// With fewer results than this the next engine of the chain is asked too.
const ENOUGH: usize = 3;

/// Asks the engines of `chain` for one query, in the order in which they answered.
pub(super) async fn descend(
    chain: &[&Guarded],
    query: &ProviderQuery,
    excluded: &DomainList,
    deadline: Deadline,
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
    attempts.extend(outrun(chain, &attempts));
    attempts
}

/// How long `provider` is waited for: as it usually takes, and never so long that the `others`
/// after it would have less time than it had.
fn patience(provider: &Guarded, deadline: Deadline, others: usize) -> Duration {
    let share = deadline.remaining() / u32::try_from(others + 1).unwrap_or(u32::MAX);
    provider.patience().min(share)
}

/// Those that had not answered when one that was asked after them had given enough.
fn outrun(chain: &[&Guarded], attempts: &[Attempt]) -> Vec<Attempt> {
    let has_answered = |name| attempts.iter().any(|attempt| attempt.provider == name);
    let winner = attempts.last().map_or("", |attempt| attempt.provider);
    chain
        .iter()
        .take_while(|provider| provider.name() != winner)
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
