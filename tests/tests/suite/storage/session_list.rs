//! GET /api/v1/sessions and DELETE of one: the same on SQLite and on Postgres.

use std::time::Duration;

use chrono::{TimeDelta, Utc};
use privachat_core::history::{DatabaseUrl, Session, open};
use privachat_core::mode::Mode;
use privachat_core::schema::Status;
use privachat_tests::fixtures::{gather_results, question, wait_for_status, wait_until_idle};
use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::searxng;
use privachat_tests::{PostgresServer, Proxy, Stack, Upstream, binaries, eventually};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::{Value, json};
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(20);

async fn list(stack: &Stack, query: &str) -> Value {
    let path = format!("/api/v1/sessions{query}");
    stack.client().get(&path).await.expect(200)
}

fn ids(page: &Value) -> Vec<&str> {
    let sessions = page["sessions"].as_array().expect("a list");
    let ids = sessions.iter().map(|session| session["id"].as_str());
    ids.map(|id| id.expect("an id")).collect()
}

async fn delete_status(stack: &Stack, id: &str) -> u16 {
    let path = format!("/api/v1/sessions/{id}");
    stack.client().delete(&path).await.status
}

async fn get_status(stack: &Stack, id: &str) -> u16 {
    stack
        .client()
        .get(&format!("/api/v1/sessions/{id}"))
        .await
        .status
}

/// Ended and stored.
async fn search_and_store(stack: &Stack, query: &str) -> String {
    let request = json!({"query": query, "mode": "speed", "cache": false});
    let id = stack.client().enqueue(request).await;
    stack.client().wait_terminal(&id).await;
    wait_until_idle(stack).await;
    id
}

async fn searches_are_listed_newest_first_in_pages(builder: StackBuilder) {
    let web = searxng::finding(searxng::about_python());
    let stack = builder.with_searxng(&web).start().await;
    assert_eq!(
        list(&stack, "").await,
        json!({"sessions": [], "next_before": null})
    );
    let mut expected = Vec::new();
    for number in 0..5 {
        let id = search_and_store(&stack, &format!("What is Python {number}?")).await;
        expected.insert(0, id);
    }
    let page = list(&stack, "").await;
    assert_eq!(ids(&page), expected);
    assert_eq!(page["next_before"], Value::Null);
    let newest = &page["sessions"][0];
    let members: Vec<&String> = newest.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "id",
            "query",
            "mode",
            "status",
            "error_code",
            "created_at",
            "completed_at",
            "answer_excerpt",
            "source_count"
        ]
    );
    let whole = stack.client().status(&expected[0]).await.expect(200);
    assert_eq!(newest["query"], whole["query"]);
    assert_eq!(newest["created_at"], whole["created_at"]);
    assert_eq!(newest["completed_at"], whole["completed_at"]);
    assert_eq!(newest["mode"], "speed");
    let answer = whole["answer"].as_str().unwrap().trim();
    let excerpt = newest["answer_excerpt"].as_str().unwrap();
    assert!(
        answer.starts_with(excerpt.trim_end_matches('…')),
        "{excerpt}"
    );
    let sources = whole["sources"].as_array().unwrap().len();
    assert_eq!(newest["source_count"], sources);

    let mut seen = Vec::new();
    let mut query = "?limit=2".to_owned();
    loop {
        let page = list(&stack, &query).await;
        seen.extend(ids(&page).into_iter().map(str::to_owned));
        // Unescaped: a client need not escape it.
        let Some(next) = page["next_before"].as_str() else {
            break;
        };
        query = format!("?limit=2&before={next}");
    }
    assert_eq!(seen, expected);
    let whole_time = newest["created_at"].as_str().unwrap();
    let earlier = list(&stack, &format!("?before={whole_time}")).await;
    assert_eq!(ids(&earlier), expected[1..]);
}

