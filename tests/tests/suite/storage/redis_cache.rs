//! The cache on a real Redis: what it keeps, who owns a lock, and what an outage costs.

use privachat_core::{cache::Cache, connection::Redis, keys};
use privachat_tests::RedisServer;
use redis::AsyncCommands;
use std::time::Duration;
use tokio::time::Instant;

const MINUTE: Duration = Duration::from_secs(60);
/// How long one call may take while Redis is silent.
const MAX_WAIT_PER_CALL: Duration = Duration::from_millis(500);

fn cache(redis: &RedisServer) -> Cache {
    Cache::new(Redis::open(&redis.url()).unwrap())
}

#[tokio::test]
async fn bytes_are_cached_unchanged_for_their_lifetime() {
    let redis = RedisServer::start().await;
    let cache = cache(&redis);
    let key = keys::cached_page("a");
    let bytes = [0, 255, b'\r', b'\n', 128];
    assert_eq!(cache.get(&key).await, None);
    cache.put(&key, &bytes, MINUTE).await;
    assert_eq!(cache.get(&key).await.as_deref(), Some(&bytes[..]));
    let left: i64 = redis.connection().await.pttl(&key).await.unwrap();
    assert!((50_000..=60_000).contains(&left), "{left}");
    cache
        .put(&keys::cached_page("b"), &bytes, Duration::ZERO)
        .await;
    assert_eq!(cache.get(&keys::cached_page("b")).await, None);
}

#[tokio::test]
async fn a_lock_is_extended_and_released_by_its_holder_only() {
    let redis = RedisServer::start().await;
    let cache = cache(&redis);
    let mut connection = redis.connection().await;
    let key = keys::leader_lock("a");
    assert!(cache.lock(&key, "first", MINUTE).await);
    assert!(cache.lock(&key, "first", MINUTE).await, "asked again");
    assert!(!cache.lock(&key, "second", MINUTE).await);
    assert!(!cache.extend(&key, "second", MINUTE).await);
    cache.unlock(&key, "second").await;
    assert_eq!(cache.get(&key).await.as_deref(), Some(&b"first"[..]));

    assert!(cache.extend(&key, "first", 2 * MINUTE).await);
    let left: i64 = connection.pttl(&key).await.unwrap();
    assert!(left > 60_000, "{left}");
    cache.unlock(&key, "first").await;
    assert!(!cache.extend(&key, "first", MINUTE).await, "it is deleted");
    assert!(cache.lock(&key, "second", MINUTE).await);
}

#[tokio::test]
async fn a_silent_or_full_redis_is_a_miss_without_a_wait() {
    let mut redis = RedisServer::start().await;
    let cache = cache(&redis);
    let key = keys::cached_result("a");
    cache.put(&key, b"x", MINUTE).await;

    redis.pause();
    // The clock of the calls advances when all of them wait, however busy the machine is.
    tokio::time::pause();
    let start = Instant::now();
    assert_eq!(cache.get(&key).await, None);
    assert!(
        cache.lock(&keys::leader_lock("a"), "n", MINUTE).await,
        "no lock to wait for"
    );
    assert!(!cache.extend(&keys::leader_lock("a"), "n", MINUTE).await);
    let took = start.elapsed();
    let rounding = Duration::from_millis(10);
    assert!(took <= MAX_WAIT_PER_CALL * 3 + rounding, "{took:?}");
    tokio::time::resume();
    redis.resume();

    redis.fill(true).await;
    cache.put(&keys::cached_result("b"), b"x", MINUTE).await;
    assert_eq!(cache.get(&keys::cached_result("b")).await, None);
    assert_eq!(cache.get(&key).await.as_deref(), Some(&b"x"[..]));
    redis.fill(false).await;

    redis.kill();
    assert_eq!(cache.get(&key).await, None);
    redis.restart().await;
    cache.put(&key, b"again", MINUTE).await;
    assert_eq!(cache.get(&key).await.as_deref(), Some(&b"again"[..]));
}
