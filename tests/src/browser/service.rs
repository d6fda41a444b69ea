//! The service behind the pages under test: a whole stack over a small site and a slow model.

use std::net::TcpListener;
use std::time::Duration;

use serde_json::{Value, json};

use crate::stack::StackBuilder;
use crate::upstream::model::Script;
use crate::upstream::{Reply, Request, searxng, site};
use crate::{Binaries, Stack, Upstream};

/// The texts of the site's two pages, one sentence each.
pub const SITE_TEXT: [&str; 2] = [
    "Gather is a function that runs awaitable objects concurrently and waits for all of them.",
    "The order of the results of gather corresponds to the order of the awaitables it was given.",
];

/// Fields are dropped in this order: the programs before their upstreams.
#[derive(Debug)]
pub struct Service {
    pub stack: Stack,
    pub site: Upstream,
    pub web: Upstream,
    pub model: Upstream,
}

impl Service {
    /// The model answers with the site's text, word by word with `pace` between them.
    pub async fn start(binaries: Binaries, pace: Duration) -> Self {
        let [first, second] = SITE_TEXT;
        Self::saying(binaries, &format!("{first} [1] {second} [2]"), pace).await
    }

    /// The model answers with this text.
    pub async fn saying(binaries: Binaries, answer: &str, pace: Duration) -> Self {
        let titles = ["What gather does", "What gather returns"];
        Self::over(binaries, titles, answer, pace, |builder| builder).await
    }

    /// Like [`saying`](Self::saying), over pages with these titles and with extra settings of the
    /// stack.
    pub async fn over(
        binaries: Binaries,
        titles: [&str; 2],
        answer: &str,
        pace: Duration,
        settings: impl FnOnce(StackBuilder) -> StackBuilder,
    ) -> Self {
        let paths = ["/does", "/returns"];
        let page = |at: usize| site::article("Gather", &[SITE_TEXT[at]]);
        let site = site::serving([(paths[0], page(0)), (paths[1], page(1))]);
        let results = (0..2)
            .map(|at| searxng::Result::new(titles[at], &site.url_for(paths[at]), SITE_TEXT[at]));
        let web = searxng::finding(results.collect());
        let script = Script::says(answer).slowly(pace);
        let model = Upstream::start(move |request| complete(request, &script));
        let builder = Stack::builder(binaries)
            .with_searxng(&web)
            .env("FETCH_ALLOW_HOSTS", "127.0.0.1")
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            // A restarted API must listen where the page looks for it.
            .api_env("API_PORT", free_port());
        let stack = settings(builder).start().await;
        Self {
            stack,
            site,
            web,
            model,
        }
    }

    /// An address on the API.
    pub fn url_for(&self, path: &str) -> String {
        format!("{}{path}", self.stack.client().base())
    }

    /// Starts a search outside the browser; returns its id.
    pub async fn ask(&self) -> String {
        let request: Value = json!({"query": "What is gather?", "mode": "speed", "cache": false});
        self.stack.client().enqueue(request).await
    }
}

/// Answers are slow; a plan, recognized by its response format, is immediate.
fn complete(request: &Request, script: &Script) -> Reply {
    if request.json()["response_format"].is_null() {
        return script.reply(request);
    }
    Script::says(r#"{"queries": [{"query": "gather"}]}"#).reply(request)
}

fn free_port() -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).expect("a port");
    listener.local_addr().expect("its address").port()
}
