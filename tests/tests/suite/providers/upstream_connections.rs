//! Connections to upstreams are reused, and a connection that its upstream closed in the meantime
//! causes no failure.

use privachat_tests::{
    Stack, Upstream, binaries, fixtures,
    upstream::{Reply, Request, model, searxng},
};
use serde_json::{Value, json};
use std::sync::{
    Arc,
    atomic::{AtomicBool, Ordering},
};

struct Upstreams {
    searxng: Upstream,
    model: Upstream,
    /// The model hangs up on the next request.
    rude: Arc<AtomicBool>,
    stack: Stack,
}

impl Upstreams {
    async fn start() -> Self {
        let searxng = searxng::finding(fixtures::gather_results());
        let rude = Arc::new(AtomicBool::new(false));
        let is_rude = Arc::clone(&rude);
        let script = model::Script::says("Gather runs awaitable objects [1].");
        let model = Upstream::start(move |request: &Request| {
            if !is_question(request) {
                return model::sample(200, "models.json");
            }
            if is_rude.swap(false, Ordering::SeqCst) {
                return Reply::cut();
            }
            script.reply(request)
        });
        let stack = Stack::builder(binaries!())
            .with_searxng(&searxng)
            .env("LLM_BASE_URL", model.url_for("/v1"))
            .env("LLM_MODEL", "double")
            .start()
            .await;
        Self {
            searxng,
            model,
            rude,
            stack,
        }
    }

    /// One search, which must succeed.
    async fn search(&self) -> Value {
        let question = json!({"query": "What is gather?", "mode": "speed", "cache": false});
        let id = self.stack.client().enqueue(question).await;
        let end = self.stack.client().wait_completed(&id).await;
        assert_eq!(end["model_used"], "double", "{end}");
        let warnings = end["warnings"].as_array().map_or(0, Vec::len);
        assert_eq!(warnings, 0, "{end}");
        end
    }

    /// Connections to SearXNG and to the model.
    fn connections(&self) -> [usize; 2] {
        [self.searxng.connections(), self.model.connections()]
    }

    /// Calls to SearXNG and to the model.
    fn calls(&self) -> [usize; 2] {
        let requests = self.model.requests();
        let questions = requests.iter().filter(|request| is_question(request));
        [self.searxng.calls(), questions.count()]
    }
}

fn is_question(request: &Request) -> bool {
    request.path.ends_with("/chat/completions")
}

fn found() -> Reply {
    Reply::json(
        200,
        searxng::body("q", &fixtures::gather_results()).to_string(),
    )
}

#[tokio::test]
async fn a_second_search_reuses_the_connections_of_the_first() {
    let upstreams = Upstreams::start().await;
    upstreams.search().await;
    let before = upstreams.connections();
    upstreams.search().await;
    assert_eq!(upstreams.calls(), [2, 2]);
    assert_eq!(upstreams.connections(), before);
}

#[tokio::test]
async fn a_connection_that_was_closed_while_idle_causes_no_failure() {
    let upstreams = Upstreams::start().await;
    upstreams.searxng.next(found().then_hangs_up());
    upstreams.search().await;
    upstreams.search().await;
    assert_eq!(upstreams.calls(), [2, 2], "nothing is asked twice");
    assert_eq!(upstreams.searxng.connections(), 2);
}

#[tokio::test]
async fn a_connection_that_is_closed_at_its_next_request_causes_no_failure() {
    let upstreams = Upstreams::start().await;
    upstreams.search().await;
    upstreams.searxng.next(Reply::cut());
    upstreams.rude.store(true, Ordering::SeqCst);
    upstreams.search().await;
    assert_eq!(upstreams.calls(), [3, 3], "asked once more, over a new one");
}
