//! Reasoning without its opening marker, and reasoning that uses up the token limit.

use super::*;
use serde_json::{Value, json};
use wiremock::matchers::body_partial_json;

fn finish_with_usage(reason: &str, prompt_tokens: u32, completion_tokens: u32) -> String {
    let chunk: Value = json!({
        "choices": [{"index": 0, "delta": {}, "finish_reason": reason}],
        "usage": {"prompt_tokens": prompt_tokens, "completion_tokens": completion_tokens},
    });
    format!("data: {chunk}\n\n")
}

#[tokio::test]
async fn text_before_a_lone_closing_marker_is_discarded() {
    let body = [
        text_event("Okay, the user wants to know. "),
        text_event("They say [1]."),
        text_event("</think>\n\nThe answer"),
        text_event(" [1]."),
        finish_event("stop"),
    ];
    let server = serve(events(body.concat())).await;
    let mut pieces = Vec::new();
    let completion = model(&server.uri(), None)
        .complete(&prompt(), soon(), &mut |piece| {
            pieces.push(match piece {
                CompletionEvent::Text(text) => text.to_owned(),
                CompletionEvent::Discard => "(void)".to_owned(),
            });
        })
        .await
        .unwrap();
    assert_eq!(completion.text, "The answer [1].");
    let expected = [
        "Okay, the user wants to know. ",
        "They say [1].",
        "(void)",
        "The answer",
        " [1].",
    ];
    assert_eq!(pieces, expected);
}

#[tokio::test]
async fn exhausted_token_limit_is_retried_once_with_four_times_as_many() {
    let server = MockServer::start().await;
    let starved = [
        text_event("<think>I wonder"),
        finish_with_usage("length", 20, 300),
    ]
    .concat();
    Mock::given(body_partial_json(json!({"max_tokens": 300})))
        .respond_with(events(starved))
        .expect(1)
        .mount(&server)
        .await;
    let answered = [
        text_event("<think>Hm</think>Yes [1]."),
        finish_with_usage("stop", 20, 500),
    ]
    .concat();
    Mock::given(body_partial_json(json!({"max_tokens": 1200})))
        .respond_with(events(answered))
        .expect(1)
        .mount(&server)
        .await;
    let completion = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap();
    assert_eq!(completion.text, "Yes [1].");
    let usage = completion.usage.unwrap();
    assert_eq!((usage.prompt_tokens, usage.completion_tokens), (40, 800));
}

#[tokio::test]
async fn endless_reasoning_is_retried_only_once() {
    let starved = [
        text_event("<think>I wonder"),
        finish_with_usage("length", 20, 300),
    ]
    .concat();
    let server = MockServer::start().await;
    Mock::given(any())
        .respond_with(events(starved))
        .expect(2)
        .mount(&server)
        .await;
    let error = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap_err();
    assert_eq!(error.usage().unwrap().completion_tokens, 600);
}

#[tokio::test]
async fn usage_of_a_failed_model_is_added_to_its_fallback() {
    let server = MockServer::start().await;
    let tried = |name: &str| Mock::given(body_partial_json(json!({"model": name})));
    tried("main")
        .respond_with(events(finish_with_usage("stop", 7, 1)))
        .mount(&server)
        .await;
    tried("second")
        .respond_with(events(
            [text_event("Yes [1]."), finish_with_usage("stop", 7, 2)].concat(),
        ))
        .mount(&server)
        .await;
    let completion = complete(&model(&server.uri(), Some("second")), soon())
        .await
        .0
        .unwrap();
    assert_eq!(completion.usage.unwrap().total_tokens, 17);
}

#[tokio::test]
async fn refused_response_format_is_dropped() {
    let server = MockServer::start().await;
    let refusal = json!({"error": {"message": "response_format is not supported"}});
    Mock::given(body_partial_json(
        json!({"response_format": {"type": "json_object"}}),
    ))
    .respond_with(ResponseTemplate::new(400).set_body_json(refusal))
    .with_priority(1)
    .expect(1)
    .mount(&server)
    .await;
    Mock::given(any())
        .respond_with(events([text_event("{}"), finish_event("stop")].concat()))
        .mount(&server)
        .await;
    let asked = Prompt {
        wants_json: true,
        ..prompt()
    };
    let completion = model(&server.uri(), None)
        .complete(&asked, soon(), &mut |_| {})
        .await;
    assert_eq!(completion.unwrap().text, "{}");
}
