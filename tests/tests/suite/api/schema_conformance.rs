//! The API conforms to its OpenAPI document: schemathesis generates valid and invalid requests from
//! the document, single ones and sequences, and checks every answer.
//!
//! The requests are the same each time; `make fuzz` generates others, and more of them:
//! SCHEMAS_SEED and SCHEMAS_EXAMPLES (per operation).

use std::path::Path;
use std::time::Duration;

use privachat_tests::process::isolated;
use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::{Reply, Request, perplexity, searxng, site};
use privachat_tests::{Process, Stack, Upstream, binaries, project_files};
use serde_json::{Value, json};

const KEY: &str = "planted-api-key-6c1d9e0b";
const ADMIN_KEY: &str = "planted-admin-key-71f3aa52";
const PERPLEXITY_KEY: &str = "planted-perplexity-key-0d";
/// Only the API has it: callbacks are accepted, and no worker calls the invented hosts.
const WEBHOOK_SECRET: &str = "whsec_c2NoZW1hdGhlc2lzLW1ha2VzLWhvc3RzLXVwIQ==";
/// The configured ones; requests for others are refused.
const ENGINES: [&str; 3] = ["searxng", "perplexity", "auto"];

/// Every search finds something, so that none fails.
struct Scenario {
    stack: Stack,
    document: Value,
    _web: Upstream,
}

impl Scenario {
    async fn start(with: impl FnOnce(StackBuilder) -> StackBuilder) -> Self {
        let web = Upstream::start(echo);
        let stack = Stack::builder(binaries!())
            .with_searxng(&web)
            .worker_env("FETCH_ALLOW_HOSTS", web.url().trim_start_matches("http://"))
            .env("PERPLEXITY_BASE_URL", web.url())
            .env("PERPLEXITY_API_KEY", PERPLEXITY_KEY)
            .api_env("WEBHOOK_SECRET", WEBHOOK_SECRET)
            .env("LOG_LEVEL", "warn");
        let stack = with(stack).start().await;
        let mut document = document(&stack).await;
        let engines = &mut document["components"]["schemas"]["SearchEngine"]["enum"];
        assert!(
            engines
                .as_array()
                .is_some_and(|all| all.len() > ENGINES.len())
        );
        *engines = json!(ENGINES);
        Self {
            stack,
            document,
            _web: web,
        }
    }

    /// Changes the document for a service that requires a key, which the document leaves open.
    fn with_keys(mut self) -> Self {
        let paths = self.document["paths"].as_object_mut().unwrap().values_mut();
        let operations = paths.flat_map(|path| path.as_object_mut().unwrap().values_mut());
        let mut closed = 0;
        for operation in operations {
            if let Some(Value::Array(ways)) = operation.get_mut("security") {
                ways.retain(|way| *way != json!({}));
                assert!(!ways.is_empty());
                closed += 1;
            }
        }
        assert!(closed > 8, "{closed} operations want a key");
        self
    }

    /// Reduces the document to these paths.
    fn only(mut self, paths: &[&str]) -> Self {
        let all = self.document["paths"].as_object_mut().unwrap();
        all.retain(|path, _| paths.contains(&path.as_str()));
        assert_eq!(all.len(), paths.len());
        self
    }

    async fn assert_conforms(&self, key: Option<&str>, examples: u32) {
        let (base, folder) = (self.stack.client().base(), self.stack.folder());
        let (code, output) = schemathesis(base, folder, &self.document, key, examples).await;
        assert_eq!(code, 0, "{output}");
        let paths = self.document["paths"].as_object().unwrap().values();
        let operations: usize = paths.map(|path| path.as_object().unwrap().len()).sum();
        assert!(
            output.contains(&format!("Tested: {operations}\n")),
            "{output}"
        );
    }
}

async fn document(stack: &Stack) -> Value {
    stack.client().get("/api/openapi.json").await.expect(200)
}

/// SearXNG and Perplexity, both with pages about the question.
fn echo(request: &Request) -> Reply {
    let parameters = request.json();
    let question = parameters["messages"][0]["content"].as_str();
    let question = question.or(request.parameter("q")).unwrap_or_default();
    let host = request.header("host").unwrap_or_default();
    let pages: Vec<searxng::Result> = (1..=3)
        .map(|number| {
            let url = format!("http://{host}/page/{number}");
            let text = format!("{question} is what page {number} is about.");
            searxng::Result::new(question, &url, &text)
        })
        .collect();
    let body = match request.path.as_str() {
        "/search" => searxng::body(question, &pages),
        "/chat/completions" => perplexity::body(&format!("{question} [1]."), &pages),
        path if path.starts_with("/page/") => {
            let paragraphs = ["This page is read, and says no more than that it is one."];
            return Reply::html(site::article("A page", &paragraphs));
        }
        _ => return Reply::new(404, "text/plain", "none"),
    };
    Reply::json(200, body.to_string())
}

