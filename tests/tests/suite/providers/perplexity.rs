//! Perplexity: as the engine of a search, and with its own answers.

use privachat_tests::stack::StackBuilder;
use privachat_tests::upstream::{Reply, Request, perplexity};
use privachat_tests::{HttpResponse, Stack, Upstream, binaries, fixtures};
use reqwest::Method;
use serde_json::{Value, json};

const PATH: &str = "/api/v1/search/perplexity";
const QUESTION: &str = "What does asyncio.gather do?";
const FACT: &str = "asyncio.gather runs awaitable objects concurrently and returns a list of their results in order.";
const KEY: &str = "pplx-of-the-test";

/// Sonar's answer to every question.
fn sonar() -> Reply {
    let answer = format!("<think>Easy.</think>{FACT} [2] It is made of cheese [1][7].");
    let body = json!({
        "id": "1", "model": "sonar", "object": "chat.completion", "created": 1,
        "usage": {"prompt_tokens": 8, "completion_tokens": 12, "total_tokens": 20},
        "citations": ["https://one.example.org/wait", "https://two.example.com/gather"],
        "search_results": [
            {"title": "wait", "url": "https://one.example.org/wait", "snippet": "asyncio.wait gives two sets of tasks."},
            {"title": "gather", "url": "https://two.example.com/gather", "snippet": FACT},
        ],
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
    });
    Reply::json(200, body.to_string())
}

fn stack() -> StackBuilder {
    Stack::builder(binaries!()).env("WIKIPEDIA_BASE_URL", "off")
}

fn with_perplexity(perplexity: &Upstream) -> StackBuilder {
    stack()
        .env("PERPLEXITY_API_KEY", KEY)
        .env("PERPLEXITY_BASE_URL", perplexity.url())
}

async fn post(stack: &Stack, body: Value) -> HttpResponse {
    let client = stack.client();
    client
        .send(client.request(Method::POST, PATH).json(&body))
        .await
}

fn parameters(request: &Request) -> Value {
    serde_json::from_slice(&request.body).expect("a JSON body")
}

#[tokio::test]
async fn perplexity_answers_by_itself_and_its_answer_is_checked() {
    let perplexity = Upstream::always(sonar());
    let stack = with_perplexity(&perplexity).start().await;
    let end = post(&stack, json!({"query": QUESTION})).await.expect(200);

    assert_eq!(end["status"], "completed", "{end}");
    assert_eq!(
        (&end["mode"], &end["model_used"]),
        (&json!("perplexity"), &json!("perplexity"))
    );
    let answer = end["answer"].as_str().expect("an answer");
    assert!(answer.starts_with(FACT), "{answer}");
    assert!(answer.contains("[2]"), "{answer}");
    assert!(
        !answer.contains("[7]") && !answer.contains("think"),
        "{answer}"
    );
    assert_eq!(end["sources"][1]["url"], "https://two.example.com/gather");
    assert_eq!(end["usage"]["total_tokens"], 20);
    let grounding = end["grounding_score"].as_f64().expect("a score");
    assert!(
        grounding > 0.2 && grounding < 0.9,
        "one claim of two is true: {grounding}"
    );
    assert!(end["hallucination_count"].as_u64() >= Some(1), "{end}");

    let [call] = perplexity.requests().try_into().expect("one call");
    assert_eq!(parameters(&call)["messages"][0]["content"], QUESTION);
    let key = call
        .headers
        .iter()
        .find(|(name, _)| name == "authorization");
    assert_eq!(key.expect("a key").1, format!("Bearer {KEY}"));

    let id = end["session_id"].as_str().expect("an id");
    assert_eq!(
        stack.client().status(id).await.expect(200)["mode"],
        "perplexity"
    );
}

#[tokio::test]
async fn without_its_key_the_missing_setting_is_named() {
    let stack = stack().workers(0).start().await;
    let fault = &post(&stack, json!({"query": QUESTION})).await.expect(422)["detail"][0];
    assert_eq!(fault["type"], "search_engine_unavailable");
    assert_eq!(fault["ctx"]["setting"], "PERPLEXITY_API_KEY");
    let message = fault["msg"].as_str().expect("a message");
    assert!(message.contains("PERPLEXITY_API_KEY"), "{message}");

    let faulty = post(&stack, json!({"mode": "deep"})).await.expect(422);
    assert_eq!(faulty["detail"][0]["loc"], json!(["body", "query"]));
}

