//! Request bodies, the choice of the model, and the check of `check-config`.

use super::*;
use crate::upstream::fixture;
use serde_json::{Value, json};
use wiremock::{
    Request,
    matchers::{body_partial_json, header, method, path},
};

fn good_response() -> ResponseTemplate {
    events(
        [
            text_event("Fine."),
            finish_event("stop"),
            "data: [DONE]\n\n".to_owned(),
        ]
        .concat(),
    )
}

fn requests_model(model: &str) -> impl wiremock::Match + 'static {
    body_partial_json(json!({"model": model}))
}

async fn bodies(server: &MockServer) -> Vec<Value> {
    let requests: Vec<Request> = server.received_requests().await.unwrap();
    requests
        .iter()
        .map(|request| request.body_json().unwrap())
        .collect()
}

#[tokio::test]
async fn request_body_has_the_documented_fields() {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/chat/completions"))
        .and(header("authorization", "Bearer sk-test"))
        .respond_with(good_response())
        .expect(2)
        .mount(&server)
        .await;
    for base in [
        format!("{}/v1", server.uri()),
        format!("{}/v1/", server.uri()),
    ] {
        complete(&model(&base, None), soon()).await.0.unwrap();
    }
    let body = bodies(&server).await.remove(0);
    assert_eq!(body["stream"], json!(true));
    assert_eq!(body["stream_options"], json!({"include_usage": true}));
    assert_eq!(body["max_tokens"], json!(300));
    assert_eq!(
        body["messages"][0],
        json!({"role": "system", "content": "Cite."})
    );
    assert_eq!(body["messages"][1]["content"], "What is asyncio.gather?");
}

#[tokio::test]
async fn refused_stream_options_are_not_sent_again() {
    let server = MockServer::start().await;
    let body = json!({"detail": [{"type": "extra_forbidden", "loc": ["body", "stream_options"], "msg": "Extra inputs are not permitted"}]});
    Mock::given(body_partial_json(json!({"stream_options": {}})))
        .respond_with(ResponseTemplate::new(422).set_body_json(body))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(any())
        .respond_with(good_response())
        .expect(2)
        .mount(&server)
        .await;
    let model = model(&server.uri(), None);
    complete(&model, soon()).await.0.unwrap();
    complete(&model, soon()).await.0.unwrap();
}

#[tokio::test]
async fn refused_parameters_are_replaced_or_dropped() {
    let server = MockServer::start().await;
    let refuses = |message: &str| {
        ResponseTemplate::new(400).set_body_json(json!({"error": {"message": message}}))
    };
    Mock::given(body_partial_json(json!({"max_tokens": 300})))
        .respond_with(refuses(
            "Unsupported parameter: 'max_tokens'. Use 'max_completion_tokens' instead.",
        ))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(body_partial_json(json!({"temperature": 0.2})))
        .respond_with(refuses(
            "Unsupported value: 'temperature' does not support 0.2.",
        ))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(body_partial_json(json!({"max_completion_tokens": 300})))
        .respond_with(good_response())
        .expect(1)
        .mount(&server)
        .await;
    assert_eq!(
        complete(&model(&server.uri(), None), soon())
            .await
            .0
            .unwrap()
            .text,
        "Fine."
    );
}

#[tokio::test]
async fn repeated_refusals_are_not_retried_forever() {
    let body = json!({"error": {"message": "stream_options temperature max_completion_tokens"}});
    let server = serve(ResponseTemplate::new(400).set_body_json(body)).await;
    complete(&model(&server.uri(), None), soon())
        .await
        .0
        .unwrap_err();
    assert_eq!(bodies(&server).await.len(), 2);
}

#[tokio::test]
async fn fallback_model_is_used_when_the_first_fails() {
    for broken in [
        ResponseTemplate::new(503),
        ResponseTemplate::new(429),
        ResponseTemplate::new(404),
        events(""),
    ] {
        let server = MockServer::start().await;
        Mock::given(requests_model("main"))
            .respond_with(broken)
            .expect(1)
            .mount(&server)
            .await;
        Mock::given(requests_model("spare"))
            .respond_with(good_response())
            .expect(1)
            .mount(&server)
            .await;
        let (result, shown) = complete(&model(&server.uri(), Some("spare")), soon()).await;
        assert_eq!(result.unwrap().text, "Fine.");
        assert_eq!(shown, "Fine.");
    }
}

#[tokio::test]
async fn silent_first_model_leaves_time_for_the_fallback() {
    let server = MockServer::start().await;
    let slow = good_response().set_delay(Duration::from_secs(60));
    Mock::given(requests_model("main"))
        .respond_with(slow)
        .mount(&server)
        .await;
    Mock::given(requests_model("spare"))
        .respond_with(good_response())
        .expect(1)
        .mount(&server)
        .await;
    let deadline = Deadline::after(Duration::from_secs(4));
    let (result, _) = complete(&model(&server.uri(), Some("spare")), deadline).await;
    assert_eq!(result.unwrap().text, "Fine.");
}

#[tokio::test]
async fn fallback_is_not_tried_with_a_bad_key() {
    let server = serve(ResponseTemplate::new(401)).await;
    complete(&model(&server.uri(), Some("spare")), soon())
        .await
        .0
        .unwrap_err();
    assert_eq!(bodies(&server).await.len(), 1);
}

