//! The metrics of both binaries, and who may read them.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use privachat_tests::fixtures::{searxng_hanging_first, wait_until_idle};
use privachat_tests::scrape::{Scrape, address, scrape, speed, watched, web, worker_port};
use privachat_tests::upstream::Reply;
use privachat_tests::{Stack, Upstream, binaries, eventually, project_files};
use redis::AsyncCommands;
use serde_json::json;

const TIMEOUT: Duration = Duration::from_secs(20);
const SECRET: &str = "whsec_c2l4IHRpbWVzIG5pbmUgaXMgZm9ydHktdHdvLCBvciBub3Q=";
const ADMIN: &str = "planted-admin-key-1f0d";

/// Names and types in the tables of docs/METRICS.md under these headings.
fn documented(headings: [&str; 2]) -> BTreeMap<String, String> {
    let page = std::fs::read_to_string(project_files::root().join("docs/METRICS.md")).unwrap();
    let mut rows = BTreeMap::new();
    for heading in headings {
        let (_, rest) = page.split_once(&format!("\n## {heading}\n")).unwrap();
        let section = rest.split("\n## ").next().unwrap();
        for row in section.lines().filter(|line| line.starts_with("| `")) {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            rows.insert(cells[1].trim_matches('`').to_owned(), cells[2].to_owned());
        }
    }
    rows
}

