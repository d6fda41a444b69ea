//! Secrets: keys and passwords in no log and no answer; questions and pages in no log.

use std::time::Duration;

use privachat_tests::upstream::{Reply, Request, model, searxng, site};
use privachat_tests::{HttpResponse, Stack, Upstream, binaries};
use reqwest::Method;
use serde_json::{Value, json};

const KEYS: [(&str, &str); 4] = [
    ("SERPER_API_KEY", "planted-serper-key-4f1c"),
    ("PERPLEXITY_API_KEY", "planted-perplexity-key-9a2b"),
    ("LLM_API_KEY", "planted-model-key-7d3e"),
    ("OPENROUTER_API_KEY", "planted-openrouter-key-1b8c"),
];
/// In the question, in the search result, on the page, in the model's answer.
const QUESTION: &str = "zanzibarquestion";
const SNIPPET: &str = "quetzalsnippet";
const PAGE: &str = "ocelotpage";
const WORDS: &str = "axolotlwords";

struct Upstreams {
    engine: Upstream,
    page: Upstream,
    keyed: Upstream,
    model: Upstream,
}

/// A page that matches the question.
fn page() -> Upstream {
    let text = format!("The {QUESTION} is a thing of which {PAGE} is the best known. ").repeat(8);
    site::serving([("/page", site::article(&format!("{PAGE} title"), &[&text]))])
}

/// Engines that reject a key and repeat it in the error, as some do.
fn leaky_upstream() -> Upstream {
    Upstream::start(|request: &Request| {
        let shown = format!("{:?}", request.headers);
        Reply::json(
            401,
            json!({"error": {"message": format!("invalid key: {shown}")}}).to_string(),
        )
    })
}

fn upstreams(model: Upstream) -> Upstreams {
    let page = page();
    let snippet = format!("What {QUESTION} means: {SNIPPET}");
    let results = vec![searxng::Result::new(
        SNIPPET,
        &page.url_for("/page"),
        &snippet,
    )];
    Upstreams {
        engine: searxng::finding(results),
        page,
        keyed: leaky_upstream(),
        model,
    }
}

async fn start(upstreams: &Upstreams, level: &str) -> Stack {
    let mut builder = Stack::builder(binaries!()).with_searxng(&upstreams.engine);
    for (name, key) in KEYS {
        builder = builder.env(name, key);
    }
    builder
        .env("LOG_LEVEL", level)
        .env("FETCH_ALLOW_HOSTS", "127.0.0.1")
        .env("SERPER_BASE_URL", upstreams.keyed.url())
        .env("PERPLEXITY_BASE_URL", upstreams.keyed.url())
        .env("LLM_BASE_URL", upstreams.model.url_for("/v1"))
        .env("LLM_MODEL", "double")
        .start()
        .await
}

/// Both logs, which must not be empty.
fn logs(stack: &mut Stack) -> String {
    let api = stack.api.process().output();
    let worker = stack.workers[0].process().output();
    assert!(
        api.contains("answered") && worker.contains("ended"),
        "{api}{worker}"
    );
    format!("{api}{worker}")
}

fn assert_absent(text: &str, words: &[&str]) {
    for word in words {
        let at = text.lines().find(|line| line.contains(word));
        assert!(at.is_none(), "{word} in: {}", at.unwrap_or_default());
    }
}

fn key_values() -> Vec<&'static str> {
    KEYS.iter().map(|(_, key)| *key).collect()
}

fn request(mode: &str, engine: &str) -> Value {
    json!({"query": format!("What is {QUESTION}?"), "mode": mode, "search_engine": engine, "timeout": 20})
}

/// Successful and failed searches, and rejected requests.
async fn exercise(stack: &Stack) -> Vec<HttpResponse> {
    let client = stack.client();
    let mut answers = Vec::new();
    for (mode, engine) in [
        ("speed", "searxng"),
        ("balanced", "searxng"),
        ("speed", "serperdev"),
        ("speed", "perplexity"),
        ("speed", "auto"),
    ] {
        answers.push(client.post_search(request(mode, engine)).await);
    }
    let mut bad = request("fast", "bing");
    bad["model"] = json!(7);
    answers.push(client.post_search(bad).await);
    let broken = client
        .request(Method::POST, "/api/v1/search")
        .header("content-type", "application/json")
        .body(format!("{{\"query\": \"{QUESTION}\", "));
    answers.push(client.send(broken).await);
    for path in [
        format!("/api/v1/search/status/{QUESTION}"),
        format!("/{QUESTION}?q={QUESTION}"),
        format!("/livez?q={QUESTION}"),
    ] {
        answers.push(client.get(&path).await);
    }
    answers
}

