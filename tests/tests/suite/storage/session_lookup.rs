//! GET /api/v1/sessions/{id}: the same on SQLite and on Postgres.

use std::time::Duration;

use privachat_tests::fixtures::wait_until_idle;
use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::searxng;
use privachat_tests::{Stack, Upstream, eventually};
use redis::AsyncCommands;
use serde_json::{Value, json};

async fn session(stack: &Stack, id: &str) -> Value {
    let session = stack
        .client()
        .get(&format!("/api/v1/sessions/{id}"))
        .await
        .expect(200);
    let members: Vec<&String> = session.as_object().unwrap().keys().collect();
    assert_eq!(
        members,
        [
            "id",
            "query",
            "mode",
            "status",
            "result",
            "created_at",
            "completed_at"
        ]
    );
    assert_eq!(
        (&session["id"], &session["mode"]),
        (&json!(id), &json!("search"))
    );
    session
}

/// Stored; nothing of it is left in Redis.
async fn only_in_history(stack: &Stack, id: &str) -> Value {
    wait_until_idle(stack).await;
    let mut redis = stack.redis.connection().await;
    let _: () = redis.del(format!("search_job:{id}")).await.unwrap();
    assert_eq!(stack.client().status(id).await.status, 404);
    session(stack, id).await
}

async fn a_search_is_a_session_from_its_post_to_long_after_its_end(builder: StackBuilder) {
    let web = searxng::finding(searxng::about_python());
    let mut stack = builder.workers(0).with_searxng(&web).start().await;
    // Characters that JSON allows and databases may reject.
    let query = "What is Python? \u{1} 🦀 '\";--\\u0000";
    let posted = stack
        .client()
        .post_search(json!({"query": query, "mode": "speed", "async_mode": true}))
        .await
        .expect(200);
    let id = posted["session_id"].as_str().unwrap();
    let in_flight = session(&stack, id).await;
    assert_eq!(
        (
            &in_flight["status"],
            &in_flight["result"],
            &in_flight["completed_at"]
        ),
        (&json!("pending"), &Value::Null, &Value::Null)
    );
    assert_eq!(
        (&in_flight["query"], &in_flight["created_at"]),
        (&json!(query), &posted["created_at"])
    );

    stack.add_worker();
    let end = stack.client().wait_completed(id).await;
    let finished = session(&stack, id).await;
    let stored = only_in_history(&stack, id).await;
    for session in [finished, stored] {
        assert_eq!(session["status"], "completed");
        assert_eq!(session["query"], query);
        assert_eq!(session["result"], end);
        assert_eq!(
            (&session["created_at"], &session["completed_at"]),
            (&end["created_at"], &end["completed_at"])
        );
    }
}

async fn a_failed_search_is_a_session_with_its_reason(builder: StackBuilder) {
    let empty = Upstream::always(searxng::sample("noresults.json"));
    let stack = builder.with_searxng(&empty).start().await;
    let id = stack
        .client()
        .enqueue(json!({"query": "q", "mode": "speed"}))
        .await;
    let end = stack.client().wait_terminal(&id).await;
    let stored = only_in_history(&stack, &id).await;
    assert_eq!(
        (&stored["status"], &stored["result"]["error"]),
        (&json!("failed"), &end["error"])
    );
    assert_eq!(stored["result"], end);
    assert!(stored["completed_at"].is_string());
}

async fn unknown_and_malformed_ids_are_refused(builder: StackBuilder) {
    let stack = builder.workers(0).start().await;
    let unknown = stack
        .client()
        .get("/api/v1/sessions/11111111-1111-1111-1111-111111111111")
        .await;
    assert_eq!(unknown.expect(404)["detail"]["error"], "session_not_found");
    let malformed = stack.client().get("/api/v1/sessions/abc").await;
    assert_eq!(malformed.expect(422)["detail"][0]["type"], "uuid_parsing");
}

async fn many_searches_at_once_are_all_stored(builder: StackBuilder) {
    let web = searxng::finding(searxng::about_python());
    let stack = builder.workers(2).with_searxng(&web).start().await;
    let posts = (0..40).map(|number| {
        stack
            .client()
            .enqueue(json!({"query": format!("What is Python {number}?"), "mode": "speed"}))
    });
    let ids = futures_util::future::join_all(posts).await;
    for id in &ids {
        stack.client().wait_completed(id).await;
    }
    let mut redis = stack.redis.connection().await;
    eventually("all are stored", Duration::from_secs(30), async || {
        let left: usize = redis.zcard("{search}:unsaved").await.unwrap();
        (left == 0).then_some(())
    })
    .await;
    for id in &ids {
        only_in_history(&stack, id).await;
    }
}

privachat_tests::on_both_databases!(
    a_search_is_a_session_from_its_post_to_long_after_its_end,
    a_failed_search_is_a_session_with_its_reason,
    unknown_and_malformed_ids_are_refused,
    many_searches_at_once_are_all_stored,
);
