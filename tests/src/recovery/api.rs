//! An API that dies while it accepts a search, and messages that arrive too late.

use super::{AT_ONCE, Row, Scenario, found_after, patient_question, row, url_through};
use crate::fixtures::{question, searxng_hanging_first, wait_until_idle};
use crate::{Client, Proxy, RedisServer, Stack, eventually};
use ::redis::AsyncCommands;
use reqwest::{Method, RequestBuilder};
use serde_json::json;
use std::time::{Duration, Instant};

pub const ROWS: [Row; 3] = [
    KILLED_BEFORE_THE_RECORD,
    KILLED_BEFORE_QUEUEING,
    CANCEL_LOST,
];

pub const KILLED_BEFORE_THE_RECORD: Row = row!(
    "API killed before the record, same key again",
    |_| AT_ONCE,
    killed_before_the_record
);
pub const KILLED_BEFORE_QUEUEING: Row = row!(
    "API killed between record and queue entry",
    |_| Duration::from_secs(6),
    killed_before_queueing
);
pub const CANCEL_LOST: Row = row!(
    "cancel message lost",
    // The next heartbeat brings the news.
    |lease| lease / 3 + AT_ONCE,
    cancel_lost
);

fn keyed(client: &Client) -> RequestBuilder {
    let mut request = question();
    request["async_mode"] = json!(true);
    client
        .request(Method::POST, "/api/v1/search")
        .header("Idempotency-Key", "the-same")
        .json(&request)
}

/// The client gives up without an answer.
async fn times_out(client: &Client) {
    let answer = keyed(client)
        .timeout(Duration::from_millis(500))
        .send()
        .await;
    assert!(answer.is_err_and(|error| error.is_timeout()));
}

async fn records(stack: &Stack) -> Vec<String> {
    let mut redis = stack.redis.connection().await;
    redis.keys("search_job:*").await.expect("the keys")
}

/// Measured from the second try, at another API.
async fn killed_before_the_record(scenario: Scenario) -> Duration {
    let web = found_after(Duration::ZERO);
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let mut stack = scenario
        .builder(&web)
        .on_redis(redis)
        .api_env("REDIS_URL", url_through(&proxy))
        .start()
        .await;
    proxy.black_hole(true);
    times_out(stack.client()).await;
    stack.api.process().kill();
    proxy.cut();
    proxy.black_hole(false);
    assert_eq!(records(&stack).await, [""; 0]);

    stack.replace_api().await;
    let since = Instant::now();
    let accepted = stack.client().send(keyed(stack.client())).await.expect(200);
    let id = accepted["session_id"]
        .as_str()
        .expect("a session_id")
        .to_owned();
    let (took, end) = scenario.completed(&stack, &id, since).await;
    assert_eq!(end["attempt"], 1);
    assert_eq!(records(&stack).await.len(), 1);
    assert_eq!(web.calls(), 1);
    wait_until_idle(&stack).await;
    took
}

/// The API dies while the reply to the record is on its way, so the queue entry is never written.
/// Measured from the kill.
async fn killed_before_queueing(scenario: Scenario) -> Duration {
    let web = found_after(Duration::ZERO);
    let redis = RedisServer::tcp().await;
    let proxy = Proxy::start(redis.address());
    let mut stack = scenario
        .builder(&web)
        .on_redis(redis)
        .api_env("REDIS_URL", url_through(&proxy))
        .start()
        .await;
    // Longer than it takes to see the record and to kill the API.
    proxy.latency(Duration::from_secs(1));
    let client = stack.client().clone();
    let posting = tokio::spawn(async move { keyed(&client).send().await.is_ok() });
    let record = eventually("the record is there", scenario.timeout(), async || {
        records(&stack).await.pop()
    })
    .await;
    stack.api.process().kill();
    let since = Instant::now();
    assert!(!posting.await.expect("the client"), "it got no answer");
    let mut redis = stack.redis.connection().await;
    let hinted: bool = redis
        .exists("{search}:pending:speed")
        .await
        .expect("a number");
    assert!(!hinted, "the API was killed too late");
    proxy.cut();
    proxy.latency(Duration::ZERO);

    let id = record
        .strip_prefix("search_job:")
        .expect("an id")
        .to_owned();
    stack.replace_api().await;
    let (took, end) = scenario.completed(&stack, &id, since).await;
    assert_eq!(end["attempt"], 1);
    let again = stack.client().send(keyed(stack.client())).await.expect(200);
    assert_eq!(again["session_id"], id.as_str());
    assert_eq!((records(&stack).await.len(), web.calls()), (1, 1));
    wait_until_idle(&stack).await;
    took
}

/// The worker may not subscribe to the channel. Measured from the DELETE until the worker has hung
/// up on the engine.
async fn cancel_lost(scenario: Scenario) -> Duration {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let redis = RedisServer::tcp().await;
    let mut connection = redis.connection().await;
    let () = ::redis::cmd("ACL")
        .arg(&["SETUSER", "deaf", "on", ">word", "~*", "+@all"])
        .arg(&["resetchannels", "&search:changed"])
        .query_async(&mut connection)
        .await
        .expect("a user");
    let address = format!("redis://deaf:word@{}/0", redis.address());
    let stack = scenario
        .builder(&searxng)
        .on_redis(redis)
        .worker_env("REDIS_URL", address)
        .start()
        .await;
    let id = stack.client().enqueue(patient_question()).await;
    searxng.wait_for_calls(1).await;
    let since = Instant::now();
    let path = format!("/api/v1/search/{id}");
    let hung_up = eventually("the worker hangs up", scenario.timeout(), async || {
        (searxng.abandoned() == 1).then(|| since.elapsed())
    });
    let (answer, took) = tokio::join!(stack.client().delete(&path), hung_up);
    assert!((200..300).contains(&answer.status), "{}", answer.text);
    let end = stack.client().wait_terminal(&id).await;
    assert_eq!(end["cancelled"], true, "{end}");
    wait_until_idle(&stack).await;
    took
}
