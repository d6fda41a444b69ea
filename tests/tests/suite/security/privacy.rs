//! No failure reveals private data: the harness searches every log and every answer, and here it
//! has the most to find.

use std::io::Write;
use std::time::Duration;

use privachat_tests::upstream::{Reply, Request, model, searxng, site};
use privachat_tests::{Stack, Upstream, binaries, canary, eventually};
use reqwest::Method;
use serde_json::{Value, json};

const KEY: &str = "planted-api-key-0a1b2c3d4e5f";
const PASSWORD: &str = "planted-database-password-77";
const WEBHOOK: &str = "whsec_cGxhbnRlZC13ZWJob29rLXNlY3JldC0wMTIzNDU2Nzg5";
const QUESTION: &str = "Which okapimarker lives in the ituri?";
const PAGE: &str = "numbatmarker";

/// Fails and returns everything that it received.
fn leaky_upstream(status: u16) -> Upstream {
    Upstream::start(move |request: &Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let shown = format!("{:?} {:?} {body}", request.headers, request.query);
        Reply::json(status, json!({"error": {"message": shown}}).to_string())
    })
}

fn question(mode: &str, engine: &str) -> Value {
    json!({"query": QUESTION, "mode": mode, "search_engine": engine, "timeout": 10})
}

#[tokio::test]
async fn with_every_setting_and_every_failure_nothing_private_is_revealed() {
    for (level, status) in [("debug", 401), ("trace", 503)] {
        let text = format!("The okapimarker lives in the ituri with the {PAGE}. ").repeat(8);
        let page = site::serving([("/page", site::article(PAGE, &[&text]))]);
        let found = searxng::Result::new(PAGE, &page.url_for("/page"), &text);
        let engine = searxng::finding(vec![found]);
        let (rude, words) = (
            leaky_upstream(status),
            model::Script::says(&format!("The {PAGE} [1].")),
        );
        let llm = if status == 401 {
            leaky_upstream(status)
        } else {
            model::chat(words)
        };
        let mut stack = Stack::builder(binaries!())
            .with_searxng(&engine)
            .env("LOG_LEVEL", level)
            .env("LOG_FORMAT", "json")
            .env("FETCH_ALLOW_HOSTS", "127.0.0.1")
            .env("API_KEYS", format!("tester:{KEY}"))
            .env("WEBHOOK_SECRET", WEBHOOK)
            .env(
                "DATABASE_URL",
                format!("postgres://planted:{PASSWORD}@127.0.0.1:9/db"),
            )
            .env("SERPER_API_KEY", "planted-serper-key-5a6b")
            .env("SERPER_BASE_URL", rude.url())
            .env("PERPLEXITY_API_KEY", "planted-perplexity-key-7c8d")
            .env("PERPLEXITY_BASE_URL", rude.url())
            .env("LLM_API_KEY", "planted-model-key-9e0f")
            .env("LLM_BASE_URL", llm.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .env("EMBEDDING_API_KEY", "planted-embedding-key-1a2b")
            .env("EMBEDDING_BASE_URL", rude.url_for("/v1"))
            .env("EMBEDDING_MODEL", "double")
            .start_unready()
            .await;
        let client = stack.client().clone();
        let send = async |method: Method, path: &str, body: Option<Value>| {
            let request = client.request(method, path).bearer_auth(KEY);
            let request = match &body {
                Some(body) => request.json(body),
                None => request,
            };
            client.send(request).await
        };
        let mut statuses = Vec::new();
        for (mode, with) in [
            ("speed", "searxng"),
            ("balanced", "searxng"),
            ("speed", "serperdev"),
            ("speed", "perplexity"),
            ("fast", "bing"),
        ] {
            let body = question(mode, with);
            let answer = send(Method::POST, "/api/v1/search", Some(body)).await;
            statuses.push(answer.status);
        }
        assert_eq!(statuses[0], 200, "{statuses:?}");
        assert!(
            statuses[2..4].iter().all(|status| *status >= 500),
            "{statuses:?}"
        );
        assert_eq!(statuses[4], 422);
        let mut search = question("speed", "searxng");
        search["callback_url"] = format!("{}/told?token={PAGE}", rude.url()).into();
        search["async_mode"] = true.into();
        let search = send(Method::POST, "/api/v1/search", Some(search))
            .await
            .expect(200);
        let id = search["session_id"].as_str().unwrap().to_owned();
        for path in [
            format!("/api/v1/search/status/{id}?wait=5"),
            format!("/api/v1/search/{id}/events"),
            format!("/api/v1/sessions/{id}"),
            format!("/api/v1/sessions?q={PAGE}"),
            "/api/v1/search/status/none".to_owned(),
            "/api/v1/queue".to_owned(),
            "/api/v1/health".to_owned(),
            "/readyz".to_owned(),
            format!("/nowhere/{PAGE}"),
        ] {
            let _any_status = send(Method::GET, &path, None).await;
        }
        let refused = client.post_search(question("speed", "auto")).await;
        assert_eq!(refused.status, 401);

        let worker = stack.workers[0].process();
        let is_logged = |log: &str| log.contains("callback") && log.contains("history");
        eventually(
            "callback and history fail",
            Duration::from_secs(20),
            async || is_logged(&worker.output()).then_some(()),
        )
        .await;
        let logs = format!("{}{}", worker.output(), stack.api.process().output());
        for private in [PAGE, "okapimarker", "planted-", "whsec_", "Bearer"] {
            let line = logs.lines().find(|line| line.contains(private));
            assert!(line.is_none(), "{private} in {line:?}");
        }
        assert_eq!(canary::find_leak(&logs), None);
    }
}

#[tokio::test]
#[should_panic(expected = "worker-0.log:")]
async fn a_secret_in_a_log_is_found_when_the_stack_is_dropped() {
    let stack = Stack::builder(binaries!())
        .env("LLM_API_KEY", "planted-control-key-3f4a")
        .start()
        .await;
    let log = stack.folder().join("worker-0.log");
    let mut log = std::fs::File::options().append(true).open(log).unwrap();
    writeln!(log, "sent planted-control-key-3f4a along").unwrap();
}

#[tokio::test]
#[should_panic(expected = "Where does the controlmarker live?")]
async fn a_question_in_a_log_is_found_when_the_stack_is_dropped() {
    let stack = Stack::builder(binaries!()).workers(0).start().await;
    let body = json!({"query": "Where does the controlmarker live?", "async_mode": true});
    assert_eq!(stack.client().post_search(body).await.status, 200);
    let log = stack.folder().join("api.log");
    let mut log = std::fs::File::options().append(true).open(log).unwrap();
    writeln!(log, "asked: Where does the controlmarker live?").unwrap();
}
