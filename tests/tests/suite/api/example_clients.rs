//! The programs in examples/, which are the snippets of the README, and curl, against a real stack
//! over connections that break.

use privachat_tests::process::isolated;
use privachat_tests::upstream::model::{self, Script};
use privachat_tests::upstream::searxng;
use privachat_tests::{Browser, Process, Proxy, Stack, Upstream, binaries, project_files};
use std::path::PathBuf;
use std::time::Duration;

const CLAIM: &str = "Python is a high-level, general-purpose programming language";
const QUESTION: &str = "What is Python?";
const TIMEOUT: Duration = Duration::from_secs(40);

struct Scenario {
    stack: Stack,
    /// In front of the API.
    proxy: Proxy,
    answer: String,
    _doubles: [Upstream; 2],
}

impl Scenario {
    async fn start() -> Self {
        let answer = [format!("{CLAIM} [1].").as_str(); 25].join(" ");
        let script = Script::says(&answer).slowly(Duration::from_millis(12));
        let model = model::chat(script);
        let page = searxng::Result::new("Python", "http://docs.example/python", CLAIM);
        let web = searxng::finding(vec![page]);
        let stack = Stack::builder(binaries!())
            .with_searxng(&web)
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .start()
            .await;
        let proxy = Proxy::start(stack.client().base().trim_start_matches("http://"));
        Self {
            stack,
            proxy,
            answer,
            _doubles: [model, web],
        }
    }

    /// Its stderr, where it reports the stages, is kept apart from its output.
    fn run(&self, program: &[PathBuf; 2]) -> Process {
        let url = format!("http://{}", self.proxy.address());
        let mut command = isolated("sh");
        command.args(["-c", r#"exec "$@" 2>errors.txt"#, "sh"]);
        command.args(program).arg(QUESTION);
        command.env("PRIVACHAT_URL", url);
        command.current_dir(self.stack.folder());
        Process::spawn("client", command, self.stack.folder())
    }

    async fn assert_success(&self, client: &mut Process) {
        let code = client.exit_code(TIMEOUT).await;
        let errors = std::fs::read_to_string(self.stack.folder().join("errors.txt"));
        assert_eq!(code, 0, "{}", errors.unwrap());
    }

    /// Checks the output of a program that polls.
    async fn assert_polls(&self, program: [PathBuf; 2]) {
        let mut client = self.run(&program);
        self.assert_success(&mut client).await;
        assert_eq!(client.output().trim(), self.answer);
    }

    /// Checks the output of a program that follows the events while its connection is cut again and
    /// again.
    async fn assert_follows(&self, program: [PathBuf; 2]) {
        let mut client = self.run(&program);
        for text in [3, 10, 20] {
            let what = format!("{text} sentences are written");
            privachat_tests::eventually(&what, TIMEOUT, async || {
                (client.output().matches(CLAIM).count() >= text).then_some(())
            })
            .await;
            self.proxy.cut();
        }
        self.assert_success(&mut client).await;
        let output = client.output();
        let end = format!("{answer}\n\n{answer}\n", answer = self.answer);
        assert!(output.ends_with(&end), "{output}");
        assert!(self.proxy.accepted() > 3, "it reconnected after each cut");
    }
}

fn python(name: &str) -> [PathBuf; 2] {
    let python = project_files::root().join("target/tools/clients/bin/python");
    assert!(python.exists(), "httpx is not here: make test");
    [python, example(&format!("python/{name}"))]
}

fn node(name: &str) -> [PathBuf; 2] {
    ["node".into(), example(&format!("javascript/{name}"))]
}

fn example(name: &str) -> PathBuf {
    project_files::root().join("examples").join(name)
}

#[tokio::test]
async fn python_polls() {
    Scenario::start()
        .await
        .assert_polls(python("poll.py"))
        .await;
}

#[tokio::test]
async fn python_follows_the_events_over_connections_that_break() {
    Scenario::start()
        .await
        .assert_follows(python("events.py"))
        .await;
}

#[tokio::test]
async fn python_follows_over_websockets_that_break() {
    Scenario::start()
        .await
        .assert_follows(python("websocket.py"))
        .await;
}

#[tokio::test]
async fn javascript_polls() {
    Scenario::start().await.assert_polls(node("poll.mjs")).await;
}

#[tokio::test]
async fn javascript_follows_the_events_over_connections_that_break() {
    Scenario::start()
        .await
        .assert_follows(node("events.mjs"))
        .await;
}

/// In a browser, since only new versions of Node have a WebSocket; the test defines Node's
/// `process`.
#[tokio::test]
async fn javascript_follows_over_websockets_that_break() {
    let scenario = Scenario::start().await;
    let browser = Browser::start().await;
    browser
        .open(&format!("http://{}/", scenario.proxy.address()))
        .await;
    let program = std::fs::read_to_string(example("javascript/websocket.mjs")).unwrap();
    let body = format!(
        "window.output = '';
         const write = (text) => {{ window.output += text; }};
         const console = {{ log: (text = '') => write(`${{text}}\\n`), error: () => {{}} }};
         const process = {{
             env: {{ PRIVACHAT_URL: location.origin }}, argv: ['', '', arguments[0]], stdout: {{ write }},
         }};
         (async () => {{ {program} }})().then(() => {{ window.isOver = true; }});"
    );
    browser.script(&body, QUESTION).await;
    for text in [3, 10, 20] {
        let written = format!("return window.output.split(arguments[0]).length > {text}");
        let what = format!("{text} sentences are written");
        browser.until(&what, &written, CLAIM).await;
        scenario.proxy.cut();
    }
    browser
        .until("it is over", "return window.isOver === true", "")
        .await;
    let output = browser.script("return window.output", "").await;
    let end = format!("{answer}\n\n{answer}\n", answer = scenario.answer);
    assert!(output.as_str().unwrap().ends_with(&end), "{output}");
    assert!(
        scenario.proxy.accepted() > 3,
        "it reconnected after each cut"
    );
    // The browser reports the connections that were cut on purpose.
    browser.end_with(&["WebSocket"]).await;
}

#[tokio::test]
async fn curl_reads_the_stream_and_ends_with_it() {
    let scenario = Scenario::start().await;
    let client = scenario.stack.client();
    let question = serde_json::json!({"query": QUESTION, "mode": "speed"});
    let id = client.enqueue(question).await;
    let mut curl = isolated("curl");
    let address = format!("{}/api/v1/search/{id}/events", client.base());
    curl.args([
        "--silent",
        "--show-error",
        "--fail",
        "--no-buffer",
        &address,
    ]);
    let mut curl = Process::spawn("curl", curl, scenario.stack.folder());
    assert_eq!(curl.exit_code(TIMEOUT).await, 0, "{}", curl.output());
    let mut whole = client.events(&id, "").await;
    whole.rest().await;
    assert!(curl.output().into_bytes() == whole.raw);
}

#[test]
fn the_readme_links_every_example() {
    let readme = std::fs::read_to_string(project_files::root().join("README.md")).unwrap();
    for folder in ["python", "javascript"] {
        let path = project_files::root().join("examples").join(folder);
        for file in std::fs::read_dir(path).unwrap() {
            let name = file.unwrap().file_name().into_string().unwrap();
            let link = format!("(examples/{folder}/{name})");
            assert!(readme.contains(&link), "{link}");
        }
    }
}
