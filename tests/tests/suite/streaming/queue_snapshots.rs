//! Snapshots of the queue: what they contain, and when a new one comes.

use std::time::{Duration, Instant};

use privachat_tests::event_stream::EventStream;
use privachat_tests::fixtures::{
    question, searxng_hanging_first, wait_for_status, wait_until_idle,
};
use privachat_tests::upstream::{Upstream, searxng};
use privachat_tests::{Stack, binaries, eventually, redis_info};
use redis::aio::MultiplexedConnection;
use reqwest::Method;
use serde_json::{Value, json};

const TIMEOUT: Duration = Duration::from_secs(15);

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    privachat_tests::fixtures::stack(binaries!(), searxng, workers).await
}

/// A stream of snapshots.
struct Watcher {
    stream: EventStream,
    read: usize,
}

impl Watcher {
    async fn start(stack: &Stack) -> Self {
        let request = stack.client().request(Method::GET, "/api/v1/queue/events");
        Self {
            stream: EventStream::open(request).await,
            read: 0,
        }
    }

    /// The next snapshot; None when the stream has ended.
    async fn next(&mut self) -> Option<Value> {
        loop {
            let rest = &self.stream.raw[self.read..];
            if let Some(end) = rest.windows(2).position(|pair| pair == b"\n\n") {
                let block = String::from_utf8(rest[..end].to_vec()).expect("UTF-8");
                self.read += end + 2;
                let is_content = |line: &&str| !line.starts_with(':') && *line != "retry: 1000";
                let content: Vec<&str> = block.lines().filter(is_content).collect();
                let content = content.join("\n");
                if let Some(data) = content.strip_prefix("event: queue\ndata: ") {
                    return Some(serde_json::from_str(data).expect("JSON"));
                }
                continue;
            }
            self.stream.more().await?;
        }
    }

    async fn until(&mut self, what: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let start = Instant::now();
        loop {
            let snapshot = self.next().await.expect("another snapshot");
            if holds(&snapshot) {
                return snapshot;
            }
            assert!(start.elapsed() < TIMEOUT, "not seen: {what}: {snapshot}");
        }
    }
}

fn has_none(snapshot: &Value, list: &str) -> bool {
    snapshot[list].as_array().expect("a list").is_empty()
}

/// How often the list of failures was read, by all APIs.
async fn failure_list_reads(redis: &mut MultiplexedConnection) -> u64 {
    redis_info::calls(redis, "zrevrange").await
}

#[tokio::test]
async fn waiting_and_running_searches_are_pushed_and_a_cancel_removes_them() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let mut stack = stack(&searxng, 0).await;
    let mut watcher = Watcher::start(&stack).await;
    let first = watcher.next().await.unwrap();
    assert_eq!(first["modes"].as_array().unwrap().len(), 3, "{first}");
    assert!(has_none(&first, "searches") && has_none(&first, "workers"));

    let id = stack.client().enqueue(question()).await;
    let waiting = watcher
        .until("it waits", |now| now["searches"][0]["session_id"] == *id)
        .await;
    assert_eq!(waiting["searches"][0]["status"], "pending");
    assert_eq!(waiting["searches"][0]["mode"], "speed");
    assert!(waiting["searches"][0]["age_seconds"].as_f64().unwrap() < 10.0);
    assert_eq!(waiting["modes"][0]["depth"], 1);

    stack.add_worker();
    let running = watcher
        .until("it runs", |now| now["modes"][0]["running"] == 1)
        .await;
    assert_eq!(running["searches"][0]["status"], "processing", "{running}");
    assert!(running["workers"][0]["version"].is_string(), "{running}");

    let path = format!("/api/v1/search/{id}");
    stack.client().delete(&path).await.expect(200);
    let after = watcher
        .until("it is removed", |now| has_none(now, "searches"))
        .await;
    wait_until_idle(&stack).await;
    let polled = stack.client().get("/api/v1/queue").await.expect(200);
    for shown in [after, polled] {
        assert!(
            has_none(&shown, "failures"),
            "cancelled, not failed: {shown}"
        );
    }
}

