//! The same question at the same moment, and again later: real workers, real Redis.

use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    fixtures::{self, gather_results},
    upstream::{Reply, Request, searxng},
};
use redis::AsyncCommands;
use serde_json::Value;
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

/// A search that may be shared, which is the default.
fn question() -> Value {
    let mut question = fixtures::question();
    question.as_object_mut().unwrap().remove("cache");
    question
}

/// A SearXNG that returns results once it is released.
#[derive(Clone, Default)]
struct Gate(Arc<AtomicBool>);

impl Gate {
    fn searxng(&self) -> Upstream {
        let is_open = Arc::clone(&self.0);
        Upstream::start(move |request: &Request| {
            while !is_open.load(Ordering::SeqCst) {
                thread::sleep(Duration::from_millis(5));
            }
            let body = searxng::body(
                request.parameter("q").unwrap_or_default(),
                &gather_results(),
            );
            Reply::json(200, body.to_string())
        })
    }

    fn open(&self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        self.open();
    }
}

/// With one slot each, `workers` can run one search each, so that the second runs elsewhere.
async fn stack(searxng: &Upstream, workers: usize, slots: usize, ttl: u64) -> Stack {
    Stack::builder(binaries!())
        .workers(workers)
        .with_searxng(searxng)
        .env("WORKER_SLOTS", slots)
        .env("CACHE_TTL_SECONDS", ttl)
        .start()
        .await
}

/// Starts a search and waits for its first progress event: then it has joined.
async fn start_and_wait_for_progress(stack: &Stack, question: &Value) -> String {
    let id = stack.client().enqueue(question.clone()).await;
    eventually(
        "the search reports progress",
        Duration::from_secs(10),
        async || {
            let now = stack.client().status(&id).await.expect(200);
            (!now["progress"].is_null()).then_some(())
        },
    )
    .await;
    id
}

async fn kinds(stack: &Stack, id: &str) -> Vec<String> {
    let key = format!("{{search_job:{id}}}:ev");
    let mut redis = stack.redis.connection().await;
    let events: redis::streams::StreamRangeReply = redis.xrange_all(key).await.unwrap();
    let seen: Vec<String> = events
        .ids
        .iter()
        .flat_map(|event| event.map.values())
        .filter_map(|value| redis::from_redis_value_ref(value).ok())
        .collect();
    seen
}

fn cites(end: &Value) -> bool {
    end["answer"]
        .as_str()
        .is_some_and(|answer| answer.contains("[1]"))
}

#[tokio::test]
async fn the_same_search_in_one_worker_runs_once_and_its_first_caller_may_cancel() {
    let gate = Gate::default();
    let searxng = gate.searxng();
    let stack = stack(&searxng, 1, 8, 0).await;
    let question = question();
    let first = start_and_wait_for_progress(&stack, &question).await;
    let second = start_and_wait_for_progress(&stack, &question).await;
    let third = start_and_wait_for_progress(&stack, &question).await;
    let path = format!("/api/v1/search/{first}");
    stack.client().delete(&path).await.expect(200);
    let cancelled = stack.client().wait_terminal(&first).await;
    assert_eq!(cancelled["cancelled"], true, "{cancelled}");
    gate.open();
    for id in [&second, &third] {
        let end = stack.client().wait_completed(id).await;
        assert_eq!(end["session_id"], id.as_str());
        assert_eq!(end["cached"], false);
        assert!(cites(&end), "{end}");
        let seen = kinds(&stack, id).await;
        assert!(seen.iter().any(|kind| kind == "text"), "{seen:?}");
        assert!(seen.iter().any(|kind| kind == "sources"), "{seen:?}");
    }
    assert_eq!(searxng.calls(), 1);
    fixtures::wait_until_idle(&stack).await;
}

#[tokio::test]
async fn the_same_search_in_two_workers_runs_once_and_a_later_one_again() {
    let gate = Gate::default();
    let searxng = gate.searxng();
    let stack = stack(&searxng, 2, 1, 0).await;
    let first = start_and_wait_for_progress(&stack, &question()).await;
    let second = start_and_wait_for_progress(&stack, &question()).await;
    gate.open();
    for id in [&first, &second] {
        let end = stack.client().wait_completed(id).await;
        assert!(cites(&end) && end["cached"] == false, "{end}");
        let seen = kinds(&stack, id).await;
        assert!(seen.iter().any(|kind| kind == "text"), "{seen:?}");
    }
    assert_eq!(searxng.calls(), 1);
    let third = stack.client().post_search(question()).await.expect(200);
    assert_eq!(third["cached"], false);
    assert_eq!(
        searxng.calls(),
        2,
        "without CACHE_TTL_SECONDS nothing is cached"
    );
}

#[tokio::test]
async fn a_search_that_waits_for_a_killed_worker_runs_alone_within_5_seconds() {
    let gate = Gate::default();
    let searxng = gate.searxng();
    let mut stack = Stack::builder(binaries!())
        .workers(1)
        .with_searxng(&searxng)
        .env("WORKER_SLOTS", 1)
        .env("JOB_LEASE_SECONDS", fixtures::LEASE)
        .start()
        .await;
    let mut question = question();
    question["timeout"] = 60.into();
    let first = start_and_wait_for_progress(&stack, &question).await;
    searxng.wait_for_calls(1).await;
    stack.add_worker();
    let second = start_and_wait_for_progress(&stack, &question).await;
    assert_eq!(searxng.calls(), 1, "the second waits");
    stack.workers[0].process().kill();
    let within = Duration::from_secs(5);
    eventually("the second searches", within, async || {
        (searxng.calls() == 2).then_some(())
    })
    .await;
    gate.open();
    for (id, attempt) in [(&second, 1), (&first, 2)] {
        let end = stack.client().wait_completed(id).await;
        assert!(cites(&end), "{end}");
        assert_eq!(end["attempt"], attempt, "{end}");
    }
    fixtures::wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_cached_answer_serves_the_next_search_unless_it_wants_a_new_one() {
    let searxng = searxng::finding(gather_results());
    let stack = stack(&searxng, 2, 1, 60).await;
    let first = stack.client().post_search(question()).await.expect(200);
    assert_eq!(
        (first["cached"].as_bool(), searxng.calls()),
        (Some(false), 1)
    );
    // Cached after the answer is delivered: this may take a moment.
    let mut redis = stack.redis.connection().await;
    eventually("the answer is cached", Duration::from_secs(5), async || {
        let kept: Vec<String> = redis.keys("search_answer:*").await.unwrap();
        (kept.len() == 1).then_some(())
    })
    .await;
    let second = stack.client().post_search(question()).await.expect(200);
    assert_eq!(
        (second["cached"].as_bool(), searxng.calls()),
        (Some(true), 1)
    );
    for same in [
        "answer",
        "sources",
        "citation_mapping",
        "confidence",
        "model_used",
    ] {
        assert_eq!(second[same], first[same], "{same}");
    }
    assert_ne!(second["session_id"], first["session_id"]);
    assert!(second["usage"].is_null());
    assert_ne!(second["execution_time"], first["execution_time"]);

    let mut fresh = question();
    fresh["cache"] = false.into();
    let third = stack.client().post_search(fresh).await.expect(200);
    assert_eq!(
        (third["cached"].as_bool(), searxng.calls()),
        (Some(false), 2)
    );
    let mut other = question();
    other["max_sources"] = 7.into();
    let fourth = stack.client().post_search(other).await.expect(200);
    assert_eq!(
        (fourth["cached"].as_bool(), searxng.calls()),
        (Some(false), 3)
    );
}