#[tokio::test]
async fn first_failure_is_reported_when_both_models_fail() {
    let server = MockServer::start().await;
    Mock::given(requests_model("main"))
        .respond_with(ResponseTemplate::new(503))
        .expect(1)
        .mount(&server)
        .await;
    Mock::given(requests_model("spare"))
        .respond_with(ResponseTemplate::new(404))
        .expect(1)
        .mount(&server)
        .await;
    let error = complete(&model(&server.uri(), Some("spare")), soon())
        .await
        .0
        .unwrap_err();
    assert!(matches!(error, ModelError::Unavailable { reason } if reason == "HTTP 503"));
}

#[tokio::test]
async fn model_of_the_request_is_used_and_named_in_the_hint() {
    let server = MockServer::start().await;
    Mock::given(requests_model("theirs"))
        .respond_with(ResponseTemplate::new(404))
        .expect(1)
        .mount(&server)
        .await;
    let prompt = Prompt {
        model: Some("theirs".to_owned()),
        ..prompt()
    };
    let model = model(&server.uri(), None);
    let error = model
        .complete(&prompt, soon(), &mut |_| {})
        .await
        .unwrap_err();
    assert!(matches!(error, ModelError::Refused { hint, .. } if hint.contains("`model`")));
}

async fn lists_models(answer: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(method("GET"))
        .and(path("/v1/models"))
        .respond_with(answer)
        .mount(&server)
        .await;
    server
}

/// Accepts every model but `bad`, for which it rejects the key.
async fn mount_all_but(server: &MockServer, bad: &str) {
    Mock::given(requests_model(bad))
        .respond_with(ResponseTemplate::new(401))
        .mount(server)
        .await;
    Mock::given(body_partial_json(json!({"max_tokens": 1})))
        .respond_with(good_response())
        .mount(server)
        .await;
}

#[tokio::test]
async fn probe_checks_that_the_configured_models_are_listed() {
    let body = fixture::bytes("openai-compatible/models.json");
    let server =
        lists_models(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
    mount_all_but(&server, "none").await;
    let mut model = model(&format!("{}/v1", server.uri()), None);
    let hint = model.probe(soon()).await.unwrap_err().hint.unwrap();
    assert!(
        hint.starts_with("set LLM_MODEL to one of: mock-gpt, mock-429"),
        "{hint}"
    );
    model.config.model = "mock-gpt".to_owned();
    let report = model.probe(soon()).await.unwrap();
    assert!(report.starts_with("mock-gpt is available, "), "{report}");
    model.config.fallback_model = Some("mock-429".to_owned());
    let report = model.probe(soon()).await.unwrap();
    assert!(report.ends_with("; mock-429 is available too"), "{report}");
    model.config.fallback_model = Some("gone".to_owned());
    let hint = model.probe(soon()).await.unwrap_err().hint.unwrap();
    assert!(hint.starts_with("set FALLBACK_LLM_MODEL"));
}

#[tokio::test]
async fn probe_tests_the_key_with_a_completion() {
    let list = json!({"data": [{"id": "main"}, {"id": "spare"}]});
    let server = lists_models(ResponseTemplate::new(200).set_body_json(list)).await;
    mount_all_but(&server, "main").await;
    let mut model = model(&format!("{}/v1", server.uri()), Some("spare"));
    let error = model.probe(soon()).await.unwrap_err();
    assert!(error.problem.starts_with("LLM_MODEL: "), "{error}");
    let hint = error.hint.unwrap();
    assert!(hint.contains("LLM_API_KEY"), "{hint}");
    model.config.api_key = None;
    assert!(
        model.probe(soon()).await.is_ok(),
        "without a key, no completion is requested"
    );
}

#[tokio::test]
async fn probe_names_the_setting_for_a_small_or_unknown_context() {
    for (entry, part) in [
        (
            json!({"id": "main", "context_length": 4096}),
            "OLLAMA_CONTEXT_LENGTH",
        ),
        (json!({"id": "main"}), "LLM_CONTEXT_TOKENS"),
    ] {
        let list = json!({"data": [entry]});
        let server = lists_models(ResponseTemplate::new(200).set_body_json(list)).await;
        let mut model = model(&format!("{}/v1", server.uri()), None);
        model.config.api_key = None;
        let report = model.probe(soon()).await.unwrap();
        assert!(report.contains(part), "{report}");
    }
}

#[tokio::test]
async fn probe_reports_a_bad_key() {
    let server = lists_models(ResponseTemplate::new(401)).await;
    let error = model(&format!("{}/v1", server.uri()), None)
        .probe(soon())
        .await
        .unwrap_err();
    assert!(error.hint.unwrap().contains("LLM_API_KEY"));
}

#[tokio::test]
async fn server_without_a_model_list_is_probed_with_one_token() {
    let server = lists_models(ResponseTemplate::new(404)).await;
    Mock::given(body_partial_json(json!({"max_tokens": 1})))
        .respond_with(good_response())
        .expect(1)
        .mount(&server)
        .await;
    let report = model(&format!("{}/v1", server.uri()), None)
        .probe(soon())
        .await
        .unwrap();
    assert_eq!(report, "main answers");
}
