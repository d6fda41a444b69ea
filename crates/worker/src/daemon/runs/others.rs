//! The same question in other workers: a lock says who is on it, an entry what came of it. All of it
//! may be lost; then a search runs for itself.

use super::entry::Entry;
use crate::pipeline::{Deadline, Outcome};
use privachat_core::{cache::Cache, keys};
use std::time::Duration;
use tracing::Instrument;
use uuid::Uuid;

/// How long those who wait do not notice that a worker is dead.
const LOCKED: Duration = Duration::from_secs(4);
/// One extension in three may be lost or late.
const EXTENDED: Duration = Duration::from_millis(1300);
const LOOK_AGAIN: Duration = Duration::from_millis(200);
/// How long an answer is there for those who waited for it.
const FOR_THE_WAITING: Duration = Duration::from_secs(10);

/// What workers know of each other's searches.
pub(super) struct Others {
    cache: Cache,
    ttl: Duration,
}

/// Who is on a question: we, or the one of this nonce.
pub(super) enum Seat {
    Ours(Held),
    Theirs(String),
    /// Somebody who has just gone.
    Unknown,
}

/// Our lock on a question; given back when dropped.
pub(super) struct Held {
    cache: Cache,
    ttl: Duration,
    digest: String,
    nonce: String,
    is_left: bool,
}

impl Others {
    pub(super) fn new(cache: Cache, ttl: Duration) -> Self {
        Self { cache, ttl }
    }

    /// An answer that is fresh enough.
    pub(super) async fn kept(&self, digest: &str) -> Option<Outcome> {
        if self.ttl.is_zero() {
            return None;
        }
        let entry = self.entry(digest).await?;
        entry.serves(self.ttl).then(|| entry.outcome())
    }

    /// Takes the question, unless somebody has it.
    pub(super) async fn take(&self, digest: &str) -> Seat {
        let nonce = Uuid::new_v4().to_string();
        let key = keys::running(digest);
        if self.cache.lock(&key, &nonce, LOCKED).await {
            return Seat::Ours(Held {
                cache: self.cache.clone(),
                ttl: self.ttl,
                digest: digest.to_owned(),
                nonce,
                is_left: false,
            });
        }
        self.holder(&key).await.map_or(Seat::Unknown, Seat::Theirs)
    }

    /// Waits for the answer of whoever has the question: for half of the time that there is, since
    /// they may be dead. `None` when there is none, and nobody to wait for.
    pub(super) async fn answer_of(
        &self,
        digest: &str,
        seat: &Seat,
        deadline: Deadline,
    ) -> Option<Outcome> {
        let Seat::Theirs(nonce) = seat else {
            return None;
        };
        let key = keys::running(digest);
        let patience = deadline.within(deadline.remaining() / 2);
        let gone = async {
            while self.holder(&key).await.as_ref() == Some(nonce) {
                tokio::time::sleep(LOOK_AGAIN).await;
            }
        };
        patience.cut(gone).await?;
        let entry = self.entry(digest).await?;
        (entry.run == *nonce).then(|| entry.outcome())
    }

    async fn holder(&self, key: &str) -> Option<String> {
        let nonce = self.cache.get(key).await?;
        String::from_utf8(nonce.to_vec()).ok()
    }

    async fn entry(&self, digest: &str) -> Option<Entry> {
        Entry::read(&self.cache.get(&keys::answer(digest)).await?)
    }
}

impl Seat {
    /// Runs `work` and keeps the lock, if it is ours, for as long.
    pub(super) async fn hold<F: Future>(&self, work: F) -> F::Output {
        let Self::Ours(held) = self else {
            return work.await;
        };
        let key = keys::running(&held.digest);
        let extending = async {
            loop {
                tokio::time::sleep(EXTENDED).await;
                held.cache.extend(&key, &held.nonce, LOCKED).await;
            }
        };
        tokio::select! {
            done = work => done,
            () = extending => std::future::pending().await,
        }
    }

    /// Leaves the outcome to those who wait, and to later ones if it is good. Nobody waits for it.
    pub(super) fn leave(self, outcome: &Outcome, is_degraded: bool) {
        let Self::Ours(mut held) = self else {
            return;
        };
        let entry = Entry::of(outcome, held.nonce.clone(), is_degraded);
        let Ok(bytes) = serde_json::to_vec(&entry) else {
            return;
        };
        held.is_left = true;
        let (cache, ttl) = (held.cache.clone(), held.ttl.max(FOR_THE_WAITING));
        let (digest, nonce) = (held.digest.clone(), held.nonce.clone());
        let leave = async move {
            cache.put(&keys::answer(&digest), &bytes, ttl).await;
            // Only now: who waits looks for the answer once the lock is gone.
            cache.unlock(&keys::running(&digest), &nonce).await;
        };
        tokio::spawn(leave.in_current_span());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if self.is_left {
            return;
        }
        let (cache, nonce) = (self.cache.clone(), self.nonce.clone());
        let key = keys::running(&self.digest);
        // At the end of the process there is nobody to do it: then the lock runs out.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move { cache.unlock(&key, &nonce).await });
        }
    }
}
