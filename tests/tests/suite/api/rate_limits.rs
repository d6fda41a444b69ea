//! Rate limits: the same across all APIs, announced in headers, and separate for each client.

use privachat_core::{connection::Redis, keys, rate_limit::RateLimit};
use privachat_tests::{Client, HttpResponse, RedisServer, Stack, binaries, eventually};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use std::num::NonZeroU32;
use std::time::Duration;

const ALICE: &str = "planted-api-key-of-alice";
const BOB: &str = "planted-api-key-of-bob";
/// Counted like any other path, and needs neither Redis nor the database.
const NOTHING: &str = "/api/v1/nothing";
const FIELDS: [&str; 4] = [
    "ratelimit-limit",
    "ratelimit-remaining",
    "ratelimit-reset",
    "ratelimit-policy",
];
const TIMEOUT: Duration = Duration::from_secs(10);

async fn limited(per_minute: u32, settings: &[(&str, &str)]) -> Stack {
    let mut builder = Stack::builder(binaries!())
        .workers(0)
        .api_env("API_RATE_LIMIT", per_minute);
    for (name, value) in settings {
        builder = builder.api_env(name, value);
    }
    builder.start().await
}

fn number_header(answer: &HttpResponse, name: &str) -> u64 {
    let text = answer
        .header(name)
        .unwrap_or_else(|| panic!("no {name} in {:?}", answer.headers));
    text.parse().unwrap()
}

fn assert_no_limit_headers(answer: &HttpResponse) {
    for field in FIELDS {
        assert_eq!(answer.header(field), None);
    }
}

/// One request with this `X-Forwarded-For`.
async fn get_from(client: &Client, forwarded: &str) -> HttpResponse {
    let request = client.request(Method::GET, NOTHING);
    client
        .send(request.header("X-Forwarded-For", forwarded))
        .await
}

async fn with_key(client: &Client, key: &str) -> HttpResponse {
    let request = client.request(Method::GET, NOTHING);
    client.send(request.bearer_auth(key)).await
}

async fn rate_limit(redis: &RedisServer, per_minute: u32) -> RateLimit {
    let per_minute = NonZeroU32::new(per_minute).unwrap();
    RateLimit::new(Redis::open(&redis.url()).unwrap(), per_minute)
}

/// The keys of all limits.
async fn limit_keys(redis: &RedisServer) -> Vec<String> {
    let mut connection = redis.connection().await;
    connection.keys(keys::rate_limit("*")).await.unwrap()
}

#[tokio::test]
async fn the_limit_of_a_minute_may_be_used_at_once_and_refusals_do_not_count() {
    let redis = RedisServer::start().await;
    for per_minute in [1, 7, 60] {
        let limit = rate_limit(&redis, per_minute).await;
        let caller = format!("caller of {per_minute}");
        // Waits are announced in whole milliseconds, rounded up.
        let interval = Duration::from_secs(60) / per_minute + Duration::from_millis(1);
        for expected in (0..per_minute).rev() {
            let allowance = limit.take(&caller).await.unwrap();
            assert_eq!(allowance.limit, per_minute);
            assert_eq!(allowance.remaining, expected);
            assert_eq!(allowance.retry_after, None);
            assert!(allowance.reset <= Duration::from_secs(60), "{allowance:?}");
        }
        let mut waits = Vec::new();
        for _ in 0..3 {
            let refused = limit.take(&caller).await.unwrap();
            assert_eq!(refused.remaining, 0);
            waits.push(refused.retry_after.expect("a refusal"));
        }
        assert!(waits.iter().all(|wait| *wait <= interval), "{waits:?}");
        assert!(waits.is_sorted_by(|one, next| one >= next), "{waits:?}");
    }
}

#[tokio::test]
async fn a_client_that_waits_as_told_gets_one_request_through() {
    let redis = RedisServer::start().await;
    let limit = rate_limit(&redis, 1200).await;
    let wait = loop {
        if let Some(wait) = limit.take("somebody").await.unwrap().retry_after {
            break wait;
        }
    };
    assert!(
        wait > Duration::ZERO && wait <= Duration::from_millis(50),
        "{wait:?}"
    );
    tokio::time::sleep(wait).await;
    let allowance = limit.take("somebody").await.unwrap();
    assert_eq!(allowance.retry_after, None, "after {wait:?}");
}

#[tokio::test]
async fn callers_are_counted_separately_without_names_and_forgotten_within_a_minute() {
    let redis = RedisServer::start().await;
    let limit = rate_limit(&redis, 10).await;
    for caller in ["key alice", "address 192.0.2.1", "address 2001:db8::"] {
        for expected in [9, 8] {
            let allowance = limit.take(caller).await.unwrap();
            assert_eq!(allowance.remaining, expected, "{caller}");
        }
    }
    let kept = limit_keys(&redis).await;
    assert_eq!(kept.len(), 3, "{kept:?}");
    let mut connection = redis.connection().await;
    for key in kept {
        assert!(!key.contains("alice") && !key.contains("192"), "{key}");
        let ttl: i64 = connection.pttl(&key).await.unwrap();
        assert!((1..=60_000).contains(&ttl), "{ttl}");
    }
}

