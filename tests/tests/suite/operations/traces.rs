//! One trace from the POST through the queue to each upstream call, if a collector is set.

use std::collections::BTreeSet;
use std::time::Duration;

use privachat_tests::upstream::collector::{self, Span};
use privachat_tests::upstream::{Reply, model, searxng, site};
use privachat_tests::{Stack, Upstream, binaries, stack::StackBuilder};
use reqwest::Method;
use serde_json::{Value, json};

const PUBLISH: &str = "search.queue publish";
const PROCESS: &str = "search.queue process";

fn engine() -> (Upstream, Upstream) {
    let text = "Gather is a function that runs awaitable objects concurrently. ".repeat(8);
    let page = site::serving([("/page", site::article("Gather", &[&text]))]);
    let found = searxng::Result::new("Gather", &page.url_for("/page"), &text);
    (searxng::finding(vec![found]), page)
}

fn traced(engine: &Upstream, endpoint: &str) -> StackBuilder {
    Stack::builder(binaries!())
        .with_searxng(engine)
        .env("FETCH_ALLOW_HOSTS", "127.0.0.1")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        // Instead of 5 s.
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        // Spans are exported at every log level.
        .env("LOG_LEVEL", "error")
}

fn question() -> Value {
    json!({"query": "What is gather in asyncio?", "mode": "balanced", "cache": false})
}

fn only_span<'a>(spans: &'a [Span], name: &str) -> &'a Span {
    let mut found = spans.iter().filter(|span| span.name == name);
    let one = found
        .next()
        .unwrap_or_else(|| panic!("no {name} in {spans:#?}"));
    assert!(found.next().is_none(), "more than one {name}: {spans:#?}");
    one
}

#[tokio::test]
async fn a_search_is_one_trace_from_the_post_to_each_upstream() {
    let ((engine, _page), collector) = (engine(), collector::taking());
    let model = model::chat(model::Script::says(
        "Gather runs awaitables concurrently [1].",
    ));
    let stack = traced(&engine, &collector.url())
        .worker_env("LLM_BASE_URL", model.url_for("/v1"))
        .worker_env("LLM_MODEL", "double")
        .start()
        .await;
    let id = stack.client().enqueue(question()).await;
    stack.client().wait_completed(&id).await;
    let _all = collector::until(&collector, PROCESS, 1).await;
    let spans = collector::until(&collector, "POST /api/v1/search", 1).await;

    let traces: BTreeSet<&str> = spans.iter().map(|span| span.trace.as_str()).collect();
    assert_eq!(traces.len(), 1, "polls make no traces: {spans:#?}");
    let post = only_span(&spans, "POST /api/v1/search");
    let publish = only_span(&spans, PUBLISH);
    let process = only_span(&spans, PROCESS);
    let kinds = [post, publish, process].map(|span| span.kind.as_str_name());
    assert_eq!(
        kinds,
        [
            "SPAN_KIND_SERVER",
            "SPAN_KIND_PRODUCER",
            "SPAN_KIND_CONSUMER"
        ]
    );
    let services = [post, publish, process].map(|span| span.service.as_str());
    assert_eq!(
        services,
        ["privachat-api", "privachat-api", "privachat-worker"]
    );
    assert_eq!(post.parent, "");
    assert_eq!(publish.parent, post.id);
    assert_eq!(process.parent, publish.id);
    assert_eq!(post.attributes["http.response.status_code"], "200");
    assert_eq!(process.attributes["session_id"], id);
    assert_eq!(
        process.attributes["request_id"],
        post.attributes["request_id"]
    );

    for stage in ["plan", "search", "read", "rank", "answer", "check"] {
        assert_eq!(only_span(&spans, stage).parent, process.id, "{stage}");
    }
    // The question itself is searched for while the model plans.
    let parents = |name: &str| -> Vec<&str> {
        let named = spans.iter().filter(|span| span.name == name);
        named
            .map(|span| {
                assert_eq!(span.kind.as_str_name(), "SPAN_KIND_CLIENT");
                assert_eq!(
                    span.attributes["http.response.status_code"], "200",
                    "{span:?}"
                );
                let parent = spans.iter().find(|other| other.id == span.parent);
                parent.map_or("", |parent| parent.name.as_str())
            })
            .collect()
    };
    let searched = parents("search searxng");
    assert!(!searched.is_empty() && searched.iter().all(|it| ["plan", "search"].contains(it)));
    assert_eq!(parents("fetch page"), ["read"]);
    assert!(parents("chat").contains(&"answer"));

    let text = format!("{spans:?}");
    for private in ["gather", "Gather", "asyncio", "127.0.0.1", "double"] {
        assert!(!text.contains(private), "{private} in {text}");
    }
}

#[tokio::test]
async fn the_trace_of_a_client_continues_in_the_second_attempt() {
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let ((engine, _page), collector) = (engine(), collector::taking());
    // More failures than a search retries by itself.
    (0..3).for_each(|_| engine.next(Reply::json(503, "{}")));
    let stack = traced(&engine, &collector.url()).start().await;
    let mut body = question();
    body["async_mode"] = true.into();
    body["mode"] = "speed".into();
    let post = stack
        .client()
        .request(Method::POST, "/api/v1/search")
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .json(&body);
    let accepted = stack.client().send(post).await.expect(200);
    let id = accepted["session_id"].as_str().unwrap();
    stack.client().wait_completed(id).await;
    let spans = collector::until(&collector, PROCESS, 2).await;

    assert!(spans.iter().all(|span| span.trace == trace), "{spans:#?}");
    let publish = only_span(&spans, PUBLISH);
    let attempts: Vec<(&str, &str, bool)> = spans
        .iter()
        .filter(|span| span.name == PROCESS)
        .map(|span| {
            (
                span.attributes["search.attempt"].as_str(),
                span.parent.as_str(),
                span.is_error,
            )
        })
        .collect();
    let parent = publish.id.as_str();
    assert_eq!(attempts, [("1", parent, true), ("2", parent, false)]);
    assert_eq!(
        only_span(&spans, "POST /api/v1/search").parent,
        "00f067aa0ba902b7"
    );
}

/// Runs a search and stops both processes without SIGKILL.
async fn search_and_stop(endpoint: &str) {
    let (engine, _page) = engine();
    let mut stack = traced(&engine, endpoint).start().await;
    let answer = stack.client().post_search(question()).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    // Waiting for a hanging collector would never end.
    let within = Duration::from_secs(60);
    assert_eq!(stack.workers[0].process().stop(within).await, 0);
    assert_eq!(stack.api.process().stop(within).await, 0);
}

#[tokio::test]
async fn a_missing_or_hanging_collector_delays_neither_searches_nor_the_shutdown() {
    search_and_stop("http://127.0.0.1:9").await;
    let hanging = Upstream::always(Reply::hang());
    search_and_stop(&hanging.url()).await;
    assert!(hanging.calls() > 0);
}

#[tokio::test]
async fn the_last_spans_are_sent_when_a_process_stops() {
    let ((engine, _page), collector) = (engine(), collector::taking());
    let mut stack = traced(&engine, &collector.url())
        .env("OTEL_BSP_SCHEDULE_DELAY", "60000")
        .start()
        .await;
    assert_eq!(stack.client().post_search(question()).await.status, 200);
    assert_eq!(collector.calls(), 0);
    let within = Duration::from_secs(10);
    assert_eq!(stack.workers[0].process().stop(within).await, 0);
    assert_eq!(stack.api.process().stop(within).await, 0);
    let spans = collector::spans(&collector);
    only_span(&spans, PROCESS);
    only_span(&spans, "POST /api/v1/search");
}
