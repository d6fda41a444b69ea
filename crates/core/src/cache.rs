//! A best-effort cache in Redis, with locks. No job depends on it: a failed read counts as a miss,
//! and a failed write is dropped.

use crate::connection::{Redis, timed_out};
use bytes::Bytes;
use redis::{FromRedisValue, RedisResult, Script};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

/// Succeeds again for the holder: after a lost reply the client repeats the call.
const LOCK_SCRIPT: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
if redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 1 end
return 0";
const EXTEND_SCRIPT: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 0";
const UNLOCK_SCRIPT: &str = "if redis.call('GET', KEYS[1]) == ARGV[1] then
    return redis.call('DEL', KEYS[1])
end
return 0";

/// The cache must never slow a search down: a slower call counts as failed.
const CALL_TIMEOUT: Duration = Duration::from_millis(500);

/// A cache in Redis. Clones share its connections.
#[derive(Clone)]
pub struct Cache {
    redis: Redis,
    /// Whether the last call failed, so that an outage is logged once.
    is_failing: Arc<AtomicBool>,
}

impl Cache {
    /// Creates a cache in `redis`.
    #[must_use]
    pub fn new(redis: Redis) -> Self {
        Self {
            redis,
            is_failing: Arc::default(),
        }
    }

    /// The value of `key`; `None` also when Redis fails.
    pub async fn get(&self, key: &str) -> Option<Bytes> {
        let mut command = redis::cmd("GET");
        command.arg(key);
        let found: Option<Option<Vec<u8>>> = self.run_and_log(self.redis.query(&command)).await;
        found.flatten().map(Bytes::from)
    }

    /// Stores `value` under `key` for `ttl`; does nothing if `ttl` is zero.
    pub async fn put(&self, key: &str, value: &[u8], ttl: Duration) {
        if ttl.is_zero() {
            return;
        }
        let mut command = redis::cmd("SET");
        command.arg(key).arg(value).arg("PX").arg(millis(ttl));
        let _kept: Option<()> = self.run_and_log(self.redis.query(&command)).await;
    }

    /// Takes the lock `key` for the holder `nonce`. Returns whether it was taken; also `true` when
    /// Redis fails, because then no other holder can be awaited.
    pub async fn lock(&self, key: &str, nonce: &str, ttl: Duration) -> bool {
        let taken = self.run_script(LOCK_SCRIPT, key, nonce, ttl).await;
        taken.is_none_or(|taken: u8| taken == 1)
    }

    /// Renews the lock for `ttl` from now. Returns whether `nonce` still held it.
    pub async fn extend(&self, key: &str, nonce: &str, ttl: Duration) -> bool {
        self.run_script(EXTEND_SCRIPT, key, nonce, ttl).await == Some(1)
    }

    /// Releases the lock if `nonce` holds it.
    pub async fn unlock(&self, key: &str, nonce: &str) {
        let _freed: Option<u8> = self
            .run_script(UNLOCK_SCRIPT, key, nonce, Duration::ZERO)
            .await;
    }

    async fn run_script<T>(&self, script: &str, key: &str, nonce: &str, ttl: Duration) -> Option<T>
    where
        T: FromRedisValue,
    {
        let script = Script::new(script);
        let mut call = script.prepare_invoke();
        call.key(key).arg(nonce).arg(millis(ttl));
        let call = &call;
        let answer = self
            .redis
            .run(|mut link| async move { call.invoke_async(&mut link).await });
        self.run_and_log(answer).await
    }

    async fn run_and_log<T>(&self, answer: impl Future<Output = RedisResult<T>>) -> Option<T> {
        let answered = tokio::time::timeout(CALL_TIMEOUT, answer).await;
        match answered.unwrap_or_else(|_elapsed| Err(timed_out())) {
            Ok(value) => {
                self.is_failing.store(false, Ordering::Relaxed);
                Some(value)
            }
            Err(error) => {
                if !self.is_failing.swap(true, Ordering::Relaxed) {
                    tracing::warn!(error = %error, "the cache in Redis is not available; searches run without it");
                }
                None
            }
        }
    }
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
