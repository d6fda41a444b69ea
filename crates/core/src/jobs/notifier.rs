//! The notifier: wakes tasks that wait for a job to change, with one Redis subscription per process.
//!
//! Pub/sub loses messages, so a notification only means "read the job again", and each reconnect
//! notifies all subscribers. Subscribe first, then read, then wait.

use crate::{connection::Redis, outage_log::OutageLog};
use futures_util::StreamExt;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};
use tokio::{sync::watch, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// How often a silent subscription checks that its server is still in use.
const SERVER_CHECK_INTERVAL: Duration = Duration::from_secs(5);
const RECONNECT_PAUSE: Duration = Duration::from_millis(250);

/// Distributes the messages of one channel by the job id at their beginning.
#[derive(Clone, Default)]
pub struct Notifier {
    senders: Arc<Mutex<HashMap<Uuid, watch::Sender<()>>>>,
}

/// Waits for messages about one job.
pub struct Subscription {
    id: Uuid,
    /// `None` only within `drop`, which releases it under the lock.
    receiver: Option<watch::Receiver<()>>,
    senders: Weak<Mutex<HashMap<Uuid, watch::Sender<()>>>>,
}

impl Notifier {
    /// Keeps a subscription to `channel` open until `stop`.
    pub async fn run(self, redis: Redis, channel: &'static str, stop: CancellationToken) {
        let listening = async {
            let mut outage = OutageLog::default();
            loop {
                let lost = self.run_subscription(&redis, channel, &mut outage).await;
                if let Err(error) = lost
                    && outage.record_failure()
                {
                    tracing::warn!(channel, error = %error, "lost the Redis subscription; trying again");
                }
                tokio::time::sleep(RECONNECT_PAUSE).await;
            }
        };
        stop.run_until_cancelled(listening).await;
    }

    async fn run_subscription(
        &self,
        redis: &Redis,
        channel: &str,
        outage: &mut OutageLog,
    ) -> redis::RedisResult<()> {
        let (subscription, server) = redis.subscribe(channel).await?;
        if let Some(seconds) = outage.record_success() {
            tracing::info!(channel, seconds, "the Redis subscription is back");
        }
        self.notify_all();
        let mut messages = subscription.into_on_message();
        // A replaced server may keep the connection open and send nothing.
        while redis.is_in_use(&server) {
            let message = match timeout(SERVER_CHECK_INTERVAL, messages.next()).await {
                Ok(Some(message)) => message,
                Ok(None) => break,
                Err(_nothing_said) => continue,
            };
            let text: String = message.get_payload()?;
            let id = text.split(' ').next().unwrap_or_default();
            if let Ok(id) = Uuid::try_parse(id) {
                self.notify(id);
            }
        }
        Ok(())
    }

    /// Subscribes to messages about `id`.
    #[must_use]
    pub fn subscribe(&self, id: Uuid) -> Subscription {
        let mut rings = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        let sender = rings.entry(id).or_insert_with(|| watch::channel(()).0);
        Subscription {
            id,
            receiver: Some(sender.subscribe()),
            senders: Arc::downgrade(&self.senders),
        }
    }

    fn notify(&self, id: Uuid) {
        let rings = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sender) = rings.get(&id) {
            sender.send_replace(());
        }
    }

    fn notify_all(&self) {
        let rings = self.senders.lock().unwrap_or_else(PoisonError::into_inner);
        for sender in rings.values() {
            sender.send_replace(());
        }
    }
}

impl Subscription {
    /// Waits for the next message; returns at once if one came since the last call.
    pub async fn changed(&mut self) {
        let changed = match &mut self.receiver {
            Some(receiver) => receiver.changed().await.is_ok(),
            None => false,
        };
        if !changed {
            // The notifier is gone: never return, and leave it to the caller's timeouts.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Subscription {
    fn drop(&mut self) {
        let Some(rings) = self.senders.upgrade() else {
            return;
        };
        let mut rings = rings.lock().unwrap_or_else(PoisonError::into_inner);
        self.receiver = None;
        if rings
            .get(&self.id)
            .is_some_and(|sender| sender.receiver_count() == 0)
        {
            rings.remove(&self.id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicUsize, Ordering};
    use tracing::{Event, Metadata, Subscriber, span};

    struct Warnings(Arc<AtomicUsize>);

    impl Subscriber for Warnings {
        fn enabled(&self, metadata: &Metadata<'_>) -> bool {
            *metadata.level() <= tracing::Level::WARN
        }
        fn new_span(&self, _: &span::Attributes<'_>) -> span::Id {
            span::Id::from_u64(1)
        }
        fn record(&self, _: &span::Id, _: &span::Record<'_>) {}
        fn record_follows_from(&self, _: &span::Id, _: &span::Id) {}
        fn event(&self, _: &Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &span::Id) {}
        fn exit(&self, _: &span::Id) {}
    }

    #[tokio::test(start_paused = true)]
    async fn an_hour_without_redis_logs_at_most_seven_warnings() {
        let warnings = Arc::new(AtomicUsize::new(0));
        let _counting = tracing::subscriber::set_default(Warnings(Arc::clone(&warnings)));
        let redis = Redis::open("redis+unix:///nowhere/redis.sock").unwrap();
        let stop = CancellationToken::new();
        let following = Notifier::default().run(redis, "changes", stop.clone());
        let _hour = timeout(Duration::from_secs(3600), following).await;
        let lines = warnings.load(Ordering::Relaxed);
        assert!((1..=7).contains(&lines), "{lines} lines");
    }
}