async fn failed_and_cancelled_searches_are_kept_and_distinguished(builder: StackBuilder) {
    let empty = Upstream::always(searxng::sample("noresults.json"));
    let mut stack = builder.workers(0).with_searxng(&empty).start().await;
    let cancelled = stack.client().enqueue(question()).await;
    let path = format!("/api/v1/search/{cancelled}");
    stack.client().delete(&path).await.expect(200);
    stack.add_worker();
    let failed = search_and_store(&stack, "What is nothing?").await;
    for (query, expected) in [
        ("?status=failed", vec![&failed, &cancelled]),
        ("?status=cancelled", vec![&cancelled]),
        ("?status=completed", vec![]),
        ("?mode=speed&q=what", vec![&failed, &cancelled]),
        ("?mode=deep", vec![]),
        ("?q=GATHER", vec![&cancelled]),
        ("?q=nóth", vec![&failed]),
        ("?q=nothing%20gather", vec![]),
        ("?q=%22%27%3B--", vec![]),
        ("?q=&mode=&unknown=1", vec![&failed, &cancelled]),
    ] {
        assert_eq!(ids(&list(&stack, query).await), expected, "{query}");
    }
    let codes = list(&stack, "").await;
    assert_eq!(codes["sessions"][0]["error_code"], "no_sources");
    assert_eq!(codes["sessions"][1]["error_code"], "cancelled");
    assert_eq!(codes["sessions"][1]["answer_excerpt"], Value::Null);
}

async fn a_deleted_search_is_gone_from_the_history_and_from_redis(builder: StackBuilder) {
    let web = searxng::finding(searxng::about_python());
    let stack = builder.with_searxng(&web).start().await;
    let kept = search_and_store(&stack, "What is Python?").await;
    let id = search_and_store(&stack, "What is a snake?").await;
    let path = format!("/api/v1/sessions/{id}");
    let gone = stack.client().delete(&path).await;
    assert_eq!((gone.status, gone.text.as_str()), (204, ""));
    assert_eq!(get_status(&stack, &id).await, 404);
    assert_eq!(stack.client().status(&id).await.status, 404);
    assert_eq!(ids(&list(&stack, "").await), [&kept]);
    assert!(ids(&list(&stack, "?q=snake").await).is_empty());
    let mut redis = stack.redis.connection().await;
    let left: Vec<String> = redis.keys(format!("*{id}*")).await.unwrap();
    assert_eq!(left, [format!("{{search_job:{id}}}:erased")]);
    let again = stack.client().delete(&path).await.expect(404);
    assert_eq!(again["detail"]["error"], "session_not_found");
    // A late store finds the note of the deletion all day; for an unknown session the note is
    // short-lived.
    let never = "00000000-0000-4000-8000-000000000000";
    assert_eq!(delete_status(&stack, never).await, 404);
    let noted_for = async |id: &str| {
        let mut redis = stack.redis.connection().await;
        let note = format!("{{search_job:{id}}}:erased");
        redis.ttl::<_, i64>(note).await.unwrap()
    };
    assert!(noted_for(&id).await > 86_000);
    assert!((0..=60).contains(&noted_for(never).await));
    // A session whose record has expired is only in the history.
    let _: () = redis.del(format!("search_job:{kept}")).await.unwrap();
    assert_eq!(get_status(&stack, &kept).await, 200);
    // A worker that stored it just after the deletion is about to remove it again.
    let note = format!("{{search_job:{kept}}}:erased");
    let _: () = redis.set(&note, "deleted").await.unwrap();
    assert_eq!(get_status(&stack, &kept).await, 404);
    let _: () = redis.del(note).await.unwrap();
    assert_eq!(delete_status(&stack, &kept).await, 204);
    assert_eq!(get_status(&stack, &kept).await, 404);
}

