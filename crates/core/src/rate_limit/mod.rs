//! [`RateLimit`]: a limit of requests per caller, counted in Redis and so shared by all processes.

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

/// The bound for Redis. Every request waits for this call before it is served.
const REDIS_TIMEOUT: Duration = Duration::from_millis(250);

/// A number of requests a minute for each caller. After an idle minute a caller may send all of
/// them at once; then the allowance returns evenly, one request at a time. Clones share the limit.
///
/// It fails open: without an answer of Redis no request is limited.
#[derive(Clone)]
pub struct RateLimit {
    redis: Redis,
    per_minute: NonZeroU32,
    script: Arc<Script>,
    /// Whether the last call failed, so that an outage is logged once.
    is_failing: Arc<AtomicBool>,
}

/// The state of a caller's limit after a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Allowance {
    /// Requests a minute.
    pub limit: u32,
    /// Requests that the caller may still send at once.
    pub remaining: u32,
    /// The time until `remaining` equals `limit` again, without further requests.
    pub reset: Duration,
    /// Set if the request is refused: the time until the next may pass. Refused requests do not
    /// count.
    pub retry_after: Option<Duration>,
}

impl RateLimit {
    /// Creates a limit that all users of this Redis share.
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
            is_failing: Arc::default(),
        }
    }

    /// Requests a minute.
    #[must_use]
    pub fn per_minute(&self) -> u32 {
        self.per_minute.get()
    }

    /// Counts one request of `caller`, which may be any text. `None` if Redis does not answer in
    /// time.
    pub async fn take(&self, caller: &str) -> Option<Allowance> {
        let mut call = self.script.prepare_invoke();
        call.key(keys::rate_limit(&caller_digest(caller)))
            .arg(self.per_minute.get())
            .arg(millis(WINDOW));
        let call = &call;
        // Sent once: a repeat would count twice.
        let answer = self
            .redis
            .run_once(|mut link| async move { call.invoke_async(&mut link).await });
        let answered = tokio::time::timeout(REDIS_TIMEOUT, answer).await;
        let answer = answered.unwrap_or_else(|_elapsed| Err(timed_out()));
        let (passes, remaining, reset, wait) = self.log_outcome(answer)?;
        Some(Allowance {
            limit: self.per_minute.get(),
            remaining,
            reset: Duration::from_millis(reset),
            retry_after: (passes == 0).then(|| Duration::from_millis(wait)),
        })
    }

    fn log_outcome(&self, answer: RedisResult<(u8, u32, u64, u64)>) -> Option<(u8, u32, u64, u64)> {
        match answer {
            Ok(answer) => {
                if self.is_failing.swap(false, Ordering::Relaxed) {
                    tracing::info!("the rate limit holds again");
                }
                Some(answer)
            }
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(%error, "requests are not limited: Redis does not count them");
                }
                None
            }
        }
    }
}

/// Keeps names and addresses out of Redis, where many can read them. Half of a SHA-256 is enough to
/// distinguish callers.
fn caller_digest(caller: &str) -> String {
    let digest = Sha256::digest(caller);
    let half = digest.iter().take(16);
    half.map(|byte| format!("{byte:02x}")).collect()
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