/// Runs all checks; returns the exit code and the output.
async fn schemathesis(
    base: &str,
    folder: &Path,
    document: &Value,
    key: Option<&str>,
    examples: u32,
) -> (i32, String) {
    let program = project_files::root().join("target/tools/schemathesis/bin/schemathesis");
    assert!(program.exists(), "schemathesis is not here: make test");
    let own = project_files::root().join("tests/schemathesis");
    let auth = key.map(|key| format!("[auth.openapi.bearer]\nbearer = \"{key}\"\n"));
    let settings = std::fs::read_to_string(own.join("schemathesis.toml")).unwrap();
    let settings = [settings, auth.unwrap_or_default()].concat();
    std::fs::write(folder.join("schemathesis.toml"), settings).unwrap();
    std::fs::write(folder.join("document.json"), document.to_string()).unwrap();
    let seed = std::env::var("SCHEMAS_SEED").unwrap_or_else(|_| "1".to_owned());
    let wanted = std::env::var("SCHEMAS_EXAMPLES").ok();
    let examples = wanted.map_or(examples, |number| number.parse().expect("a number"));
    let mut command = isolated(&program);
    command.current_dir(folder).env("HOME", folder);
    command.env("SCHEMATHESIS_HOOKS", own.join("hooks.py"));
    command.args(["--config-file", "schemathesis.toml", "--no-color"]);
    command.args(["run", "document.json", "--url", base]);
    command.args(["--checks", "all", "--seed", &seed]);
    command.args(["--max-examples", &examples.to_string()]);
    let mut run = Process::spawn("schemathesis", command, folder);
    let timeout = Duration::from_secs(60 + 4 * u64::from(examples));
    (run.exit_code(timeout).await, run.output())
}

#[tokio::test]
async fn without_keys_every_answer_conforms_to_the_document() {
    Scenario::start(|stack| stack)
        .await
        .assert_conforms(None, 20)
        .await;
}

#[tokio::test]
async fn with_a_key_every_answer_conforms_to_the_document() {
    let keyed = |stack: StackBuilder| stack.api_env("API_KEYS", KEY);
    let scenario = Scenario::start(keyed).await.with_keys();
    scenario.assert_conforms(Some(KEY), 10).await;
}

#[tokio::test]
async fn with_an_operator_key_every_answer_conforms_to_the_document() {
    let keyed = |stack: StackBuilder| {
        stack
            .api_env("API_KEYS", KEY)
            .api_env("API_ADMIN_KEYS", ADMIN_KEY)
    };
    let scenario = Scenario::start(keyed).await.with_keys();
    scenario.assert_conforms(Some(ADMIN_KEY), 5).await;
}

#[tokio::test]
async fn without_the_required_key_every_request_is_refused_as_documented() {
    let keyed = |stack: StackBuilder| stack.api_env("API_KEYS", KEY);
    let scenario = Scenario::start(keyed).await.with_keys();
    scenario.assert_conforms(None, 10).await;
}

/// Proves that the tests above can fail: a server answers differently from the document.
#[tokio::test]
async fn undocumented_answers_are_found() {
    let keyed = |stack: StackBuilder| stack.workers(0).api_env("API_KEYS", KEY);
    let scenario = Scenario::start(keyed).await.with_keys();
    let scenario = scenario.only(&[
        "/livez",
        "/readyz",
        "/api/v1/health",
        "/metrics",
        "/api/v1/queue",
    ]);
    let other = Upstream::start(|request| match request.path.as_str() {
        "/livez" => Reply::json(500, r#"{"status":"alive"}"#),
        "/readyz" => Reply::json(418, r#"{"status":"ready","redis":"ok"}"#),
        "/api/v1/health" => Reply::json(200, r#"{"status":1}"#),
        "/metrics" => Reply::new(200, "application/openmetrics-text", "# EOF\n"),
        _ => Reply::json(403, r#"{"error":"forbidden","message":null}"#),
    });
    let folder = scenario.stack.folder();
    let (code, output) = schemathesis(&other.url(), folder, &scenario.document, None, 5).await;
    assert_eq!(code, 1, "{output}");
    for found in [
        "ST101 Server error",
        "ST103 Undocumented status code",
        "ST108 Response violates schema",
        "ST401 API accepts invalid authentication",
        "ST901 Custom check failed: `closed_without_a_key`",
    ] {
        assert!(output.contains(found), "{found}: {output}");
    }
}
