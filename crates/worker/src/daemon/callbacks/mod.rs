//! Delivers callbacks: posts the outcome of a search to its `callback_url`, at least once. The
//! `callbacks` index in Redis lists pending deliveries: any worker repeats one that fails, or whose
//! worker dies, until the record expires.

mod backoff;
mod delivery;
mod message;

use crate::{
    metrics::Metrics,
    web::fetch::{FetchRules, WebhookClient},
};
use anyhow::Context as _;
use delivery::{CallbackSender, DeliveryResult};
use privachat_core::{
    jobs::{Jobs, JobsError},
    outage_log::OutageLog,
    webhook::SigningKeys,
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Notify,
    task::JoinSet,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

const MAX_CALLS: usize = 32;
/// Lower, so that one slow receiver does not use all calls.
const MAX_CALLS_PER_HOST: usize = 8;
/// Timeout of a call; Standard Webhooks recommends 15 to 30 s.
const CALL_TIMEOUT: Duration = Duration::from_secs(15);
/// Lease of a delivery: no other worker makes the call meanwhile.
const CALL_LEASE: Duration = Duration::from_secs(30);
/// Delay of a call whose receiver has the most calls that it may have at once.
const BUSY_DELAY: Duration = Duration::from_secs(2);
/// How often Redis is asked for due calls: retries, and searches that ended in other workers.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// How long calls may go on after the stop.
const FINAL_CALLS_TIMEOUT: Duration = Duration::from_secs(8);

/// How callbacks are made.
#[derive(Debug, Clone, Default)]
pub struct CallbackSettings {
    /// Sign the messages; without keys every call fails.
    pub keys: Option<SigningKeys>,
    /// `host` or `host:port` that may be called although the address is private.
    pub allow_hosts: Vec<String>,
}

/// Creates the sender of callbacks.
///
/// # Errors
/// When the HTTP client cannot be set up.
pub(super) fn sender(
    settings: CallbackSettings,
    jobs: Jobs,
    metrics: Arc<Metrics>,
) -> anyhow::Result<Arc<CallbackSender>> {
    let rules = FetchRules {
        allow_hosts: settings.allow_hosts,
        max_per_host: MAX_CALLS_PER_HOST,
        max_total: MAX_CALLS,
        ..FetchRules::default()
    };
    let poster = WebhookClient::new(rules, CALL_TIMEOUT).context("callbacks cannot be set up")?;
    Ok(Arc::new(CallbackSender {
        jobs,
        metrics,
        client: poster,
        keys: settings.keys,
    }))
}

/// Delivers due callbacks until `stop`. `ended` is notified when a search with a callback ends.
pub(super) async fn run(caller: Arc<CallbackSender>, ended: Arc<Notify>, stop: CancellationToken) {
    let mut calls = JoinSet::<DeliveryResult>::new();
    let mut outage = OutageLog::default();
    loop {
        // One more round after `stop` delivers what the drain has finished.
        let last = stop.is_cancelled();
        let more = match start_due(&caller, &mut calls).await {
            Ok(more) => {
                if let Some(seconds) = outage.record_success() {
                    tracing::info!(seconds, "listing due callbacks again");
                }
                more
            }
            Err(error) => {
                if outage.record_failure() {
                    tracing::warn!(error = %error, "cannot list due callbacks; trying again");
                }
                false
            }
        };
        if last {
            // A call that is cut here is repeated when its lease expires.
            let rest = async { while calls.join_next().await.is_some() {} };
            let _in_time = timeout(FINAL_CALLS_TIMEOUT, rest).await;
            return;
        }
        let woken = wait_for_due(&mut calls, more, &ended);
        let _woken_or_stopped = stop.run_until_cancelled(woken).await;
    }
}

/// Starts due calls up to the limit; returns whether more may be due.
async fn start_due(
    caller: &Arc<CallbackSender>,
    calls: &mut JoinSet<DeliveryResult>,
) -> Result<bool, JobsError> {
    let room = MAX_CALLS.saturating_sub(calls.len());
    if room == 0 {
        return Ok(true);
    }
    let due = caller.jobs.due_callbacks(room, CALL_LEASE).await?;
    let more = due.len() == room;
    for id in due {
        let caller = Arc::clone(caller);
        calls.spawn(async move { caller.deliver(id).await });
    }
    Ok(more)
}

/// Waits until calls may be due, or may be started again.
async fn wait_for_due(calls: &mut JoinSet<DeliveryResult>, more: bool, ended: &Notify) {
    let mut until = Instant::now() + POLL_INTERVAL;
    loop {
        tokio::select! {
            () = ended.notified() => return,
            () = sleep_until(until) => return,
            Some(done) = calls.join_next() => {
                match done {
                    Ok(DeliveryResult::Done) => {}
                    Ok(DeliveryResult::Busy) => until = until.min(Instant::now() + BUSY_DELAY),
                    Err(error) => tracing::error!(error = %error, "a callback task panicked"),
                }
                if more {
                    return;
                }
            }
        }
    }
}