#[tokio::test]
async fn a_refused_key_fails_with_the_setting_to_check() {
    let perplexity = Upstream::always(Reply::json(401, "{}"));
    let stack = with_perplexity(&perplexity).start().await;
    let request = json!({"query": QUESTION, "async_mode": true, "timeout": 10});
    let accepted = post(&stack, request).await.expect(200);
    assert_eq!(accepted["mode"], "perplexity");
    let id = accepted["session_id"].as_str().expect("an id");
    let end = stack.client().wait_terminal(id).await;
    assert_eq!(
        (&end["status"], &end["mode"]),
        (&json!("failed"), &json!("perplexity"))
    );
    let hint = end["error_hint"].as_str().expect("a hint");
    assert!(hint.contains("PERPLEXITY_API_KEY"), "{end}");
    assert_eq!(perplexity.calls(), 1, "a refusal is final");
}

#[tokio::test]
async fn as_the_last_resort_of_a_search_its_citations_become_sources() {
    let (searxng, perplexity) = (
        Upstream::always(Reply::json(502, "")),
        Upstream::always(sonar()),
    );
    let stack = with_perplexity(&perplexity)
        .env("SEARXNG_BASE_URL", searxng.url())
        .start()
        .await;
    let id = stack
        .client()
        .enqueue(json!({"query": QUESTION, "mode": "speed"}))
        .await;
    let end = stack.client().wait_completed(&id).await;
    let answer = end["answer"].as_str().expect("an answer");
    assert!(
        answer.contains("concurrently") && !answer.contains("cheese"),
        "{answer}"
    );
    assert_eq!(
        (&end["mode"], &end["model_used"]),
        (&json!("speed"), &json!("extractive"))
    );
    assert_eq!(
        searxng.calls(),
        2,
        "tried once more before the next was asked"
    );
}

/// The result of a search with Perplexity alone, with `first` as its first reply and sound ones
/// after it, and the number of calls.
async fn ended_after(first: Reply) -> (Value, usize) {
    let perplexity = perplexity::answering(KEY, &format!("{FACT} [1]"), fixtures::gather_results());
    perplexity.next(first);
    let stack = with_perplexity(&perplexity).start().await;
    let request = json!({"query": QUESTION, "async_mode": true, "timeout": 10});
    let accepted = post(&stack, request).await.expect(200);
    let id = accepted["session_id"].as_str().expect("an id");
    (stack.client().wait_terminal(id).await, perplexity.calls())
}

#[tokio::test]
async fn transient_failures_are_retried_after_their_delay() {
    for reply in [
        perplexity::rate_limited(Some(1)),
        perplexity::rate_limited(None),
        Reply::cut(),
        Reply::json(502, ""),
    ] {
        let (end, calls) = ended_after(reply.clone()).await;
        assert_eq!(end["status"], "completed", "{reply:?}: {end}");
        assert!(
            end["answer"]
                .as_str()
                .is_some_and(|text| text.contains("[1]")),
            "{end}"
        );
        assert_eq!(calls, 2, "{reply:?}");
    }
}

#[tokio::test]
async fn the_gateway_page_for_a_wrong_key_names_the_setting_and_is_final() {
    let (end, calls) = ended_after(perplexity::bad_key()).await;
    assert_eq!(end["status"], "failed", "{end}");
    let hint = end["error_hint"].as_str().expect("a hint");
    assert!(hint.contains("PERPLEXITY_API_KEY"), "{end}");
    assert_eq!(calls, 1);
}

#[tokio::test]
async fn an_invalid_answer_fails_as_such() {
    for reply in [
        Reply::json(200, r#"{"choices": []}"#),
        Reply::json(200, r#"{"choices": [{"message"#),
        Reply::html("<html>maintenance</html>"),
    ] {
        let perplexity = Upstream::always(reply.clone());
        let stack = with_perplexity(&perplexity).start().await;
        let request = json!({"query": QUESTION, "async_mode": true, "timeout": 10});
        let accepted = post(&stack, request).await.expect(200);
        let id = accepted["session_id"].as_str().expect("an id");
        let end = stack.client().wait_terminal(id).await;
        assert_eq!(end["status"], "failed", "{reply:?}: {end}");
        assert!(
            end["error"].as_str().is_some_and(|text| !text.is_empty()),
            "{end}"
        );
    }
}