#[tokio::test]
async fn a_clock_that_was_set_back_locks_no_client_out_for_longer_than_the_limit() {
    let redis = RedisServer::start().await;
    let limit = rate_limit(&redis, 60).await;
    limit.take("somebody").await.unwrap();
    let key = limit_keys(&redis).await.remove(0);
    let mut connection = redis.connection().await;
    let due: f64 = connection.get(&key).await.unwrap();
    let () = connection.set(&key, due + 86_400_000.0).await.unwrap();
    let wait = limit.take("somebody").await.unwrap().retry_after.unwrap();
    assert!(wait <= Duration::from_secs(1), "{wait:?}");
}

#[tokio::test]
async fn two_apis_share_one_limit_and_report_the_rest() {
    let stack = limited(10, &[]).await;
    let other = stack.start_api().await;
    let both = [stack.client(), other.client()];
    for (left, client) in (0..10).rev().zip(both.iter().cycle()) {
        let answer = client.get(NOTHING).await;
        assert_eq!(answer.status, 404);
        assert_eq!(number_header(&answer, "ratelimit-limit"), 10);
        assert_eq!(number_header(&answer, "ratelimit-remaining"), left);
        let reset = number_header(&answer, "ratelimit-reset");
        assert!((1..=60).contains(&reset), "{reset}");
        assert_eq!(answer.header("ratelimit-policy"), Some("10;w=60"));
    }
    for client in both {
        let refused = client.get(NOTHING).await;
        assert_eq!(refused.expect(429)["error"], "rate_limited");
        assert_eq!(number_header(&refused, "ratelimit-remaining"), 0);
        let wait = number_header(&refused, "retry-after");
        assert!((1..=6).contains(&wait), "{wait}");
        let search = client.post_search(json!({"query": "x"})).await;
        assert_eq!(search.expect(429)["error"], "rate_limited");
    }
}

#[tokio::test]
async fn a_request_after_retry_after_succeeds() {
    let stack = limited(60, &[]).await;
    let client = stack.client();
    let refused = eventually("the allowance is used up", TIMEOUT, async || {
        Some(client.get(NOTHING).await).filter(|answer| answer.status == 429)
    })
    .await;
    let wait = number_header(&refused, "retry-after");
    assert_eq!(wait, 1);
    tokio::time::sleep(Duration::from_secs(wait)).await;
    assert_eq!(client.get(NOTHING).await.status, 404);
}

#[tokio::test]
async fn each_key_has_a_limit_of_its_own_and_guessing_is_limited_by_address() {
    let keys = format!("alice:{ALICE}, bob:{BOB}");
    let stack = limited(6, &[("API_KEYS", &keys)]).await;
    let client = stack.client();
    for left in (0..6).rev() {
        let answer = with_key(client, ALICE).await;
        assert_eq!(answer.status, 404);
        assert_eq!(number_header(&answer, "ratelimit-remaining"), left);
    }
    with_key(client, ALICE).await.expect(429);
    assert_eq!(with_key(client, BOB).await.status, 404);

    // Unknown keys, missing keys and failed sign-ins, all from one address.
    let sign_in = || {
        let request = client.request(Method::POST, "/api/v1/sign-in");
        client.send(request.json(&json!({"key": "a key that is a guess"})))
    };
    for left in [4, 2, 0] {
        with_key(client, "a key that is a guess").await.expect(401);
        let refused = sign_in().await;
        assert_eq!(refused.expect(401)["error"], "unauthorized");
        assert_eq!(number_header(&refused, "ratelimit-remaining"), left);
    }
    sign_in().await.expect(429);
    with_key(client, "another guess, perhaps").await.expect(429);
    client.get(NOTHING).await.expect(429);
    // A client with a key is not limited by guessers from the same address.
    assert_eq!(with_key(client, BOB).await.status, 404);
}

#[tokio::test]
async fn probes_pages_and_documents_are_not_limited() {
    let stack = limited(1, &[]).await;
    let client = stack.client();
    let free = [
        "/",
        "/livez",
        "/readyz",
        "/api/v1/health",
        "/queue",
        "/sign-in",
        "/s/9117064c-2f4b-4f5b-8c43-6f1c4be3b9a5",
        "/assets/app.js",
        "/api/docs/",
        "/api/openapi.json",
        "/metrics",
    ];
    for path in free.iter().cycle().take(2 * free.len()) {
        let answer = client.get(path).await;
        assert_ne!(answer.status, 429, "{path}");
        assert_no_limit_headers(&answer);
    }
    assert_eq!(limit_keys(&stack.redis).await, [""; 0]);
    assert_eq!(client.get(NOTHING).await.status, 404);
    client.get("/no-page").await.expect(429);
}