#[tokio::test]
async fn both_binaries_count_outcomes_and_export_the_documented_metrics() {
    let web = web();
    let stack = watched(binaries!(), &web).await;
    let client = stack.client();
    let worker = worker_port(&stack).await;

    client
        .post_search(speed("What is gather?"))
        .await
        .expect(200);
    let nothing = client.post_search(speed("nothing at all")).await;
    assert_eq!(nothing.expect(500)["error_code"], "no_sources");
    let hangs = client.enqueue(speed("hang on")).await;
    eventually("the search runs", TIMEOUT, async || {
        let now = scrape(&worker).await;
        (now.get(r#"privachat_worker_running{mode="speed"}"#) == 1.0).then_some(())
    })
    .await;
    let mut socket = client.socket(&hangs, "").await;
    socket.next().await.unwrap();
    let listening = scrape(client).await;
    assert_eq!(
        listening.get(r#"privachat_api_listeners{transport="websocket"}"#),
        1.0
    );
    // The worker reports its running searches every two seconds.
    eventually("the queue shows that it runs", TIMEOUT, async || {
        let now = scrape(client).await;
        (now.get(r#"privachat_queue_running{mode="speed"}"#) == 1.0).then_some(())
    })
    .await;
    client.delete(&format!("/api/v1/search/{hangs}")).await;
    client.wait_terminal(&hangs).await;
    socket.rest().await;
    wait_until_idle(&stack).await;
    client.get("/no/such/address").await;

    let api = eventually("the listener is disconnected", TIMEOUT, async || {
        let now = scrape(client).await;
        (now.sum("privachat_api_listeners", &[]) == 0.0).then_some(now)
    })
    .await;
    for (sample, value) in [
        (
            r#"privachat_api_searches_accepted_total{mode="speed"}"#,
            3.0,
        ),
        (r#"privachat_api_searches_accepted_total{mode="deep"}"#, 0.0),
        (
            r#"privachat_api_requests_total{method="POST",route="/api/v1/search",status="200"}"#,
            2.0,
        ),
        (
            r#"privachat_api_requests_total{method="POST",route="/api/v1/search",status="500"}"#,
            1.0,
        ),
        (
            r#"privachat_api_requests_total{method="GET",route="unknown",status="404"}"#,
            1.0,
        ),
        (
            r#"privachat_api_request_seconds_count{method="POST",route="/api/v1/search"}"#,
            3.0,
        ),
        (
            r#"privachat_api_refusals_total{error="search_execution_failed"}"#,
            1.0,
        ),
        (r#"privachat_api_refusals_total{error="not_found"}"#, 1.0),
        ("privachat_api_requests_in_flight", 1.0),
        (r#"privachat_queue_depth{mode="speed"}"#, 0.0),
        (r#"privachat_queue_oldest_seconds{mode="speed"}"#, 0.0),
        ("privachat_workers", 1.0),
        ("privachat_worker_slots_total", 16.0),
        ("privachat_history_unsaved", 0.0),
        ("privachat_callbacks_waiting", 0.0),
        ("privachat_redis_up", 1.0),
    ] {
        assert_eq!(api.get(sample), value, "{sample}");
    }
    assert_eq!(
        api.sum("privachat_build_info", &[r#"binary="privachat-api""#]),
        1.0
    );
    assert!(api.get("process_resident_memory_bytes") > 1e6);
    assert!(api.get("process_open_fds") > 3.0);

    let metrics = scrape(&worker).await;
    for (sample, value) in [
        (
            r#"privachat_worker_attempts_total{mode="speed",outcome="completed"}"#,
            1.0,
        ),
        (
            r#"privachat_worker_attempts_total{mode="speed",outcome="failed"}"#,
            2.0,
        ),
        (
            r#"privachat_worker_failures_total{error_code="no_sources"}"#,
            1.0,
        ),
        (
            r#"privachat_worker_failures_total{error_code="cancelled"}"#,
            1.0,
        ),
        (
            r#"privachat_worker_failures_total{error_code="timeout"}"#,
            0.0,
        ),
        (r#"privachat_worker_claim_seconds_count{mode="speed"}"#, 3.0),
        (
            r#"privachat_worker_search_seconds_count{mode="speed"}"#,
            3.0,
        ),
        (
            r#"privachat_worker_stage_seconds_count{stage="search"}"#,
            1.0,
        ),
        (r#"privachat_worker_slots{mode="all"}"#, 16.0),
        (r#"privachat_worker_slots{mode="deep"}"#, 4.0),
        (r#"privachat_worker_running{mode="speed"}"#, 0.0),
        (
            r#"privachat_worker_history_writes_total{outcome="saved"}"#,
            3.0,
        ),
        (r#"privachat_worker_breaker_open{upstream="searxng"}"#, 0.0),
        (
            r#"privachat_worker_upstream_requests_total{upstream="searxng",outcome="abandoned"}"#,
            1.0,
        ),
        ("privachat_worker_leases_lost_total", 0.0),
    ] {
        assert_eq!(metrics.get(sample), value, "{sample}");
    }
    let ok = [r#"upstream="searxng""#, r#"outcome="ok""#];
    let answered = metrics.sum("privachat_worker_upstream_requests_total", &ok);
    assert_eq!(answered as usize, web.calls() - 1);
    assert_eq!(
        metrics.sum("privachat_build_info", &[r#"binary="privachat-worker""#]),
        1.0
    );

    assert_eq!(api.types, documented(["The API", "Both"]));
    assert_eq!(metrics.types, documented(["The worker", "Both"]));
}

#[tokio::test]
async fn invented_values_of_clients_add_no_labels() {
    let web = web();
    let stack = watched(binaries!(), &web).await;
    let client = stack.client();
    let send = async |word: &str| {
        for path in [
            format!("/{word}"),
            format!("/api/v1/search/status/{word}"),
            format!("/api/v1/queue?{word}"),
        ] {
            let method = word.to_uppercase().parse().unwrap();
            client.send(client.request(method, &path)).await;
            client.get(&path).await;
        }
    };
    send("first").await;
    let names = |scrape: Scrape| scrape.samples.into_keys().collect::<BTreeSet<_>>();
    scrape(client).await;
    let before = names(scrape(client).await);
    assert!(
        before.iter().any(|it| it.contains(r#"method="other""#)),
        "{before:#?}"
    );
    for number in 0..50 {
        send(&format!("planted{number}")).await;
    }
    assert_eq!(names(scrape(client).await), before);
}

#[tokio::test]
async fn metrics_need_an_admin_key_except_on_their_own_port() {
    let web = web();
    let stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .workers(0)
        .api_env("API_KEYS", "planted-user-key-77aa")
        .api_env("API_ADMIN_KEYS", ADMIN)
        .api_env("METRICS_PORT", 0)
        .api_env("METRICS_ADDR_FILE", "api.metrics")
        .start()
        .await;
    let client = stack.client();
    assert_eq!(client.get("/metrics").await.status, 401);
    let user = client.with_key("planted-user-key-77aa");
    assert_eq!(user.get("/metrics").await.status, 403);
    scrape(&client.with_key(ADMIN)).await;

    let port = address(&stack.folder().join("api.metrics")).await;
    let seen = scrape(&port).await;
    for (error, count) in [("unauthorized", 1.0), ("forbidden", 1.0)] {
        let sample = format!(r#"privachat_api_refusals_total{{error="{error}"}}"#);
        assert_eq!(seen.get(&sample), count, "{error}");
    }
    assert_eq!(port.status_of("/readyz").await, Some(200));
    for path in ["/api/v1/queue", "/api/v1/sessions", "/"] {
        assert_eq!(port.get(path).await.status, 404, "{path}");
    }
}

#[tokio::test]
async fn without_redis_the_metrics_answer_and_no_process_is_ready() {
    let web = web();
    let mut stack = watched(binaries!(), &web).await;
    let worker = worker_port(&stack).await;
    let api = address(&stack.folder().join("api.metrics")).await;
    stack.redis.kill();
    for port in [&api, &worker] {
        eventually("it is not ready", TIMEOUT, async || {
            (port.status_of("/readyz").await == Some(503)).then_some(())
        })
        .await;
        assert_eq!(port.status_of("/livez").await, Some(200));
    }
    let seen = scrape(&api).await;
    assert_eq!(seen.get("privachat_redis_up"), 0.0);
    assert_eq!(seen.sum("privachat_queue_depth", &[]), 0.0);
    assert!(!seen.types.contains_key("privachat_queue_depth"));
    let reason = worker.get("/readyz").await.expect(503);
    assert_eq!(reason["reason"], "Redis does not answer");
    scrape(&worker).await;
}

#[tokio::test]
async fn a_hanging_redis_delays_no_scrape() {
    let web = web();
    let mut stack = watched(binaries!(), &web).await;
    let api = address(&stack.folder().join("api.metrics")).await;
    stack.redis.pause();
    let seen = scrape(&api).await;
    // Redis still hangs.
    assert_eq!(seen.get("privachat_redis_up"), 0.0);
    assert!(!seen.types.contains_key("privachat_queue_depth"));
    stack.redis.resume();
}

#[tokio::test]
async fn a_webhook_that_is_given_up_is_not_counted_as_a_retry() {
    let web = web();
    let full = Reply::new(503, "text/plain", "").header("retry-after", "3600");
    let receiver = Upstream::always(full);
    let stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .env("WEBHOOK_SECRET", SECRET)
        .env("FETCH_ALLOW_HOSTS", receiver.url().replace("http://", ""))
        .worker_env("METRICS_PORT", 0)
        .worker_env("METRICS_ADDR_FILE", "worker.metrics")
        .start()
        .await;
    let port = worker_port(&stack).await;
    let mut search = speed("What is gather?");
    search["callback_url"] = json!(receiver.url());
    // The record expires long before the receiver accepts the webhook.
    search["ttl_seconds"] = json!(60);
    let id = stack.client().enqueue(search).await;
    stack.client().wait_completed(&id).await;
    wait_until_idle(&stack).await;
    let metrics = scrape(&port).await;
    for (outcome, count) in [("taken", 0.0), ("failed", 0.0), ("given_up", 1.0)] {
        let sample = format!(r#"privachat_worker_callbacks_total{{outcome="{outcome}"}}"#);
        assert_eq!(metrics.get(&sample), count, "{outcome}");
    }
}

#[tokio::test]
async fn recovered_failures_are_counted() {
    let (web, _) = searxng_hanging_first(1);
    let receiver = Upstream::always(Reply::new(204, "text/plain", ""));
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .env("JOB_LEASE_SECONDS", 3)
        .env("WEBHOOK_SECRET", SECRET)
        .env("FETCH_ALLOW_HOSTS", receiver.url().replace("http://", ""))
        .start()
        .await;
    let mut search = speed("What is gather?");
    search["callback_url"] = json!(receiver.url());
    let id = stack.client().enqueue(search).await;
    web.wait_for_calls(1).await;
    let own = [
        ("METRICS_PORT", "0"),
        ("METRICS_ADDR_FILE", "worker.metrics"),
    ];
    stack.add_worker_with(&own);
    let port = worker_port(&stack).await;
    stack.workers[0].process().kill();
    stack.client().wait_completed(&id).await;
    wait_until_idle(&stack).await;
    let metrics = scrape(&port).await;
    for (sample, value) in [
        (
            r#"privachat_worker_recoveries_total{kind="worker_lost"}"#,
            1.0,
        ),
        (r#"privachat_worker_recoveries_total{kind="given_up"}"#, 0.0),
        (
            r#"privachat_worker_attempts_total{mode="speed",outcome="completed"}"#,
            1.0,
        ),
        // The dead worker had claimed it before.
        (r#"privachat_worker_claim_seconds_count{mode="speed"}"#, 0.0),
        (r#"privachat_worker_callbacks_total{outcome="taken"}"#, 1.0),
        (r#"privachat_worker_callbacks_total{outcome="failed"}"#, 0.0),
    ] {
        assert_eq!(metrics.get(sample), value, "{sample}");
    }
}

#[tokio::test]
async fn a_search_that_waited_too_long_is_counted_by_the_process_that_ends_it() {
    let web = web();
    let mut stack = Stack::builder(binaries!())
        .with_searxng(&web)
        .workers(0)
        .env("METRICS_PORT", 0)
        .worker_env("METRICS_ADDR_FILE", "worker.metrics")
        .start()
        .await;
    let id = stack.client().enqueue(speed("What is gather?")).await;
    let waiting = scrape(stack.client()).await;
    assert_eq!(waiting.get(r#"privachat_queue_depth{mode="speed"}"#), 1.0);
    assert_eq!(waiting.get("privachat_workers"), 0.0);
    let mut redis = stack.redis.connection().await;
    let control = format!("{{search_job:{id}}}:ctl");
    let _: i64 = redis.hset(&control, "expires", 1).await.unwrap();
    stack.add_worker();
    let port = worker_port(&stack).await;
    let end = stack.client().wait_terminal(&id).await;
    assert_eq!(end["error_code"], "queue_expired", "{end}");
    eventually("it is counted", TIMEOUT, async || {
        let now = scrape(&port).await;
        (now.get(r#"privachat_worker_recoveries_total{kind="expired"}"#) == 1.0).then_some(())
    })
    .await;
    let metrics = scrape(&port).await;
    let failures = r#"privachat_worker_failures_total{error_code="queue_expired"}"#;
    assert_eq!(metrics.get(failures), 1.0);
    assert_eq!(metrics.sum("privachat_worker_attempts_total", &[]), 0.0);
}

#[tokio::test]
async fn a_provider_that_keeps_failing_is_shown_as_paused() {
    let web = Upstream::always(Reply::new(503, "text/plain", "out of order"));
    let stack = watched(binaries!(), &web).await;
    let port = worker_port(&stack).await;
    let client = stack.client();
    let open = eventually("the provider is paused", TIMEOUT, async || {
        client.post_search(speed("What is gather?")).await;
        let now = scrape(&port).await;
        let is_open = now.get(r#"privachat_worker_breaker_open{upstream="searxng"}"#) == 1.0;
        is_open.then_some(now)
    })
    .await;
    let failed = [r#"upstream="searxng""#, r#"outcome="unavailable""#];
    let failed = open.sum("privachat_worker_upstream_requests_total", &failed);
    assert_eq!(failed as usize, web.calls());
    assert!(open.sum("privachat_worker_attempts_total", &[r#"outcome="retry""#]) >= 1.0);
}
