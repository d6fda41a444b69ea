//! Control of searches by clients and operators: cancel, retry, reject, inspect.

use privachat_tests::{
    Stack, Upstream, eventually,
    fixtures::{question, searxng_hanging_first, wait_for_status, wait_until_idle},
    redis::Options,
    upstream::{Reply, searxng},
};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

const SHORT_TIMEOUT: Duration = Duration::from_secs(2);

async fn stack(searxng: &Upstream, workers: usize) -> Stack {
    privachat_tests::fixtures::stack(privachat_tests::binaries!(), searxng, workers).await
}

#[tokio::test]
async fn a_cancel_ends_a_waiting_search_at_once_and_a_running_one_within_a_moment() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let mut stack = stack(&searxng, 0).await;
    let waiting = stack.client().enqueue(question()).await;
    let answer = stack
        .client()
        .delete(&format!("/api/v1/search/{waiting}"))
        .await
        .expect(200);
    assert_eq!(
        (answer["status"].clone(), answer["cancelled"].clone()),
        (json!("failed"), json!(true))
    );
    assert_eq!(answer["error"], "cancelled by client");

    stack.add_worker();
    let running = stack.client().enqueue(question()).await;
    searxng.wait_for_calls(1).await;
    let start = Instant::now();
    let answer = stack
        .client()
        .delete(&format!("/api/v1/search/{running}"))
        .await
        .expect(200);
    assert_eq!(answer["status"], "failed", "{answer}");
    println!(
        "cancel of a running search: ended after {:?}",
        start.elapsed()
    );
    eventually(
        "the engine sees the connection close",
        SHORT_TIMEOUT,
        async || (searxng.abandoned() == 1).then_some(()),
    )
    .await;

    let again = stack
        .client()
        .delete(&format!("/api/v1/search/{running}"))
        .await;
    assert_eq!(again.expect(409)["error"], "already_finished");
    let unknown = "/api/v1/search/11111111-1111-1111-1111-111111111111";
    assert_eq!(stack.client().delete(unknown).await.status, 404);
    wait_until_idle(&stack).await;
}

#[tokio::test]
async fn a_failed_search_can_be_run_again_and_no_other() {
    let (searxng, _) = searxng_hanging_first(0);
    searxng.next(searxng::json_disabled());
    let stack = stack(&searxng, 1).await;
    let id = stack.client().enqueue(question()).await;
    wait_for_status(&stack, &id, "failed", Duration::from_secs(10)).await;
    let retry = |id: &str| {
        let path = format!("/api/v1/search/{id}/retry");
        stack
            .client()
            .send(stack.client().request(reqwest::Method::POST, &path))
    };
    let again = retry(&id).await.expect(200);
    let second = again["session_id"].as_str().unwrap().to_owned();
    assert_ne!(second, id);
    wait_for_status(&stack, &second, "completed", Duration::from_secs(10)).await;
    assert_eq!(retry(&second).await.expect(409)["error"], "not_retryable");
}

#[tokio::test]
async fn a_full_queue_refuses_with_the_time_to_wait() {
    let (searxng, _) = searxng_hanging_first(0);
    let stack = Stack::builder(privachat_tests::binaries!())
        .workers(0)
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("MAX_QUEUE_LENGTH", 3)
        .start()
        .await;
    for position in 0..3 {
        let id = stack.client().enqueue(question()).await;
        let now = stack.client().status(&id).await.expect(200);
        assert_eq!(now["queue_position"], position);
    }
    let queue = stack.client().get("/api/v1/queue").await.expect(200);
    assert_eq!(queue["modes"][0]["depth"], 3, "{queue}");
    assert!(
        queue["modes"][0]["oldest_age_seconds"].as_f64().is_some(),
        "{queue}"
    );
    let mut request = question();
    request["async_mode"] = json!(true);
    let refused = stack.client().post_search(request).await;
    assert_eq!(refused.expect(429)["error"], "queue_full");
    assert!(refused.header("retry-after").is_some());
}

#[tokio::test]
async fn operators_see_workers_and_what_they_run() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let mut stack = stack(&searxng, 1).await;
    stack.client().enqueue(question()).await;
    let queue = eventually(
        "the worker shows its search",
        Duration::from_secs(10),
        async || {
            let queue = stack.client().get("/api/v1/queue").await.expect(200);
            (queue["modes"][0]["running"] == 1).then_some(queue)
        },
    )
    .await;
    assert_eq!(queue["workers"].as_array().unwrap().len(), 1, "{queue}");
    assert_eq!(
        (
            queue["modes"][0]["slots"].clone(),
            queue["modes"][2]["slots"].clone()
        ),
        (json!(16), json!(4))
    );
    assert_eq!(
        stack.workers[0]
            .process()
            .stop(Duration::from_secs(20))
            .await,
        0
    );
    let queue = stack.client().get("/api/v1/queue").await.expect(200);
    assert_eq!(queue["workers"], json!([]));
    assert_eq!(
        queue["modes"][0]["depth"], 1,
        "the search was released: {queue}"
    );
}

#[tokio::test]
async fn operators_see_the_state_of_the_engines_for_each_worker() {
    let searxng = Upstream::always(searxng::json_disabled());
    let wiki = Upstream::always(Reply::json(503, "{}"));
    let stack = Stack::builder(privachat_tests::binaries!())
        .env("SEARXNG_BASE_URL", searxng.url())
        .env("WIKIPEDIA_BASE_URL", wiki.url())
        .start()
        .await;
    let engine = async |name: &str, state: &str| {
        eventually(
            &format!("{name} is {state}"),
            Duration::from_secs(10),
            async || {
                let queue = stack.client().get("/api/v1/queue").await.expect(200);
                let engines = queue["workers"][0]["providers"].as_array()?.clone();
                let is_so = |engine: &Value| engine["name"] == name && engine["state"] == state;
                engines.into_iter().find(is_so)
            },
        )
        .await
    };
    let idle = json!({"name": "wikipedia", "state": "closed", "usual_ms": null, "failures": 0});
    assert_eq!(engine("wikipedia", "closed").await, idle);
    for _ in 0..5 {
        let mut question = question();
        question["search_engine"] = json!("wikipedia");
        let id = stack.client().enqueue(question).await;
        wait_for_status(&stack, &id, "failed", Duration::from_secs(30)).await;
    }
    let spared = engine("wikipedia", "open").await;
    assert_eq!(spared["failures"], 5, "{spared}");
    assert_eq!(engine("searxng", "closed").await["failures"], 0);
}

#[tokio::test]
async fn a_redis_that_may_lose_data_is_reported_at_the_start() {
    let arguments = ["--maxmemory-policy", "allkeys-lru", "--maxmemory", "100mb"];
    let mut stack = Stack::builder(privachat_tests::binaries!())
        .redis(Options {
            arguments: arguments.map(str::to_owned).to_vec(),
            ..Options::default()
        })
        .start()
        .await;
    let Stack { workers, api, .. } = &mut stack;
    for process in [workers[0].process(), api.process()] {
        for advice in ["set it to noeviction", "appendonly is off"] {
            eventually(advice, Duration::from_secs(10), async || {
                process.output().contains(advice).then_some(())
            })
            .await;
        }
    }
}