#[tokio::test]
async fn without_the_setting_nothing_is_counted_or_reported() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let answer = stack.client().get(NOTHING).await;
    assert_eq!(answer.status, 404);
    assert_no_limit_headers(&answer);
    assert_eq!(limit_keys(&stack.redis).await, [""; 0]);
}

#[tokio::test]
async fn only_trusted_proxies_may_name_the_address_of_a_client() {
    let open = limited(10, &[]).await;
    for left in [9, 8, 7] {
        let answer = get_from(open.client(), &format!("203.0.113.{left}")).await;
        assert_eq!(number_header(&answer, "ratelimit-remaining"), left);
    }

    let trusted = [("API_TRUSTED_PROXIES", "10.0.0.0/8, 127.0.0.1, ::1")];
    let behind = limited(10, &trusted).await;
    for (forwarded, left) in [
        ("203.0.113.1", 9),
        ("203.0.113.2", 9),
        ("203.0.113.1", 8),
        ("198.51.100.7, 203.0.113.1", 7),
        ("203.0.113.1, 10.1.1.1", 6),
        ("203.0.113.1:4711", 5),
        ("2001:db8:1:2::1", 9),
        ("2001:db8:1:2:ffff::1", 8),
        ("2001:db8:1:3::1", 9),
        // A request of the proxy itself.
        ("", 9),
        ("127.0.0.1", 8),
    ] {
        let answer = get_from(behind.client(), forwarded).await;
        assert_eq!(
            number_header(&answer, "ratelimit-remaining"),
            left,
            "{forwarded}"
        );
    }
}

/// How long a request may wait for the limit while Redis is silent.
const MAX_REDIS_WAIT: Duration = Duration::from_millis(250);

#[tokio::test]
async fn a_silent_redis_delays_a_request_by_a_quarter_of_a_second() {
    let mut redis = RedisServer::start().await;
    let limit = rate_limit(&redis, 10).await;
    limit.take("somebody").await.unwrap();
    redis.pause();
    // The clock of the calls advances when all of them wait, however busy the machine is.
    tokio::time::pause();
    let begun = tokio::time::Instant::now();
    for times in 1..=4 {
        assert!(limit.take("somebody").await.is_none());
        let rounding = Duration::from_millis(10);
        let took = begun.elapsed();
        assert!(took <= MAX_REDIS_WAIT * times + rounding, "{took:?}");
    }
    tokio::time::resume();
    redis.resume();
}

#[tokio::test]
async fn without_redis_requests_are_unlimited_and_one_log_line_says_so() {
    let mut stack = limited(2, &[]).await;
    assert_eq!(
        number_header(&stack.client().get(NOTHING).await, "ratelimit-remaining"),
        1
    );
    stack.redis.pause();
    for _ in 0..4 {
        let answer = stack.client().get(NOTHING).await;
        assert_eq!(answer.status, 404);
        assert_no_limit_headers(&answer);
    }
    stack.redis.resume();
    stack.redis.kill();
    for _ in 0..4 {
        let answer = stack.client().get("/api/v1/sessions").await;
        answer.expect(200);
        assert_no_limit_headers(&answer);
    }
    stack.redis.restart().await;
    let client = stack.client().clone();
    eventually("requests are counted again", TIMEOUT, async || {
        client
            .get(NOTHING)
            .await
            .header("ratelimit-limit")
            .map(|_| ())
    })
    .await;
    let log = stack.api.process().output();
    assert_eq!(log.matches("requests are not limited").count(), 1, "{log}");
    assert_eq!(
        log.matches("the rate limit holds again").count(),
        1,
        "{log}"
    );
}

#[tokio::test]
async fn a_page_of_an_allowed_origin_may_read_the_limit() {
    let stack = limited(1, &[("CORS_ORIGINS", "http://x.test")]).await;
    let client = stack.client();
    let ask = |method: Method| {
        let request = client.request(method, NOTHING);
        let request = request.header("Access-Control-Request-Method", "GET");
        client.send(request.header("Origin", "http://x.test"))
    };
    // A preflight counts for no client.
    assert_no_limit_headers(&ask(Method::OPTIONS).await);
    for status in [404, 429] {
        let answer = ask(Method::GET).await;
        assert_eq!(answer.status, status);
        let exposed = answer.header("access-control-expose-headers").unwrap();
        for field in FIELDS.into_iter().chain(["retry-after"]) {
            assert!(exposed.contains(field), "{field} is not in {exposed}");
        }
        let origin = answer.header("access-control-allow-origin");
        assert_eq!(origin, Some("http://x.test"));
    }
}