#[tokio::test]
async fn a_failure_appears_with_its_reason_without_the_question_and_can_be_retried() {
    let (searxng, _) = searxng_hanging_first(0);
    searxng.next(searxng::json_disabled());
    let stack = stack(&searxng, 1).await;
    let mut watcher = Watcher::start(&stack).await;
    let id = stack.client().enqueue(question()).await;
    let ended = wait_for_status(&stack, &id, "failed", TIMEOUT).await;
    let seen = watcher
        .until("the failure", |now| !has_none(now, "failures"))
        .await;
    let failure = &seen["failures"][0];
    assert_eq!(failure["session_id"], *id);
    assert_eq!(failure["mode"], "speed");
    assert_eq!(failure["error"], ended["error"]);
    assert_eq!(failure["error_code"], ended["error_code"]);
    assert!(failure["failed_at"].is_string());
    let query = question()["query"].as_str().unwrap().to_owned();
    assert!(!seen.to_string().contains(&query), "{seen}");

    let path = format!("/api/v1/search/{id}/retry");
    let request = stack.client().request(Method::POST, &path);
    let again = stack.client().send(request).await.expect(200);
    let second = again["session_id"].as_str().unwrap();
    wait_for_status(&stack, second, "completed", TIMEOUT).await;
    let polled = stack.client().get("/api/v1/queue").await.expect(200);
    assert_eq!(polled["failures"].as_array().unwrap().len(), 1, "{polled}");
}

#[tokio::test]
async fn many_watchers_cost_one_read_a_second_and_none_cost_nothing() {
    let (searxng, _) = searxng_hanging_first(0);
    let stack = stack(&searxng, 1).await;
    let mut redis = stack.redis.connection().await;
    assert_eq!(failure_list_reads(&mut redis).await, 0, "no watcher yet");
    let start = Instant::now();
    let mut watchers = Vec::new();
    for _ in 0..20 {
        watchers.push(Watcher::start(&stack).await);
    }
    // A worker's heartbeats cause new snapshots.
    for watcher in &mut watchers {
        for _ in 0..3 {
            watcher.next().await.expect("a snapshot");
        }
    }
    let reads = failure_list_reads(&mut redis).await;
    let most = start.elapsed().as_secs() + 2;
    assert!((3..=most).contains(&reads), "{reads} reads, at most {most}");

    drop(watchers);
    let mut before = (failure_list_reads(&mut redis).await, Instant::now());
    eventually("the reads stop", TIMEOUT, async || {
        let now = failure_list_reads(&mut redis).await;
        if now != before.0 {
            before = (now, Instant::now());
        }
        (before.1.elapsed() > Duration::from_secs(3)).then_some(())
    })
    .await;
    let mut late = Watcher::start(&stack).await;
    late.next().await.expect("a snapshot for a late watcher");
}

#[tokio::test]
async fn a_stream_ends_when_the_process_stops() {
    let (searxng, _) = searxng_hanging_first(0);
    let mut stack = stack(&searxng, 0).await;
    let mut watcher = Watcher::start(&stack).await;
    watcher.next().await.expect("a snapshot");
    let code = stack.api.process().stop(Duration::from_secs(10)).await;
    assert_eq!(code, 0);
    assert_eq!(watcher.next().await, None);
}

#[tokio::test]
async fn the_page_is_for_browsers_and_its_parts_are_served() {
    let (searxng, _) = searxng_hanging_first(0);
    let stack = stack(&searxng, 0).await;
    let page = stack.client().get("/queue").await;
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.contains("default-src 'none'"), "{policy}");
    for part in ["queue.js", "chart.js", "dom.js", "style.css"] {
        let path = format!("/assets/{part}");
        assert_eq!(stack.client().get(&path).await.status, 200, "{path}");
    }
    let request = stack
        .client()
        .request(Method::POST, "/queue")
        .json(&json!({}));
    assert_eq!(stack.client().send(request).await.status, 405);
}
