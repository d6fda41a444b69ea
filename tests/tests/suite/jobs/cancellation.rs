//! How soon a cancelled search stops its upstream calls.

use futures_util::future::join_all;
use privachat_tests::{
    Stack, Upstream, binaries, eventually,
    fixtures::{gather_results, searxng_hanging_first, wait_until_idle},
    upstream::{Reply, Step, searxng},
};
use redis::AsyncCommands;
use serde_json::json;
use std::time::Duration;

const SEARCHES: usize = 100;

/// Leases in seconds: the longest, whose next heartbeat is more than a minute away, and the
/// shortest.
const LONG_LEASE: u64 = 300;
const SHORT_LEASE: u64 = 3;
/// Before the next heartbeat of a long lease, and far more than a message takes.
const BEFORE_THE_HEARTBEAT: Duration = Duration::from_secs(60);

/// A model that reasons for longer than any test waits. Its reasoning is hidden, so the attempt
/// reports nothing and learns of a cancel from the message alone; no timeout ends the call either.
fn reasoning_model() -> Upstream {
    let send = |content: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": content}}]});
        Step::Send(format!("data: {delta}\n\n").into())
    };
    let mut steps = vec![send("<think>")];
    for _ in 0..200 {
        steps.extend([send("hm "), Step::Wait(Duration::from_secs(5))]);
    }
    Upstream::always(Reply::steps(200, "text/event-stream", steps))
}

async fn start_running(
    searxng: &Upstream,
    model: Option<&Upstream>,
    searches: usize,
    lease: u64,
) -> (Stack, Vec<String>) {
    let mut stack = Stack::builder(binaries!())
        .workers(2)
        .with_searxng(searxng)
        .env("WORKER_SLOTS", SEARCHES)
        .env("JOB_LEASE_SECONDS", lease);
    if let Some(model) = model {
        stack = stack
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_API_KEY", "key-of-the-test")
            .env("LLM_MODEL", "slow")
            .env("LLM_CONTEXT_TOKENS", "8192");
    }
    let stack = stack.start().await;
    let posts = (0..searches).map(|number| {
        let search = json!({
            "query": format!("What is gather? ({number})"), "mode": "speed", "timeout": 300,
        });
        stack.client().enqueue(search)
    });
    let ids = join_all(posts).await;
    model.unwrap_or(searxng).wait_for_calls(searches).await;
    (stack, ids)
}

async fn wait_until_abandoned(upstream: &Upstream, searches: usize) {
    eventually(
        "all connections are closed",
        BEFORE_THE_HEARTBEAT,
        async || (upstream.abandoned() == searches).then_some(()),
    )
    .await;
}

/// The duration is measured by the bench `cancel`.
#[tokio::test]
async fn a_cancelled_search_hangs_up_on_its_upstreams_without_waiting_for_a_heartbeat() {
    let (searxng, model) = (searxng::finding(gather_results()), reasoning_model());
    let (stack, ids) = start_running(&searxng, Some(&model), SEARCHES, LONG_LEASE).await;
    // All at once: each request waits a moment for its search to end, and together they must be
    // done before the first heartbeat.
    let cancels = ids.iter().map(async |id| {
        let path = format!("/api/v1/search/{id}");
        stack.client().delete(&path).await.expect(200)
    });
    join_all(cancels).await;
    wait_until_abandoned(&model, SEARCHES).await;
    wait_until_idle(&stack).await;
    assert_eq!(model.calls(), SEARCHES, "nothing was asked after a cancel");
}

#[tokio::test]
async fn a_cancel_with_a_lost_message_is_noticed_at_the_next_heartbeat() {
    let (searxng, _) = searxng_hanging_first(usize::MAX);
    let (stack, ids) = start_running(&searxng, None, 20, SHORT_LEASE).await;
    let mut redis = stack.redis.connection().await;
    for id in &ids {
        // Only the flag, as after a cancel whose message was lost.
        let control = format!("{{search_job:{id}}}:ctl");
        let () = redis.hset(control, "cancel", "lost").await.unwrap();
    }
    wait_until_abandoned(&searxng, ids.len()).await;
    wait_until_idle(&stack).await;
    assert_eq!(
        searxng.calls(),
        ids.len(),
        "nothing was asked after a cancel"
    );
}