async fn a_search_that_waits_or_runs_is_not_deleted(builder: StackBuilder) {
    let hanging = Upstream::start(|_| privachat_tests::upstream::Reply::hang());
    let mut stack = builder.workers(0).with_searxng(&hanging).start().await;
    let id = stack.client().enqueue(question()).await;
    let path = format!("/api/v1/sessions/{id}");
    let waiting = stack.client().delete(&path).await.expect(409);
    assert_eq!(waiting["error"], "still_running");
    assert!(waiting["message"].as_str().unwrap().contains("cancel"));
    stack.add_worker();
    wait_for_status(&stack, &id, "processing", TIMEOUT).await;
    let running = stack.client().delete(&path).await.expect(409);
    assert_eq!(running["error"], "still_running");
    // As the message advises.
    let cancel = format!("/api/v1/search/{id}");
    stack.client().delete(&cancel).await.expect(200);
    wait_for_status(&stack, &id, "failed", TIMEOUT).await;
    assert_eq!(delete_status(&stack, &id).await, 204);
    wait_until_idle(&stack).await;
    assert_eq!(get_status(&stack, &id).await, 404);
    assert!(ids(&list(&stack, "").await).is_empty());
}

async fn an_id_that_was_deleted_may_be_used_again(builder: StackBuilder) {
    let web = searxng::finding(gather_results());
    let stack = builder.with_searxng(&web).start().await;
    let post = async || {
        let request = stack.client().request(Method::POST, "/api/v1/search");
        let mut body = question();
        body["async_mode"] = json!(true);
        let request = request.header("Idempotency-Key", "the-same").json(&body);
        let accepted = stack.client().send(request).await.expect(200);
        accepted["session_id"].as_str().unwrap().to_owned()
    };
    let id = post().await;
    stack.client().wait_completed(&id).await;
    wait_until_idle(&stack).await;
    assert_eq!(delete_status(&stack, &id).await, 204);
    assert_eq!(post().await, id);
    stack.client().wait_completed(&id).await;
    wait_until_idle(&stack).await;
    assert_eq!(ids(&list(&stack, "").await), [&id]);
}

async fn all_bad_parameters_are_reported_at_once(builder: StackBuilder) {
    let stack = builder.workers(0).start().await;
    let path = "/api/v1/sessions?limit=1000&before=soon&mode=x&status=running";
    let refused = stack.client().get(path).await.expect(422);
    let faults = refused["detail"].as_array().unwrap();
    let places: Vec<&Value> = faults.iter().map(|fault| &fault["loc"]).collect();
    assert_eq!(
        places,
        [
            &json!(["query", "limit"]),
            &json!(["query", "before"]),
            &json!(["query", "mode"]),
            &json!(["query", "status"])
        ]
    );
    assert_eq!(faults[0]["input"], "1000");
    assert_eq!(faults[0]["ctx"], json!({"le": 100}));
    let malformed = stack.client().delete("/api/v1/sessions/abc").await;
    assert_eq!(malformed.expect(422)["detail"][0]["type"], "uuid_parsing");
    let unknown = stack
        .client()
        .delete(&format!("/api/v1/sessions/{}", Uuid::new_v4()))
        .await;
    assert_eq!(unknown.expect(404)["detail"]["error"], "session_not_found");
    let wrong = stack
        .client()
        .send(stack.client().request(Method::POST, "/api/v1/sessions"))
        .await;
    assert_eq!(
        (wrong.status, wrong.header("allow")),
        (405, Some("GET, HEAD"))
    );
}

/// A worker with limits meets a history with sessions that are too old, another that is too long.
async fn old_sessions_go(mut stack: Stack, url: &str) {
    let history = open(&DatabaseUrl::parse(url).unwrap()).await.unwrap();
    let mut newest_first = Vec::new();
    for days in [1, 2, 3, 40, 50] {
        let at = Utc::now() - TimeDelta::days(days);
        let session = Session {
            id: Uuid::new_v4(),
            owner: None,
            query: format!("question of {days} days ago"),
            mode: Mode::Speed,
            status: Status::Completed,
            result: None,
            error: None,
            error_code: None,
            created_at: at,
            completed_at: at,
        };
        history.save(&session).await.unwrap();
        newest_first.push(session.id.to_string());
    }
    assert_eq!(ids(&list(&stack, "").await), newest_first);
    stack.add_worker_with(&[("HISTORY_DAYS", "30")]);
    wait_until_only(&stack, &newest_first[..3]).await;
    stack.add_worker_with(&[("HISTORY_DAYS", "30"), ("HISTORY_MAX", "2")]);
    wait_until_only(&stack, &newest_first[..2]).await;
}

