//! Best-effort single flight across workers: a Redis lock elects the leader of equal searches, and
//! a cache entry passes its result to the followers. If Redis fails, each search runs by itself.

use super::cache_entry::CacheEntry;
use crate::pipeline::{Deadline, Outcome};
use privachat_core::{cache::Cache, keys};
use std::time::Duration;
use tracing::Instrument;
use uuid::Uuid;

/// Life of the lock: followers notice the loss of the leader's worker after this time at the
/// latest.
const LOCK_TTL: Duration = Duration::from_secs(4);
/// Renewal interval: one renewal in three may be lost or late.
const LOCK_RENEWAL_INTERVAL: Duration = Duration::from_millis(1300);
const LOCK_POLL_INTERVAL: Duration = Duration::from_millis(200);
/// Shortest life of a cache entry: followers need time to read it.
const MIN_ENTRY_TTL: Duration = Duration::from_secs(10);

/// Reads and writes the locks and cache entries.
pub(super) struct Coordinator {
    cache: Cache,
    ttl: Duration,
}

/// The role of this worker in a search.
pub(super) enum RunRole {
    /// This worker leads.
    Leader(LeaderLock),
    /// The leader has the lock with this nonce.
    Follower(String),
    /// The leader has just released its lock.
    Unknown,
}

/// The leader's lock; released on drop.
pub(super) struct LeaderLock {
    cache: Cache,
    ttl: Duration,
    digest: String,
    nonce: String,
    is_published: bool,
}

impl Coordinator {
    pub(super) fn new(cache: Cache, ttl: Duration) -> Self {
        Self { cache, ttl }
    }

    /// The outcome of a fresh cache entry.
    pub(super) async fn cached(&self, digest: &str) -> Option<Outcome> {
        if self.ttl.is_zero() {
            return None;
        }
        let entry = self.entry(digest).await?;
        entry.is_usable(self.ttl).then(|| entry.into_outcome())
    }

    /// Tries to become the leader.
    pub(super) async fn try_lead(&self, digest: &str) -> RunRole {
        let nonce = Uuid::new_v4().to_string();
        let key = keys::leader_lock(digest);
        if self.cache.lock(&key, &nonce, LOCK_TTL).await {
            return RunRole::Leader(LeaderLock {
                cache: self.cache.clone(),
                ttl: self.ttl,
                digest: digest.to_owned(),
                nonce,
                is_published: false,
            });
        }
        self.current_leader(&key)
            .await
            .map_or(RunRole::Unknown, RunRole::Follower)
    }

    /// Waits for the leader's outcome, for half of the remaining time, since its worker may be
    /// lost. `None` when this worker is no follower, or the leader left no outcome in time.
    pub(super) async fn await_leader(
        &self,
        digest: &str,
        seat: &RunRole,
        deadline: Deadline,
    ) -> Option<Outcome> {
        let RunRole::Follower(nonce) = seat else {
            return None;
        };
        let key = keys::leader_lock(digest);
        let patience = deadline.at_most(deadline.remaining() / 2);
        let gone = async {
            while self.current_leader(&key).await.as_ref() == Some(nonce) {
                tokio::time::sleep(LOCK_POLL_INTERVAL).await;
            }
        };
        patience.limit(gone).await?;
        let entry = self.entry(digest).await?;
        (entry.run == *nonce).then(|| entry.into_outcome())
    }

    async fn current_leader(&self, key: &str) -> Option<String> {
        let nonce = self.cache.get(key).await?;
        String::from_utf8(nonce.to_vec()).ok()
    }

    async fn entry(&self, digest: &str) -> Option<CacheEntry> {
        CacheEntry::parse(&self.cache.get(&keys::cached_result(digest)).await?)
    }
}

impl RunRole {
    /// Runs `work`; the leader renews its lock meanwhile.
    pub(super) async fn renew_while<F: Future>(&self, work: F) -> F::Output {
        let Self::Leader(held) = self else {
            return work.await;
        };
        let key = keys::leader_lock(&held.digest);
        let extending = async {
            loop {
                tokio::time::sleep(LOCK_RENEWAL_INTERVAL).await;
                held.cache.extend(&key, &held.nonce, LOCK_TTL).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = extending => std::future::pending().await,
        }
    }

    /// Publishes the leader's outcome in the background: for followers, and for later searches if
    /// it is complete.
    pub(super) fn publish(self, outcome: &Outcome, is_degraded: bool) {
        let Self::Leader(mut held) = self else {
            return;
        };
        let entry = CacheEntry::from_outcome(outcome, held.nonce.clone(), is_degraded);
        let Ok(bytes) = serde_json::to_vec(&entry) else {
            return;
        };
        held.is_published = true;
        let (cache, ttl) = (held.cache.clone(), held.ttl.max(MIN_ENTRY_TTL));
        let (digest, nonce) = (held.digest.clone(), held.nonce.clone());
        let leave = async move {
            cache.put(&keys::cached_result(&digest), &bytes, ttl).await;
            // Last, since followers read the cache entry as soon as the lock is gone.
            cache.unlock(&keys::leader_lock(&digest), &nonce).await;
        };
        tokio::spawn(leave.in_current_span());
    }
}

impl Drop for LeaderLock {
    fn drop(&mut self) {
        if self.is_published {
            return;
        }
        let (cache, nonce) = (self.cache.clone(), self.nonce.clone());
        let key = keys::leader_lock(&self.digest);
        // Without a runtime, at the end of the process, the lock expires by itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { cache.unlock(&key, &nonce).await });
        }
    }
}
