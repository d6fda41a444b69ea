//! Ranking by meaning: a reranker's scores change the order of sources.

use privachat_tests::{
    Stack, Upstream, binaries,
    upstream::{Reply, rerank, searxng},
};
use serde_json::{Value, json};

const HARBOUR: &str = "https://one.example/harbour";
const SAFETY: &str = "https://two.example/safety";

/// Two sources that match the question's words equally.
fn found() -> Vec<searxng::Result> {
    vec![
        searxng::Result::new(
            "Ferry harbour",
            HARBOUR,
            "The ferry to the island leaves from the old harbour. The ferry harbour has a cafe.",
        ),
        searxng::Result::new(
            "Ferry safety",
            SAFETY,
            "The ferry to the island leaves with boats for all. The ferry safety drill is short.",
        ),
    ]
}

async fn search(reranker: Option<&Upstream>) -> Value {
    let searxng = searxng::finding(found());
    let mut stack = Stack::builder(binaries!()).with_searxng(&searxng);
    if let Some(reranker) = reranker {
        stack = stack
            .env("RERANK_BASE_URL", reranker.url())
            .env("RERANK_MODEL", "judge");
    }
    let stack = stack.start().await;
    let question = json!({"query": "What about the ferry to the island?", "mode": "balanced"});
    let id = stack.client().enqueue(question).await;
    stack.client().wait_completed(&id).await
}

fn first_url(end: &Value) -> &str {
    end["sources"][0]["url"].as_str().unwrap_or_default()
}

/// A reranker that prefers texts with this word.
fn preferring(word: &'static str) -> Upstream {
    rerank::scoring(move |_, text| if text.contains(word) { 0.9 } else { 0.05 })
}

#[tokio::test]
async fn the_source_that_the_reranker_prefers_comes_first() {
    for (word, url) in [("harbour", HARBOUR), ("boats", SAFETY)] {
        let reranker = preferring(word);
        let end = search(Some(&reranker)).await;
        assert_eq!(first_url(&end), url, "{word}: {end}");
        assert!(reranker.calls() > 0);
        let parameters = reranker.requests()[0].json();
        assert_eq!(parameters["model"], "judge");
        assert!(
            parameters["query"]
                .as_str()
                .is_some_and(|query| query.contains("ferry"))
        );
    }
}

#[tokio::test]
async fn a_reranker_may_score_by_shared_words() {
    let reranker = rerank::by_words();
    let end = search(Some(&reranker)).await;
    assert!(
        reranker.calls() > 0
            && end["answer"]
                .as_str()
                .is_some_and(|text| text.contains("[1]"))
    );
}

#[tokio::test]
async fn a_failing_reranker_does_not_fail_the_search() {
    let without = search(None).await;
    for reply in [
        rerank::rate_limited(Some(60)),
        rerank::unknown_model(),
        Reply::cut(),
        Reply::json(200, r#"{"results": [{"index": 99, "relevance_score": 1}]}"#),
    ] {
        let reranker = Upstream::always(reply.clone());
        let end = search(Some(&reranker)).await;
        assert!(reranker.calls() > 0, "{reply:?}");
        assert_eq!(first_url(&end), first_url(&without), "{reply:?}: {end}");
        let warnings = end["warnings"].to_string();
        assert!(warnings.contains("ranked by words"), "{reply:?}: {end}");
    }
}
