//! The search response in each state of a search, as clients of the old service read it.

use std::time::Duration;

use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, Upstream, binaries, captured_bodies, eventually};
use redis::AsyncCommands;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);

fn members(value: &Value) -> Vec<&str> {
    let object = value.as_object().expect("an object");
    object.keys().map(String::as_str).collect()
}

fn old(name: &str) -> Value {
    serde_json::from_str(&captured_bodies::text(&format!("old-service/{name}"))).unwrap()
}

/// Every response has these fields in every state.
fn assert_complete(response: &Value, reference: &Value) {
    let pending = old("async-post.json");
    assert_eq!(members(response).get(..16), Some(&members(&pending)[..]));
    assert_eq!(members(response), members(reference));
}

fn assert_range(value: &Value) {
    let number = value
        .as_f64()
        .unwrap_or_else(|| panic!("{value} is no number"));
    assert!((0.0..=1.0).contains(&number), "{number}");
}

#[tokio::test]
async fn the_response_has_every_field_and_the_posted_values_in_every_state() {
    let slow = searxng::finding(searxng::about_python());
    slow.next(
        Reply::json(
            200,
            searxng::body("q", &searxng::about_python()).to_string(),
        )
        .late(Duration::from_millis(500)),
    );
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&slow)
        .start()
        .await;
    let request = json!({"query": " What is Python? ", "mode": "speed", "async_mode": true});
    let posted = stack.client().post_search(request).await.expect(200);
    let id = posted["session_id"].as_str().unwrap().to_owned();

    let pending = stack.client().status(&id).await.expect(200);
    stack.add_worker();
    let processing = eventually("it is processing", TIMEOUT, async || {
        let poll = stack.client().status(&id).await.expect(200);
        (poll["status"] == "processing").then_some(poll)
    })
    .await;
    let completed = stack.client().wait_completed(&id).await;

    for (state, response) in [
        ("pending", &posted),
        ("pending", &pending),
        ("processing", &processing),
        ("completed", &completed),
    ] {
        assert_eq!(response["status"], state);
        assert_complete(response, &posted);
        assert_eq!(response["session_id"], id.as_str(), "{state}");
        assert_eq!(
            (&response["query"], &response["mode"]),
            (&json!("What is Python?"), &json!("speed")),
            "{state}"
        );
        assert_eq!(response["created_at"], posted["created_at"], "{state}");
        assert!(response["error"].is_null(), "{state}");
    }
    assert!(pending["answer"].is_null() && processing["sources"].is_null());
    assert_eq!(
        (&pending["attempt"], &processing["attempt"]),
        (&json!(0), &json!(1))
    );
}

#[tokio::test]
async fn a_failed_response_has_every_field_and_its_reason() {
    let empty = Upstream::always(searxng::sample("noresults.json"));
    let stack = Stack::builder(binaries!())
        .with_searxng(&empty)
        .start()
        .await;
    let request = json!({"query": "q", "mode": "speed", "async_mode": true});
    let posted = stack.client().post_search(request).await.expect(200);
    let id = posted["session_id"].as_str().unwrap();
    let failed = stack.client().wait_terminal(id).await;
    assert_eq!(failed["status"], "failed", "{failed}");
    assert_complete(&failed, &posted);
    assert_eq!(failed["error_code"], "no_sources");
    assert!(!failed["error"].as_str().unwrap().is_empty(), "{failed}");
    assert!(
        failed["execution_time"].is_f64() && failed["completed_at"].is_string(),
        "{failed}"
    );
    assert_eq!(
        (&failed["query"], &failed["mode"], &failed["created_at"]),
        (&posted["query"], &posted["mode"], &posted["created_at"])
    );
}

#[tokio::test]
async fn a_sync_search_is_answered_completely() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let answer = stack
        .client()
        .post_search(json!({"query": "What is Python?", "mode": "speed"}))
        .await;
    let response = answer.expect(200);
    let id = response["session_id"].as_str().unwrap();
    assert_eq!(response["status"], "completed");
    let text = response["answer"].as_str().unwrap();
    assert!(text.contains("[1]"), "{text}");
    assert_eq!(response["model_used"], "extractive");
    assert!(response["execution_time"].as_f64().unwrap() > 0.0);
    assert_range(&response["confidence"]);
    assert_eq!(stack.client().status(id).await.expect(200), response);
}

#[tokio::test]
async fn the_items_have_exactly_the_members_of_the_old_service_and_values_within_bounds() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let response = stack
        .client()
        .post_search(json!({"query": "What is Python?", "mode": "speed"}))
        .await
        .expect(200);
    let old = old("sync-post.json");
    for list in ["sources", "sub_queries", "citation_mapping"] {
        let items = response[list]
            .as_array()
            .unwrap_or_else(|| panic!("{list}: {response}"));
        assert!(!items.is_empty(), "{list}");
        for item in items {
            assert_eq!(members(item), members(&old[list][0]), "{list}");
        }
    }
    let sources = response["sources"].as_array().unwrap();
    for source in sources {
        assert_range(&source["relevance"]);
        assert_range(&source["final_score"]);
        assert!(["web", "academic", "news"].contains(&source["source_type"].as_str().unwrap()));
    }
    assert_eq!(
        response["source_details"].as_array().unwrap().len(),
        sources.len()
    );
    for sub_query in response["sub_queries"].as_array().unwrap() {
        assert!(
            ["definition", "factual", "opinion"].contains(&sub_query["intent"].as_str().unwrap())
        );
        assert!((1..=10).contains(&sub_query["priority"].as_u64().unwrap()));
    }
}

