//! Following a running search over Server-Sent Events.

use std::time::Duration;

use privachat_tests::event_stream::{StreamEvent, answer_text};
use privachat_tests::fixtures::{question, searxng_hanging_first, wait_for_status};
use privachat_tests::upstream::searxng;
use privachat_tests::{Stack, binaries};
use redis::AsyncCommands;
use reqwest::Method;
use serde_json::json;
use uuid::Uuid;

const TIMEOUT: Duration = Duration::from_secs(10);

fn kinds(events: &[StreamEvent]) -> Vec<&str> {
    events.iter().map(|event| event.kind.as_str()).collect()
}

#[tokio::test]
async fn a_stream_has_the_whole_search_in_order_and_ends_with_the_response_of_a_poll() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client
        .enqueue(json!({"query": "What is Python?", "mode": "speed"}))
        .await;
    let all = client.events(&id, "").await.rest().await;

    let kinds = kinds(&all);
    assert_eq!(kinds[..2], ["queued", "started"], "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"completed"));
    for kind in ["stage", "sources", "text"] {
        assert!(kinds.contains(&kind), "no {kind} in {kinds:?}");
    }
    for event in &all {
        assert_eq!(event.data["type"], event.kind.as_str());
        assert_eq!(event.data["id"], event.id.as_str());
    }
    assert_eq!(all[1].data["attempt"], 1);
    let end = &all.last().unwrap().data["result"];
    assert_eq!(*end, client.status(&id).await.expect(200));
    assert_eq!(answer_text(&all), end["answer"].as_str().unwrap());
}

#[tokio::test]
async fn a_stream_that_is_cut_at_any_event_resumes_after_it() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let all = client.events(&id, "").await.rest().await;
    for (place, event) in all.iter().enumerate().take(all.len() - 1) {
        let rest = client.events(&id, &event.id).await.rest().await;
        assert_eq!(rest, all[place + 1..]);
    }
    let last = &all.last().unwrap().id;
    let over = client.send(client.events_request(&id, last)).await;
    assert_eq!((over.status, over.text.as_str()), (204, ""));
    let by_query = client
        .get(&format!("/api/v1/search/{id}/events?after={last}"))
        .await;
    assert_eq!(by_query.status, 204);
}

/// Several times more events than one read returns.
#[tokio::test]
async fn a_long_stream_resumes_after_any_of_its_events_while_it_runs_and_after_its_end() {
    const MANY: usize = 400;
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    let mut ids: Vec<String> = Vec::new();
    for number in 0..MANY {
        let data = json!({"type": "text", "delta": number.to_string()}).to_string();
        let fields = [("type", "text"), ("data", &data)];
        let key = format!("{{search_job:{id}}}:ev");
        ids.push(redis.xadd(key, "*", &fields).await.unwrap());
    }
    for place in [63, 64, 65, 200, MANY - 2] {
        let mut stream = client.events(&id, &ids[place]).await;
        for expected in &ids[place + 1..] {
            assert_eq!(stream.next().await.unwrap().id, *expected);
        }
    }
    client
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    for place in [0, 63, 64, 65, 200, MANY - 1] {
        let rest = client.events(&id, &ids[place]).await.rest().await;
        assert_eq!(rest.len(), MANY - place, "behind {place}");
        assert_eq!(rest.last().unwrap().kind, "failed");
    }
}

#[tokio::test]
async fn a_listener_receives_events_as_they_happen() {
    let (web, _asked) = searxng_hanging_first(1);
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut stream = client.events(&id, "").await;
    let before = stream.until("stage").await;
    wait_for_status(&stack, &id, "processing", TIMEOUT).await;
    client
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    let after = stream.rest().await;
    let end = after.last().unwrap();
    assert_eq!(end.kind, "failed", "{before:?} {after:?}");
    assert_eq!(end.data["error_code"], "cancelled");
    assert_eq!(end.data["result"]["status"], "failed");
}

#[tokio::test]
async fn a_record_of_the_old_service_has_a_stream_of_its_end() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = Uuid::new_v4().to_string();
    let record = json!({"status": "completed", "error": null, "result": {
        "session_id": id, "status": null, "query": "What is Python?", "answer": "A language [1].",
        "mode": "speed", "created_at": "2026-01-01T00:00:00"}});
    let () = stack
        .redis
        .connection()
        .await
        .set(format!("search_job:{id}"), record.to_string())
        .await
        .unwrap();
    let all = stack.client().events(&id, "").await.rest().await;
    assert_eq!(kinds(&all), ["completed"]);
    assert_eq!(all[0].data["result"]["answer"], "A language [1].");
}

#[tokio::test]
async fn invalid_stream_requests_are_refused_with_the_reason() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let unknown = Uuid::new_v4().to_string();
    let absent = client.send(client.events_request(&unknown, "")).await;
    assert!(
        absent.expect(404)["detail"]
            .as_str()
            .unwrap()
            .contains(&unknown)
    );
    let faulty = client
        .send(client.events_request(&unknown, "yesterday"))
        .await;
    assert_eq!(
        faulty.expect(422)["detail"][0]["loc"],
        json!(["header", "last-event-id"])
    );
    let path = format!("/api/v1/search/{unknown}/events?after=yesterday");
    let both = client.request(Method::GET, &path);
    let faulty = client.send(both.header("Last-Event-ID", "1-0")).await;
    assert_eq!(
        faulty.expect(422)["detail"][0]["loc"],
        json!(["query", "after"])
    );
    client.get("/api/v1/search/none/events").await.expect(422);
}

#[tokio::test]
async fn a_first_event_stored_by_the_previous_version_is_sent_once() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let client = stack.client();
    let id = client.enqueue(question()).await;
    let mut redis = stack.redis.connection().await;
    let fields = [("type", "queued"), ("data", r#"{"type":"queued"}"#)];
    let key = format!("{{search_job:{id}}}:ev");
    let stored: String = redis.xadd(key, "*", &fields).await.unwrap();
    client.delete(&format!("/api/v1/search/{id}")).await;
    let all = client.events(&id, "").await.rest().await;
    assert_eq!(kinds(&all), ["queued", "failed"]);
    assert_eq!(all[0].id, stored);
}
