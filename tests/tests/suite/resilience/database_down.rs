//! The history database fails at the start and later: every answer is delivered, and every session
//! is stored in the end.

use std::time::Duration;

use privachat_tests::fixtures::{gather_results, question, wait_for_status, wait_until_idle};
use privachat_tests::upstream::searxng;
use privachat_tests::{PostgresServer, Proxy, Stack, binaries, eventually};
use redis::AsyncCommands;
use serde_json::Value;

const TIMEOUT: Duration = Duration::from_secs(20);
/// A refused write is retried within this time.
const CATCH_UP_TIMEOUT: Duration = Duration::from_secs(40);

/// The address of a new database, through a proxy.
async fn database(server: &PostgresServer) -> (String, Proxy) {
    let direct = server.database();
    let (_, rest) = direct.split_once('@').expect("user@host");
    let (address, name) = rest.split_once('/').expect("host/name");
    let proxy = Proxy::start(address);
    let url = format!("postgres://privachat:secret@{}/{name}", proxy.address());
    (url, proxy)
}

async fn session(stack: &Stack, id: &str) -> Value {
    stack
        .client()
        .get(&format!("/api/v1/sessions/{id}"))
        .await
        .expect(200)
}

async fn unsaved(stack: &Stack) -> usize {
    let mut redis = stack.redis.connection().await;
    redis.zcard("{search}:unsaved").await.unwrap()
}

async fn assert_all_saved(stack: &Stack, ids: &[String]) {
    eventually("all sessions are stored", CATCH_UP_TIMEOUT, async || {
        (unsaved(stack).await == 0).then_some(())
    })
    .await;
    let mut redis = stack.redis.connection().await;
    for id in ids {
        let _: () = redis.del(format!("search_job:{id}")).await.unwrap();
        assert_eq!(session(stack, id).await["status"], "completed");
    }
    wait_until_idle(stack).await;
}

fn disconnect(proxy: &Proxy) {
    proxy.refuse(true);
    proxy.cut();
}

async fn wait_for_log(stack: &mut Stack, text: &str) {
    let worker = stack.workers[0].process();
    let what = format!("the worker logs: {text}");
    eventually(&what, TIMEOUT, async || {
        worker.output().contains(text).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_outage_at_the_start_delays_sessions_but_no_answer() {
    let server = PostgresServer::shared().await;
    let (url, proxy) = database(&server).await;
    disconnect(&proxy);
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .env("DATABASE_URL", url)
        .with_searxng(&web)
        .start()
        .await;
    let answer = stack.client().post_search(question()).await.expect(200);
    let id = answer["session_id"].as_str().unwrap().to_owned();
    assert_eq!(answer["status"], "completed");
    assert_eq!(
        session(&stack, &id).await["result"],
        answer,
        "from Redis meanwhile"
    );
    let unknown = stack
        .client()
        .get("/api/v1/sessions/11111111-1111-1111-1111-111111111111")
        .await;
    assert_eq!(unknown.expect(503)["error"], "service_unavailable");
    assert!(unknown.header("retry-after").is_some());
    wait_for_log(&mut stack, "sessions wait in Redis for the history").await;
    assert_eq!(unsaved(&stack).await, 1);

    proxy.refuse(false);
    assert_all_saved(&stack, &[id]).await;
    wait_for_log(&mut stack, "the history takes sessions again").await;
}

#[tokio::test]
async fn a_later_database_outage_delays_sessions_but_no_answer() {
    let server = PostgresServer::shared().await;
    let (url, proxy) = database(&server).await;
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .env("DATABASE_URL", url)
        .with_searxng(&web)
        .start()
        .await;
    let mut ids = vec![stack.client().enqueue(question()).await];
    wait_for_status(&stack, &ids[0], "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
    disconnect(&proxy);
    for _ in 0..3 {
        let id = stack.client().enqueue(question()).await;
        let end = wait_for_status(&stack, &id, "completed", TIMEOUT).await;
        assert_eq!(
            session(&stack, &id).await["result"],
            end,
            "from Redis meanwhile"
        );
        ids.push(id);
    }
    wait_for_log(&mut stack, "sessions wait in Redis for the history").await;
    proxy.refuse(false);
    assert_all_saved(&stack, &ids).await;
}

#[tokio::test]
async fn a_silent_database_delays_no_answer() {
    let server = PostgresServer::shared().await;
    let (url, proxy) = database(&server).await;
    let web = searxng::finding(gather_results());
    let stack = Stack::builder(binaries!())
        .env("DATABASE_URL", url)
        .with_searxng(&web)
        .start()
        .await;
    let first = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &first, "completed", TIMEOUT).await;
    wait_until_idle(&stack).await;
    proxy.black_hole(true);
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", Duration::from_secs(5)).await;
    // The only request that needs the database: Redis still has the search, so it is found.
    assert_eq!(session(&stack, &id).await["status"], "completed");
    proxy.black_hole(false);
    assert_all_saved(&stack, &[first, id]).await;
}

#[tokio::test]
async fn sessions_that_a_stopped_worker_could_not_store_are_stored_by_another() {
    let server = PostgresServer::shared().await;
    let (url, proxy) = database(&server).await;
    let web = searxng::finding(gather_results());
    let mut stack = Stack::builder(binaries!())
        .env("DATABASE_URL", url)
        .with_searxng(&web)
        .start()
        .await;
    disconnect(&proxy);
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "completed", TIMEOUT).await;
    assert_eq!(stack.workers[0].process().stop(TIMEOUT).await, 0);
    stack.workers.clear();
    assert_eq!(unsaved(&stack).await, 1);
    proxy.refuse(false);
    stack.add_worker();
    assert_all_saved(&stack, &[id]).await;
}
