//! Clients that post, poll and wait: those of the old service and new ones.

use std::time::{Duration, Instant};

use privachat_tests::fixtures::{searxng_hanging_first, wait_for_status, wait_until_idle};
use privachat_tests::upstream::{Reply, searxng};
use privachat_tests::{Stack, binaries};
use serde::Deserialize;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(10);
/// Far more than an answer takes, and less than a poll with a wait of 30 s may take.
const WITHOUT_WAITING: Duration = Duration::from_secs(25);

fn question() -> Value {
    json!({"query": "What is Python?", "mode": "speed"})
}

/// The duration is measured by `make bench` (post) and by the bench `durability`.
#[tokio::test]
async fn an_async_post_is_answered_as_pending_before_the_search_runs_with_where_and_when_to_poll() {
    let (web, _) = searxng_hanging_first(usize::MAX);
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    for number in 0..21 {
        let request = json!({"query": format!("What is Python {number}?"), "mode": "balanced", "async_mode": true});
        let answer = stack.client().post_search(request).await;
        let accepted = answer.expect(200);
        assert_eq!(accepted["status"], "pending");
        let id = accepted["session_id"].as_str().unwrap();
        assert_eq!(
            answer.header("location"),
            Some(format!("/api/v1/search/status/{id}").as_str())
        );
        assert!(
            answer
                .header("retry-after")
                .unwrap()
                .parse::<u64>()
                .unwrap()
                <= 2
        );
        stack.client().status(id).await.expect(200);
    }
}

/// The loop of the old documentation, with a shorter pause.
#[tokio::test]
async fn a_client_that_polls_until_completed_gets_the_result() {
    let web = searxng::finding(searxng::about_python());
    let stack = Stack::builder(binaries!()).with_searxng(&web).start().await;
    let request = json!({"query": "What is Python?", "mode": "balanced", "async_mode": true});
    let mut result = stack.client().post_search(request).await.expect(200);
    let id = result["session_id"].as_str().unwrap().to_owned();
    let begun = Instant::now();
    while result["status"] != "completed" {
        assert!(begun.elapsed() < Duration::from_secs(60), "{result}");
        tokio::time::sleep(Duration::from_millis(100)).await;
        result = stack.client().status(&id).await.expect(200);
    }
    for member in ["answer", "sources", "citation_mapping", "execution_time"] {
        assert!(!result[member].is_null(), "{member}");
    }
}

