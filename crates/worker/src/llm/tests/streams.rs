//! Complete answers, streamed or not.

use super::*;
use crate::upstream::fixture;

const SCRIPTED: &str =
    "asyncio.gather runs awaitable objects concurrently. [1] A TaskGroup is a safer way to";

#[tokio::test]
async fn captured_stream_is_read() {
    let server = serve(events(fixture::bytes("openai-compatible/scripted.sse"))).await;
    let (result, shown) = complete(&model(&server.uri(), None), soon()).await;
    let completion = result.unwrap();
    assert!(completion.text.starts_with(SCRIPTED), "{}", completion.text);
    assert_eq!(shown.trim_end(), completion.text);
    assert_eq!(completion.model, "scripted");
    assert!(!completion.truncated);
}

#[tokio::test]
async fn usage_is_read_from_the_last_chunk() {
    let server = serve(events(fixture::bytes("openai-compatible/stream-usage.sse"))).await;
    let (result, _) = complete(&model(&server.uri(), None), soon()).await;
    let usage = result.unwrap().usage.unwrap();
    assert_eq!(
        (
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.total_tokens
        ),
        (23, 26, 49)
    );
}

#[tokio::test]
async fn stream_without_usage_is_complete() {
    let server = serve(events(fixture::bytes("openai-compatible/stream.sse"))).await;
    let completion = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap();
    assert_eq!(completion.usage, None);
    assert!(
        completion
            .text
            .starts_with("Python's asyncio.gather runs awaitables")
    );
}

#[tokio::test]
async fn usage_may_come_with_the_finish_reason_and_done_may_be_missing() {
    let last = r#"data: {"choices":[{"delta":{},"finish_reason":"stop"}],"usage":{"prompt_tokens":1,"completion_tokens":2,"total_tokens":3}}"#;
    let server = serve(events(format!("{}{last}\n\n", text_event("Yes.")))).await;
    let completion = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap();
    assert_eq!(completion.usage.unwrap().total_tokens, 3);
    assert!(!completion.truncated);
}

#[tokio::test]
async fn unstreamed_response_is_accepted() {
    let body = fixture::bytes("openai-compatible/nonstream.json");
    let answer = ResponseTemplate::new(200).set_body_raw(body, "application/json");
    let server = serve(answer).await;
    let (result, shown) = complete(&model(&server.uri(), None), soon()).await;
    let completion = result.unwrap();
    assert!(completion.text.ends_with("scheduled as a Task [2]."));
    assert_eq!(shown, completion.text);
    assert_eq!(completion.usage.unwrap().total_tokens, 30);
    assert!(!completion.truncated);
}

#[tokio::test]
async fn reasoning_is_removed_from_stream_and_text() {
    let reasoning = r#"data: {"choices":[{"delta":{"reasoning_content":"secret one"}}]}"#;
    let body = [
        format!("{reasoning}\n\n"),
        text_event("<thi"),
        text_event("nk>secret two</th"),
        text_event("ink>\n\nThe answer"),
        text_event(" [1]."),
        finish_event("stop"),
        "data: [DONE]\n\n".to_owned(),
    ];
    let server = serve(events(body.concat())).await;
    let (result, shown) = complete(&model(&server.uri(), None), soon()).await;
    assert_eq!(shown, "The answer [1].");
    assert_eq!(result.unwrap().text, "The answer [1].");
}

#[tokio::test]
async fn reasoning_without_an_answer_is_an_error() {
    let body = [text_event("<think>I wonder"), finish_event("length")].concat();
    let server = serve(events(body)).await;
    let (result, shown) = complete(&model(&server.uri(), None), soon()).await;
    let expected = ModelError::Unusable {
        reason: "reasoning without an answer".to_owned(),
        usage: None,
    };
    assert_eq!(result.unwrap_err(), expected);
    assert_eq!(shown, "");
}

#[tokio::test]
async fn answer_at_its_token_limit_or_without_an_end_is_truncated() {
    for body in [
        [text_event("Half an"), finish_event("length")].concat(),
        text_event("Half an"),
        [text_event("Half an"), "data: {\"choi".to_owned()].concat(),
    ] {
        let server = serve(events(body)).await;
        let completion = complete(&model(&server.uri(), None), soon())
            .await
            .0
            .unwrap();
        assert_eq!(completion.text, "Half an");
        assert!(completion.truncated);
    }
}

#[tokio::test]
async fn unknown_finish_reasons_and_empty_chunks_are_ignored() {
    let body = [
        ": keep-alive\r\n\r\n".to_owned(),
        "data: {}\n\ndata: {\"choices\":[]}\n\ndata:\n\n".to_owned(),
        text_event("größer ✓"),
        finish_event("eos_token"),
        "data: [DONE]\r\n\r\n".to_owned(),
    ];
    let server = serve(events(body.concat())).await;
    let completion = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap();
    assert_eq!(completion.text, "größer ✓");
    assert!(!completion.truncated);
}

#[tokio::test]
async fn empty_answer_is_an_error() {
    let server = serve(events(
        [finish_event("stop"), "data: [DONE]\n\n".to_owned()].concat(),
    ))
    .await;
    let error = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap_err();
    assert!(matches!(error, ModelError::Unusable { reason, .. } if reason == "empty answer"));
}
