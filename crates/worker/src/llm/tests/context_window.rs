//! The context window, as servers report it or not.

use super::*;
use crate::pipeline::ModelLimits;
use serde_json::{Value, json};
use wiremock::matchers::{method, path};

async fn serve_json(answers: &[(&str, &str, Value)]) -> MockServer {
    let server = MockServer::start().await;
    for (verb, place, body) in answers {
        Mock::given(method(*verb))
            .and(path(*place))
            .respond_with(ResponseTemplate::new(200).set_body_json(body))
            .expect(1)
            .mount(&server)
            .await;
    }
    server
}

async fn context(model: &OpenAiClient) -> u32 {
    model.limits(None, soon()).await.context_tokens
}

#[tokio::test]
async fn context_from_the_model_list_is_requested_once() {
    for member in ["context_length", "max_model_len"] {
        let list = json!({"data": [{"id": "other", member: 1}, {"id": "main", member: 32768}]});
        let server = serve_json(&[("GET", "/v1/models", list)]).await;
        let model = model(&format!("{}/v1", server.uri()), None);
        assert_eq!(context(&model).await, 32768);
        assert_eq!(context(&model.clone()).await, 32768);
    }
}

#[tokio::test]
async fn ollama_context_comes_from_its_own_api() {
    let version = ("GET", "/api/version", json!({"version": "0.12.0"}));
    let list = (
        "GET",
        "/v1/models",
        json!({"data": [{"id": "main:latest"}]}),
    );
    for (loaded, parameters, expected) in [
        (json!([]), "stop \"<end>\"\nnum_ctx    16384", 16384),
        (json!([]), "stop \"<end>\"", 4096),
    ] {
        let server = serve_json(&[
            version.clone(),
            list.clone(),
            ("GET", "/api/ps", json!({"models": loaded})),
            ("POST", "/api/show", json!({"parameters": parameters})),
        ])
        .await;
        let model = model(&format!("{}/v1", server.uri()), None);
        assert_eq!(context(&model).await, expected);
    }
    let running = json!({"models": [{"name": "main:latest", "context_length": 12288}]});
    let server = serve_json(&[version, list, ("GET", "/api/ps", running)]).await;
    let model = model(&format!("{}/v1", server.uri()), None);
    assert_eq!(context(&model).await, 12288);
}

#[tokio::test]
async fn default_limits_apply_when_the_server_reports_none() {
    let server = serve(ResponseTemplate::new(404)).await;
    let model = model(&format!("{}/v1", server.uri()), None);
    assert_eq!(model.limits(None, soon()).await, ModelLimits::DEFAULT);
}

#[tokio::test]
async fn configured_context_wins_and_half_is_left_for_the_prompt() {
    let server = MockServer::start().await;
    let mut model = model(&server.uri(), None);
    model.config.context_tokens = Some(1500);
    let expected = ModelLimits {
        context_tokens: 1500,
        answer_tokens: 750,
    };
    assert_eq!(model.limits(None, soon()).await, expected);
    assert!(server.received_requests().await.unwrap().is_empty());
}