async fn wait_until_only(stack: &Stack, expected: &[String]) {
    eventually("the others are deleted", TIMEOUT, async || {
        (ids(&list(stack, "").await) == expected).then_some(())
    })
    .await;
}

#[tokio::test]
async fn old_sessions_go_in_the_background_on_sqlite() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let url = format!("sqlite://{}", stack.folder().join("history.db").display());
    old_sessions_go(stack, &url).await;
}

#[tokio::test]
async fn old_sessions_go_in_the_background_on_postgres() {
    let server = PostgresServer::shared().await;
    let url = server.database();
    let builder = Stack::builder(binaries!()).workers(0);
    let stack = builder.env("DATABASE_URL", &url).start().await;
    old_sessions_go(stack, &url).await;
}

/// A client deletes the search after the worker read the record and while it waits for its
/// database.
#[tokio::test]
async fn a_search_deleted_while_it_is_being_stored_stays_deleted() {
    let server = PostgresServer::shared().await;
    let url = server.database();
    let (_, rest) = url.split_once('@').expect("user@host");
    let (address, name) = rest.split_once('/').expect("host/name");
    let proxy = Proxy::start(address);
    let slow = format!("postgres://privachat@{}/{name}", proxy.address());
    let web = searxng::finding(gather_results());
    let stack = Stack::builder(binaries!())
        .env("DATABASE_URL", &url)
        .worker_env("DATABASE_URL", slow)
        .with_searxng(&web)
        .start()
        .await;
    let stored = search_and_store(&stack, "What is stored?").await;
    proxy.black_hole(true);
    let id = stack.client().enqueue(question()).await;
    stack.client().wait_completed(&id).await;
    assert_eq!(delete_status(&stack, &id).await, 204);
    assert_eq!(get_status(&stack, &id).await, 404);
    proxy.black_hole(false);
    wait_until_saved(&stack).await;
    assert_eq!(get_status(&stack, &id).await, 404);
    assert_eq!(ids(&list(&stack, "").await), [&stored]);
}

async fn wait_until_saved(stack: &Stack) {
    let mut redis = stack.redis.connection().await;
    eventually("nothing waits", Duration::from_secs(40), async || {
        let left: usize = redis.zcard("{search}:unsaved").await.unwrap();
        (left == 0).then_some(())
    })
    .await;
}

#[tokio::test]
async fn a_database_outage_is_a_503_and_a_retry_finds_everything_unchanged() {
    let server = PostgresServer::shared().await;
    let url = server.database();
    let (_, rest) = url.split_once('@').expect("user@host");
    let (address, name) = rest.split_once('/').expect("host/name");
    let proxy = Proxy::start(address);
    let slow = format!("postgres://privachat@{}/{name}", proxy.address());
    let web = searxng::finding(gather_results());
    let stack = Stack::builder(binaries!())
        .env("DATABASE_URL", slow)
        .with_searxng(&web)
        .start()
        .await;
    let id = search_and_store(&stack, "What is stored?").await;
    proxy.refuse(true);
    proxy.cut();
    let path = format!("/api/v1/sessions/{id}");
    let refused = stack.client().delete(&path).await;
    assert_eq!(refused.expect(503)["error"], "service_unavailable");
    assert!(refused.header("retry-after").is_some());
    let listed = stack.client().get("/api/v1/sessions").await;
    assert_eq!(listed.expect(503)["error"], "service_unavailable");
    assert_eq!(get_status(&stack, &id).await, 200, "from Redis");
    proxy.refuse(false);
    assert_eq!(delete_status(&stack, &id).await, 204);
    assert_eq!(get_status(&stack, &id).await, 404);
}

privachat_tests::on_both_databases!(
    searches_are_listed_newest_first_in_pages,
    failed_and_cancelled_searches_are_kept_and_distinguished,
    a_deleted_search_is_gone_from_the_history_and_from_redis,
    a_search_that_waits_or_runs_is_not_deleted,
    an_id_that_was_deleted_may_be_used_again,
    all_bad_parameters_are_reported_at_once,
);
