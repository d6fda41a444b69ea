//! Callbacks: whoever gave a search a `callback_url` is told its outcome, at least once. A call
//! that fails, or whose worker dies, stays listed in Redis and is made again, by any worker, for as
//! long as the record lives.

mod backoff;
mod call;
mod message;

use crate::{
    metrics::Metrics,
    web::fetch::{FetchRules, Poster},
};
use anyhow::Context as _;
use call::{Caller, Went};
use privachat_core::{
    jobs::{Jobs, JobsError},
    outage::Outage,
    webhook::SigningKeys,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

const AT_ONCE: usize = 32;
/// So that one slow receiver does not take them all.
const AT_ONCE_PER_HOST: usize = 8;
/// How long a receiver may take; the specification recommends 15 to 30 s.
const PATIENCE: Duration = Duration::from_secs(15);
/// How long a call that one worker makes is left alone by the others.
const LEASE: Duration = Duration::from_secs(30);
/// How long a call waits whose receiver has as many as it may have at once.
const BUSY_PAUSE: Duration = Duration::from_secs(2);
/// How often calls that are due are looked for: after failures, and of searches that ended elsewhere.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long calls may go on when the worker stops.
const LAST_CALLS: Duration = Duration::from_secs(8);

/// How callbacks are made.
#[derive(Debug, Clone, Default)]
pub struct CallbackSettings {
    /// What they are signed with; without keys none is made.
    pub keys: Option<SigningKeys>,
    /// `host` or `host:port`: may be called although the address is private.
    pub allow_hosts: Vec<String>,
}

/// Makes what is to make the calls.
pub(super) fn caller(
    settings: CallbackSettings,
    jobs: Jobs,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Arc<Caller>> {
    let rules = FetchRules {
        allow_hosts: settings.allow_hosts,
        per_host: AT_ONCE_PER_HOST,
        total: AT_ONCE,
        ..FetchRules::default()
    };
    let poster = Poster::new(rules, PATIENCE).context("callbacks cannot be set up")?;
    Ok(Arc::new(Caller {
        jobs,
        metrics,
        poster,
        keys: settings.keys,
    }))
}

/// Makes the calls that are due until `stop`. `ended` tells of a search that has somebody to be told.
pub(super) async fn run(caller: Arc<Caller>, ended: Arc<Notify>, stop: CancellationToken) {
    let mut calls = JoinSet::<Went>::new();
    let mut outage = Outage::default();
    loop {
        // The last round tells what the drain has finished.
        let last = stop.is_cancelled();
        let more = match begin(&caller, &mut calls).await {
            Ok(more) => {
                if let Some(seconds) = outage.ended() {
                    tracing::info!(seconds, "looks for callbacks again");
                }
                more
            }
            Err(error) => {
                if outage.failed() {
                    tracing::warn!(error = %error, "cannot look for callbacks; trying again");
                }
                false
            }
        };
        if last {
            // What is cut here is made again when its lease is over.
            let rest = async { while calls.join_next().await.is_some() {} };
            let _in_time = timeout(LAST_CALLS, rest).await;
            return;
        }
        let woken = wait(&mut calls, more, &ended);
        let _woken_or_stopped = stop.run_until_cancelled(woken).await;
    }
}

/// Begins as many calls as there is room for; tells whether there may be more.
async fn begin(caller: &Arc<Caller>, calls: &mut JoinSet<Went>) -> Result<bool, JobsError> {
    let room = AT_ONCE.saturating_sub(calls.len());
    if room == 0 {
        return Ok(true);
    }
    let due = caller.jobs.callbacks(room, LEASE).await?;
    let more = due.len() == room;
    for id in due {
        let caller = Arc::clone(caller);
        calls.spawn(async move { caller.call(id).await });
    }
    Ok(more)
}

/// Until it makes sense to look for calls again.
async fn wait(calls: &mut JoinSet<Went>, more: bool, ended: &Notify) {
    let mut until = Instant::now() + LOOK_AGAIN;
    loop {
        tokio::select! {
            () = ended.notified() => return,
            () = sleep_until(until) => return,
            Some(done) = calls.join_next() => {
                match done {
                    Ok(Went::Through) => {}
                    Ok(Went::Busy) => until = until.min(Instant::now() + BUSY_PAUSE),
                    Err(error) => tracing::error!(error = %error, "a callback broke off"),
                }
                if more {
                    return;
                }
            }
        }
    }
}