#[tokio::test]
async fn no_key_and_no_text_of_a_search_is_in_the_logs_at_any_level() {
    for level in ["info", "debug", "trace"] {
        let says = format!("The {QUESTION} is {WORDS} [1].");
        let upstreams = upstreams(model::chat(model::Script::says(&says)));
        let mut stack = start(&upstreams, level).await;
        let answers = exercise(&stack).await;
        assert!(
            answers[1].text.contains(WORDS) && answers[1].text.contains(PAGE),
            "{}",
            answers[1].text
        );
        assert!(
            upstreams.page.calls() > 0 && upstreams.keyed.calls() > 0,
            "the upstreams were asked"
        );
        for answer in &answers {
            assert_absent(&answer.text, &key_values());
        }
        stack.workers[0]
            .process()
            .stop(Duration::from_secs(10))
            .await;
        let logs = logs(&mut stack);
        assert_absent(&logs, &key_values());
        assert_absent(&logs, &[QUESTION, SNIPPET, PAGE, WORDS]);
    }
}

#[tokio::test]
async fn a_model_error_with_the_key_and_the_prompt_is_not_repeated() {
    let rude = Upstream::start(|request: &Request| {
        let body = String::from_utf8_lossy(&request.body).into_owned();
        let shown = format!("{:?} {body}", request.headers);
        Reply::json(
            401,
            json!({"error": {"message": shown, "code": "401"}}).to_string(),
        )
    });
    let upstreams = upstreams(rude);
    let mut stack = start(&upstreams, "debug").await;
    let answers = exercise(&stack).await;
    let extractive = answers[1].expect(200);
    assert_eq!(extractive["model_used"], "extractive");
    assert!(upstreams.model.calls() > 0);
    for answer in &answers {
        assert_absent(&answer.text, &key_values());
    }
    let warnings = extractive["warnings"].to_string();
    assert!(
        warnings.len() > 2,
        "the model's failure is reported: {extractive}"
    );
    assert_absent(&warnings, &[QUESTION, PAGE, "127.0.0.1"]);
    assert_absent(&logs(&mut stack), &[QUESTION, SNIPPET, PAGE, "planted-"]);
}

#[tokio::test]
async fn failures_name_no_internal_address() {
    let upstreams = upstreams(model::chat(model::Script::says("x")));
    let stack = start(&upstreams, "info").await;
    let answers = exercise(&stack).await;
    for answer in answers.iter().filter(|answer| answer.status >= 400) {
        assert_absent(
            &answer.text,
            &[
                "127.0.0.1",
                "localhost:",
                "redis",
                ".sock",
                "panicked",
                "src/",
                "/tmp/",
            ],
        );
    }
    let failed = &answers[2];
    assert!(failed.status >= 500, "a refused key: {}", failed.text);
    assert!(
        failed.text.contains("SERPER_API_KEY"),
        "what to set: {}",
        failed.text
    );
}

#[tokio::test]
async fn passwords_of_redis_and_of_the_database_are_in_no_log() {
    const PASSWORD: &str = "planted-password-3c4d";
    // No server listens there: connection errors are logged.
    let nowhere = "127.0.0.1:9";
    let mut stack = Stack::builder(binaries!())
        .env("REDIS_URL", format!("redis://user:{PASSWORD}@{nowhere}/0"))
        .env(
            "DATABASE_URL",
            format!("postgres://user:{PASSWORD}@{nowhere}/db"),
        )
        .env("LOG_LEVEL", "debug")
        .start_unready()
        .await;
    let answer = stack.client().post_search(json!({"query": QUESTION})).await;
    assert_eq!(answer.status, 503);
    assert_absent(&answer.text, &[PASSWORD, nowhere]);
    let worker = stack.workers[0].process();
    privachat_tests::eventually(
        "the worker complains",
        Duration::from_secs(10),
        async || {
            worker
                .output()
                .contains("Redis does not answer")
                .then_some(())
        },
    )
    .await;
    let output = format!("{}{}", worker.output(), stack.api.process().output());
    assert_absent(&output, &[PASSWORD, QUESTION]);
}