#[tokio::test]
async fn every_citation_leads_to_a_source_that_the_answer_cites_that_often() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let response = stack
        .client()
        .post_search(json!({"query": "What is Python?", "mode": "speed"}))
        .await
        .expect(200);
    let answer = response["answer"].as_str().unwrap();
    let domains = json!({"https://en.wikipedia.org/wiki/Python": "wikipedia", "https://www.python.org/about/": "python", "https://www.bbc.co.uk/python": "bbc"});
    let mut cited = 0;
    for citation in response["citation_mapping"].as_array().unwrap() {
        let number = citation["citation_number"].as_u64().unwrap();
        let index = usize::try_from(citation["source_index"].as_u64().unwrap()).unwrap();
        let source = &response["sources"][index];
        assert_eq!(
            (&citation["source_title"], &citation["source_url"]),
            (&source["title"], &source["url"])
        );
        assert_eq!(citation["domain"], domains[source["url"].as_str().unwrap()]);
        let mentions = answer.matches(&format!("[{number}]")).count();
        assert_eq!(
            citation["mention_count"], mentions,
            "[{number}] in {answer}"
        );
        cited += mentions;
    }
    assert_eq!(cited, answer.matches('[').count(), "{answer}");
}

#[tokio::test]
async fn a_sync_search_that_fails_has_its_reason_in_the_old_field() {
    let empty = Upstream::always(searxng::sample("noresults.json"));
    let stack = Stack::builder(binaries!())
        .with_searxng(&empty)
        .start()
        .await;
    let request = stack
        .client()
        .request(reqwest::Method::POST, "/api/v1/search")
        .header("X-Request-Id", "trace-7")
        .json(&json!({"query": "q", "mode": "speed"}));
    let failed = stack.client().send(request).await.expect(500);
    assert_eq!(
        (&failed["error"], &failed["trace_id"]),
        (&json!("search_execution_failed"), &json!("trace-7"))
    );
    assert_eq!(failed["error_code"], "no_sources");
    assert!(
        failed["message"].is_string() && failed["session_id"].is_string(),
        "{failed}"
    );
}

#[tokio::test]
async fn a_sync_search_that_finds_nothing_in_time_is_504_with_its_session() {
    let hanging = Upstream::always(Reply::hang());
    let stack = Stack::builder(binaries!())
        .with_searxng(&hanging)
        .start()
        .await;
    let request = json!({"query": "q", "mode": "speed", "timeout": 10});
    let late = stack.client().post_search(request).await.expect(504);
    assert_eq!(late["error"], "search_timeout");
    assert!(
        late["trace_id"].is_string() && late["message"].is_string(),
        "{late}"
    );
    let id = late["session_id"].as_str().unwrap();
    assert_eq!(
        stack.client().wait_terminal(id).await["error_code"],
        "timeout"
    );
}

#[tokio::test]
async fn a_sync_search_without_a_worker_is_504_in_the_old_words() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let request = json!({"query": "q", "mode": "speed", "timeout": 10});
    let late = stack.client().post_search(request).await.expect(504);
    assert_eq!(
        (&late["error"], &late["message"]),
        (
            &json!("search_timeout"),
            &json!("Search exceeded timeout of 10s")
        )
    );
}

/// The answer to a record that the old service left in Redis.
async fn answer_to(stack: &Stack, record: String) -> Value {
    let id = uuid::Uuid::new_v4().to_string();
    let mut redis = stack.redis.connection().await;
    let _: () = redis
        .set_ex(format!("search_job:{id}"), record, 600)
        .await
        .unwrap();
    let answer = stack.client().status(&id).await.expect(200);
    if !answer["result"].is_null() {
        panic!("an envelope: {answer}");
    }
    answer
}

#[tokio::test]
async fn records_of_the_old_service_are_answered_with_the_status_outside() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let result = old("sync-post.json");
    assert!(result["status"].is_null());
    let compact = json!({"status": "completed", "result": result, "error": null}).to_string();
    let spaced = format!(
        "{{\"status\": \"completed\", \"result\": {}, \"error\": null}}",
        serde_json::to_string_pretty(&result).unwrap()
    );
    for record in [compact, spaced] {
        let answer = answer_to(&stack, record).await;
        assert_eq!(answer["status"], "completed");
        assert_eq!(answer["answer"], result["answer"]);
        assert_eq!(members(&answer).get(..16).unwrap(), members(&result));
    }
}

#[tokio::test]
async fn bare_records_of_the_old_service_are_answered_with_every_member() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let posted = stack
        .client()
        .post_search(json!({"query": "q", "async_mode": true}))
        .await
        .expect(200);
    for (status, error) in [
        ("pending", Value::Null),
        ("processing", Value::Null),
        ("failed", json!("went wrong")),
    ] {
        let compact = json!({"status": status, "result": null, "error": error}).to_string();
        let spaced = format!("{{\"status\": \"{status}\", \"result\": null, \"error\": {error}}}");
        for record in [
            compact,
            spaced,
            json!({"status": status, "error": error}).to_string(),
        ] {
            let answer = answer_to(&stack, record).await;
            assert_eq!(
                (&answer["status"], &answer["error"]),
                (&json!(status), &error)
            );
            assert_eq!(members(&answer), members(&posted));
        }
    }
}

#[tokio::test]
async fn an_unreadable_record_is_a_server_error_that_shows_nothing_of_it() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = uuid::Uuid::new_v4().to_string();
    let mut redis = stack.redis.connection().await;
    let _: () = redis
        .set_ex(format!("search_job:{id}"), "{private words", 600)
        .await
        .unwrap();
    let answer = stack.client().status(&id).await;
    assert_eq!(answer.expect(500)["error"], "internal_error");
    assert!(!answer.text.contains("private"), "{}", answer.text);
}
