//! Servers that refuse, disconnect, stall or send garbage.

use super::*;
use crate::upstream::fixture;

fn refused(error: ModelError) -> (String, String) {
    match error {
        ModelError::Refused { reason, hint } => (reason, hint),
        other => panic!("{other:?} is no refusal"),
    }
}

async fn failure(answer: ResponseTemplate) -> ModelError {
    let server = serve(answer).await;
    complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap_err()
}

#[tokio::test]
async fn error_in_mid_stream_keeps_the_text_so_far() {
    let server = serve(events(fixture::bytes(
        "openai-compatible/scripted-midfail.sse",
    )))
    .await;
    let (result, shown) = complete(&model(&server.uri(), Some("spare")), soon()).await;
    let ModelError::Interrupted { partial, .. } = result.unwrap_err() else {
        panic!("not cut");
    };
    assert_eq!(partial, "asyncio.gather runs awaitable objects ");
    assert_eq!(shown, partial);
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        requests.len(),
        1,
        "no other model repeats text that was already streamed"
    );
}

#[tokio::test]
async fn error_at_the_start_of_a_stream_is_classified_by_its_code() {
    let body = r#"data: {"error":{"message":"slow down","code":"429"}}"#;
    let error = failure(events(format!("{body}\n\n"))).await;
    assert_eq!(error, ModelError::RateLimited { retry_after: None });
}

#[tokio::test]
async fn stalled_stream_keeps_the_text_so_far() {
    let body = fixture::bytes("openai-compatible/scripted-hang.sse");
    let (base, server) = serve_raw(body, false).await;
    let model = model(&base, None).with_stall_timeout(Duration::from_millis(100));
    let (result, shown) = complete(&model, soon()).await;
    let expected = ModelError::Interrupted {
        model: "scripted".to_owned(),
        reason: "the stream stalled".to_owned(),
        partial: "asyncio.gather runs awaitable ".to_owned(),
        usage: None,
    };
    assert_eq!(result.unwrap_err(), expected);
    assert_eq!(shown, "asyncio.gather runs awaitable ");
    server.abort();
}

#[tokio::test]
async fn deadline_ends_a_running_stream() {
    let (base, server) = serve_raw(text_event("Some text").into_bytes(), false).await;
    let deadline = Deadline::after(Duration::from_millis(1500));
    let error = complete(&model(&base, None), deadline).await.0.unwrap_err();
    let expected = ModelError::Interrupted {
        model: "m".to_owned(),
        reason: "out of time".to_owned(),
        partial: "Some text".to_owned(),
        usage: None,
    };
    assert_eq!(error, expected);
    server.abort();
}

#[tokio::test]
async fn finished_answer_does_not_wait_for_the_connection_to_close() {
    let body = [text_event("Done."), finish_event("stop")]
        .concat()
        .into_bytes();
    let (base, server) = serve_raw(body, false).await;
    let model = model(&base, None).with_stall_timeout(Duration::from_millis(100));
    let completion = complete(&model, soon()).await.0.unwrap();
    assert_eq!(
        (completion.text.as_str(), completion.truncated),
        ("Done.", false)
    );
    server.abort();
}

#[tokio::test]
async fn broken_connection_keeps_the_text_so_far() {
    let (base, server) = serve_raw(text_event("Some text").into_bytes(), true).await;
    let error = complete(&model(&base, None), soon()).await.0.unwrap_err();
    assert!(matches!(error, ModelError::Interrupted { partial, .. } if partial == "Some text"));
    server.await.unwrap();
}

#[tokio::test]
async fn broken_connection_without_text_is_unavailable() {
    let (base, server) = serve_raw(b": wait\n\n".to_vec(), true).await;
    let error = complete(&model(&base, None), soon()).await.0.unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { .. }), "{error:?}");
    server.await.unwrap();
}

#[tokio::test]
async fn silent_server_times_out() {
    let server = serve(events("").set_delay(Duration::from_secs(60))).await;
    let deadline = Deadline::after(Duration::from_millis(80));
    let error = complete(&model(&server.uri(), None), deadline)
        .await
        .0
        .unwrap_err();
    assert_eq!(error, ModelError::TimedOut);
}

#[tokio::test]
async fn stopped_server_is_unavailable() {
    let nobody = fixture::refusing_address();
    let base = format!("http://{}/v1", nobody.address());
    let error = complete(&model(&base, None), soon()).await.0.unwrap_err();
    let shown = error.to_string();
    assert!(
        shown.contains("connection refused") && !shown.contains("127.0.0.1"),
        "{shown}"
    );
}

#[tokio::test]
async fn bad_key_names_its_setting() {
    let body = fixture::bytes("openai-compatible/err-401-badkey.json");
    let error = failure(ResponseTemplate::new(401).set_body_raw(body, "application/json")).await;
    let (reason, hint) = refused(error);
    assert_eq!(reason, "HTTP 401");
    assert!(hint.contains("LLM_API_KEY"));
}

#[tokio::test]
async fn unknown_model_names_its_setting() {
    let body =
        r#"{"error":{"message":"The model `main` does not exist","code":"model_not_found"}}"#;
    for status in [400, 404] {
        let answer = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        assert!(refused(failure(answer).await).1.contains("LLM_MODEL"));
    }
}

#[tokio::test]
async fn rate_limit_passes_on_retry_after() {
    let body = fixture::bytes("openai-compatible/err-429.json");
    let answer = ResponseTemplate::new(429).set_body_raw(body, "application/json");
    let limited = |retry_after| ModelError::RateLimited { retry_after };
    assert_eq!(failure(answer.clone()).await, limited(None));
    let told = failure(answer.insert_header("retry-after", "9")).await;
    assert_eq!(told, limited(Some(Duration::from_secs(9))));
}

#[tokio::test]
async fn too_long_prompt_is_recognised() {
    let body = fixture::bytes("openai-compatible/err-400-context.json");
    let answer = ResponseTemplate::new(400).set_body_raw(body, "application/json");
    assert_eq!(failure(answer).await, ModelError::ContextTooSmall);
}

#[tokio::test]
async fn plain_text_500_is_unavailable() {
    let answer = ResponseTemplate::new(500).set_body_string("Internal Server Error");
    let expected = ModelError::Unavailable {
        reason: "HTTP 500".to_owned(),
    };
    assert_eq!(failure(answer).await, expected);
}

#[tokio::test]
async fn web_page_means_a_wrong_base_url() {
    let page = ResponseTemplate::new(200).set_body_raw("<!doctype html><p>Hi", "text/html");
    assert!(refused(failure(page).await).1.contains("LLM_BASE_URL"));
}

#[tokio::test]
async fn garbage_is_an_error() {
    for body in [
        "data: hello\n\n",
        "hello",
        "{\"a\":",
        "{\"a\": 1}",
        "data: [1,2]\n\n",
    ] {
        let error = failure(events(body)).await;
        assert!(
            matches!(
                error,
                ModelError::Unavailable { .. } | ModelError::Unusable { .. }
            ),
            "{body}: {error:?}"
        );
    }
}

#[tokio::test]
async fn endless_answer_is_cut_and_marked_as_truncated() {
    let body = text_event(&"word ".repeat(20_000)).repeat(8);
    let server = serve(events(body)).await;
    let completion = complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap();
    assert!(completion.truncated && completion.text.len() < 600_000);
}