/// The types of the old client library, which reject an extra or missing field.
#[derive(Deserialize)]
struct OldResponse {
    session_id: String,
    status: String,
    query: String,
    answer: Option<String>,
    sub_queries: Option<Vec<OldSubQuery>>,
    sources: Option<Vec<OldSource>>,
    citation_mapping: Option<Vec<OldCitation>>,
    mode: String,
    execution_time: Option<f64>,
    confidence: Option<f64>,
    model_used: Option<String>,
    #[expect(dead_code, reason = "read, and null here")]
    trace_url: Option<String>,
    grounding_score: Option<f64>,
    #[expect(dead_code, reason = "read as a number")]
    hallucination_count: Option<i64>,
    error: Option<String>,
    created_at: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what counts is that it can be read")]
struct OldSubQuery {
    query: String,
    intent: String,
    priority: i64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what counts is that it can be read")]
struct OldSource {
    title: String,
    url: String,
    snippet: String,
    relevance: f64,
    semantic_score: Option<f64>,
    final_score: f64,
    source_type: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "what counts is that it can be read")]
struct OldCitation {
    citation_number: i64,
    source_index: i64,
    mention_count: i64,
    source_title: String,
    source_url: String,
    domain: String,
}

async fn poll(stack: &Stack, id: &str) -> OldResponse {
    let answer = stack.client().status(id).await;
    assert_eq!(answer.status, 200);
    serde_json::from_str(&answer.text).unwrap_or_else(|error| panic!("{error}: {}", answer.text))
}

#[tokio::test]
async fn a_client_that_knows_exactly_the_old_fields_can_read_every_state() {
    let web = searxng::finding(searxng::about_python());
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let id = stack
        .client()
        .enqueue(json!({"query": "What is Python?", "mode": "balanced"}))
        .await;
    let pending = poll(&stack, &id).await;
    assert!(pending.status == "pending" && pending.answer.is_none() && pending.sources.is_none());
    stack.add_worker();
    let begun = Instant::now();
    let end = loop {
        let now = poll(&stack, &id).await;
        if now.status == "completed" {
            break now;
        }
        assert!(
            begun.elapsed() < Duration::from_secs(60) && now.status != "failed",
            "{:?}",
            now.error
        );
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    assert_eq!((end.session_id, end.created_at), (id, pending.created_at));
    assert_eq!(
        (end.query.as_str(), end.mode.as_str()),
        ("What is Python?", "balanced")
    );
    assert!(
        end.execution_time.is_some() && end.confidence.is_some() && end.grounding_score.is_some()
    );
    assert!(end.model_used.is_some() && end.error.is_none());
    let lists = (end.sources, end.sub_queries, end.citation_mapping);
    assert!(lists.0.is_some_and(|it| !it.is_empty()) && lists.1.is_some_and(|it| !it.is_empty()));
    assert!(lists.2.is_some_and(|it| !it.is_empty()));
}

async fn poll_and_wait(stack: &Stack, id: &str, seconds: u64) -> (Value, Duration) {
    let begun = Instant::now();
    let answer = stack
        .client()
        .get(&format!("/api/v1/search/status/{id}?wait={seconds}"))
        .await;
    (answer.expect(200), begun.elapsed())
}

#[tokio::test]
async fn a_poll_that_waits_returns_when_the_status_changes() {
    let web = searxng::finding(searxng::about_python());
    web.next(
        Reply::json(
            200,
            searxng::body("q", &searxng::about_python()).to_string(),
        )
        .late(Duration::from_secs(1)),
    );
    let mut stack = Stack::builder(binaries!())
        .workers(0)
        .with_searxng(&web)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    let client = stack.client().clone();
    let path = format!("/api/v1/search/status/{id}?wait=30");
    let waiting = tokio::spawn(async move {
        let begun = Instant::now();
        (client.get(&path).await.expect(200), begun.elapsed())
    });
    stack.add_worker();
    let (processing, took) = waiting.await.unwrap();
    assert_eq!(processing["status"], "processing", "after {took:?}");
    let (completed, took) = poll_and_wait(&stack, &id, 30).await;
    assert_eq!(completed["status"], "completed", "after {took:?}");
    let (again, took) = poll_and_wait(&stack, &id, 30).await;
    assert_eq!(again, completed);
    assert!(
        took < WITHOUT_WAITING,
        "nothing can change any more: {took:?}"
    );
}

#[tokio::test]
async fn a_poll_that_waits_returns_the_old_state_when_its_time_is_up() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let id = stack.client().enqueue(question()).await;
    let (pending, took) = poll_and_wait(&stack, &id, 1).await;
    assert_eq!(pending["status"], "pending");
    assert!(
        (Duration::from_millis(950)..WITHOUT_WAITING).contains(&took),
        "{took:?}"
    );
}

#[tokio::test]
async fn many_polls_may_wait_for_one_search() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let stack = Stack::builder(binaries!())
        .with_searxng(&searxng)
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "processing", TIMEOUT).await;
    let polls = (0..50).map(|_| {
        let (client, path) = (
            stack.client().clone(),
            format!("/api/v1/search/status/{id}?wait=30"),
        );
        tokio::spawn(async move { client.get(&path).await.expect(200) })
    });
    let polls: Vec<_> = polls.collect();
    stack
        .client()
        .delete(&format!("/api/v1/search/{id}"))
        .await
        .expect(200);
    for poll in polls {
        assert_eq!(poll.await.unwrap()["status"], "failed");
    }
    wait_until_idle(&stack).await;
}
