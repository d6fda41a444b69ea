use super::*;
use crate::upstream::fixture;

fn classify_status(status: u16, body: &[u8]) -> ModelError {
    classify(status, body, None, ModelSource::Configured).error
}

fn hint(status: u16, body: &str) -> String {
    match classify_status(status, body.as_bytes()) {
        ModelError::Refused { hint, .. } => hint,
        other => panic!("{other:?} has no hint"),
    }
}

#[test]
fn captured_errors_are_classified() {
    let captured = |name: &str| fixture::bytes(&format!("openai-compatible/{name}"));
    assert_eq!(
        classify_status(400, &captured("err-400-context.json")),
        ModelError::ContextTooSmall
    );
    assert_eq!(
        classify_status(429, &captured("err-429.json")),
        ModelError::RateLimited { retry_after: None }
    );
    let unavailable = classify_status(500, &captured("err-500.json"));
    assert!(matches!(unavailable, ModelError::Unavailable { reason } if reason == "HTTP 500"));
    let refused = classify_status(401, &captured("err-401-badkey.json"));
    assert!(matches!(refused, ModelError::Refused { hint, .. } if hint.contains("LLM_API_KEY")));
}

#[test]
fn context_errors_of_other_servers_are_classified() {
    for (status, body) in [
        (
            400,
            r#"{"error":{"message":"This model's maximum context length is 4096 tokens.","code":"context_length_exceeded"}}"#,
        ),
        (
            400,
            r#"{"error":{"code":400,"message":"the request exceeds the available context size","type":"exceed_context_size_error"}}"#,
        ),
        (
            422,
            r#"{"detail":[{"msg":"prompt is too long","loc":["body"]}]}"#,
        ),
        (413, "Payload Too Large"),
    ] {
        assert_eq!(
            classify_status(status, body.as_bytes()),
            ModelError::ContextTooSmall,
            "{body}"
        );
    }
}

#[test]
fn unknown_model_and_bad_parameter_are_distinguished() {
    for (status, body) in [
        (
            404,
            r#"{"error":{"message":"model \"x\" not found, try pulling it first"}}"#,
        ),
        (404, "404 page not found"),
        (
            400,
            r#"{"error":{"message":"Invalid model name passed in model=x","code":"400"}}"#,
        ),
        (
            400,
            r#"{"error":{"message":"x is not a valid model ID","code":400}}"#,
        ),
        (422, r#"{"detail":"Unknown model"}"#),
    ] {
        assert!(hint(status, body).contains("LLM_MODEL"), "{body}");
    }
    assert!(hint(400, r#"{"detail":"bad parameter"}"#).contains("LLM_BASE_URL"));
}

#[test]
fn echoed_request_text_is_ignored() {
    let body = r#"{"detail":[{"msg":"field required","loc":["body","n"],"input":"what is a context window?"}]}"#;
    assert!(matches!(
        classify_status(422, body.as_bytes()),
        ModelError::Refused { .. }
    ));
}

#[test]
fn exhausted_account_is_not_a_rate_limit() {
    let body =
        r#"{"error":{"message":"You exceeded your current quota","code":"insufficient_quota"}}"#;
    assert!(hint(429, body).contains("credit"));
    assert!(hint(402, "").contains("credit"));
}

#[test]
fn error_code_in_a_stream_may_be_a_string_a_number_or_absent() {
    let of = |text: &str| {
        let object = serde_json::from_str(text).unwrap();
        classify_error_object(&object, ModelSource::Configured).error
    };
    let limited = ModelError::RateLimited { retry_after: None };
    assert_eq!(
        of(r#"{"error":{"message":"slow down","code":"429"}}"#),
        limited
    );
    assert_eq!(
        of(r#"{"error":{"message":"slow down","code":429}}"#),
        limited
    );
    for text in [
        r#"{"error":{"message":"oops"}}"#,
        r#"{"error":"oops"}"#,
        r#"{"error":{"code":"server_error"}}"#,
        r#"{"error":{"code":99999999}}"#,
    ] {
        assert!(matches!(of(text), ModelError::Unavailable { .. }), "{text}");
    }
}

#[test]
fn fallback_does_not_help_against_a_bad_key() {
    let helps = |status| classify(status, b"", None, ModelSource::Configured).fallback_helps;
    assert!(!helps(401) && !helps(403) && !helps(402) && !helps(302));
    assert!(helps(404) && helps(429) && helps(500) && helps(503));
}

#[test]
fn server_messages_are_not_passed_on() {
    let body = br#"{"error":{"message":"cannot reach 10.0.0.7:8000 with key sk-secret"}}"#;
    for status in [400, 401, 404, 429, 500] {
        let shown = format!("{:?}", classify_status(status, body));
        assert!(
            !shown.contains("10.0.0.7") && !shown.contains("sk-secret"),
            "{shown}"
        );
    }
}
