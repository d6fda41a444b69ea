//! How many requests somebody may send, counted in Redis and so for all processes together.

use crate::{
    connection::{Redis, timed_out},
    keys,
};
use redis::{RedisResult, Script};
use sha2::{Digest, Sha256};
use std::{
    num::NonZeroU32,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

const WINDOW: Duration = Duration::from_secs(60);

/// How long Redis may take. Every request waits for this answer before it is served.
const PATIENCE: Duration = Duration::from_millis(250);

/// A number of requests a minute for each caller. Somebody who was quiet for a minute may send all of
/// them at once; then they come back evenly, one by one. Clones are the same limit.
///
/// Without an answer of Redis there is no limit: a service that is there for everybody is worth more
/// than one that is there for nobody.
#[derive(Clone)]
pub struct RateLimit {
    redis: Redis,
    per_minute: NonZeroU32,
    script: Arc<Script>,
    /// Whether the last call failed: an outage is logged once.
    is_away: Arc<AtomicBool>,
}

/// What a caller may do after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute.
    pub limit: u32,
    /// Requests that may follow at once.
    pub remaining: u32,
    /// Until `remaining` is `limit` again, if nothing is sent meanwhile.
    pub reset: Duration,
    /// The request is one too many; the next may come after this time. Refused requests do not count.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    /// A limit that everybody who uses this Redis shares.
    #[must_use]
    pub fn new(redis: Redis, per_minute: NonZeroU32) -> Self {
        let script = Script::new(concat!(
            include_str!("../jobs/scripts/clock.lua"),
            include_str!("take.lua")
        ));
        Self {
            redis,
            per_minute,
            script: Arc::new(script),
            is_away: Arc::default(),
        }
    }

    /// Requests a minute.
    #[must_use]
    pub fn per_minute(&self) -> u32 {
        self.per_minute.get()
    }

    /// Counts one request of `caller`, whom any text may name. None when Redis does not answer in time.
    pub async fn take(&self, caller: &str) -> Option<Allowance> {
        let mut call = self.script.prepare_invoke();
        call.key(keys::limit(&digest(caller)))
            .arg(self.per_minute.get())
            .arg(millis(WINDOW));
        let call = &call;
        // Once: a repeat would count twice.
        let answer = self
            .redis
            .run_once(|mut link| async move { call.invoke_async(&mut link).await });
        let answered = tokio::time::timeout(PATIENCE, answer).await;
        let answer = answered.unwrap_or_else(|_elapsed| Err(timed_out()));
        let (passes, remaining, reset, wait) = self.noted(answer)?;
        Some(Allowance {
            limit: self.per_minute.get(),
            remaining,
            reset: Duration::from_millis(reset),
            retry_after: (passes == 0).then(|| Duration::from_millis(wait)),
        })
    }

    fn noted(&self, answer: RedisResult<(u8, u32, u64, u64)>) -> Option<(u8, u32, u64, u64)> {
        match answer {
            Ok(answer) => {
                if self.is_away.swap(false, Ordering::Relaxed) {
                    tracing::info!("the rate limit holds again");
                }
                Some(answer)
            }
            Err(error) => {
                if !self.is_away.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "requests are not limited: Redis does not count them");
                }
                None
            }
        }
    }
}

/// Names and addresses do not stand in Redis, where many can read; half of a SHA-256 is enough to
/// tell callers apart.
fn digest(caller: &str) -> String {
    let digest = Sha256::digest(caller);
    let half = digest.iter().take(16);
    half.map(|byte| format!("{byte:02x}")).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
