//! The body of a search request: JSON, declared as such, and limited in size.

use privachat_tests::{Client, HttpResponse, Stack, binaries};
use reqwest::{Method, header::CONTENT_TYPE};
use serde_json::json;

const SEARCH: &str = "/api/v1/search";

async fn api() -> Stack {
    Stack::builder(binaries!()).workers(0).start().await
}

async fn post(client: &Client, content_type: &str, body: impl Into<reqwest::Body>) -> HttpResponse {
    let request = client
        .request(Method::POST, SEARCH)
        .header(CONTENT_TYPE, content_type)
        .body(body);
    client.send(request).await
}

async fn post_json(client: &Client, body: impl Into<reqwest::Body>) -> HttpResponse {
    post(client, "application/json", body).await
}

#[tokio::test]
async fn a_body_that_is_empty_or_declared_otherwise_is_answered_as_the_old_service_did() {
    let stack = api().await;
    let missing = json!({"detail": [{"type": "missing", "loc": ["body"], "msg": "Field required", "input": null}]});
    let empty = post_json(stack.client(), "").await;
    assert_eq!(empty.expect(422), missing);

    let text = |input: &str| {
        json!({"detail": [{
            "type": "model_attributes_type", "loc": ["body"],
            "msg": "Input should be a valid dictionary or object to extract fields from", "input": input,
        }]})
    };
    let undeclared = stack
        .client()
        .request(Method::POST, SEARCH)
        .body(r#"{"query":"x"}"#);
    let undeclared = stack.client().send(undeclared).await;
    assert_eq!(undeclared.expect(422), text(r#"{"query":"x"}"#));
    let form = post(
        stack.client(),
        "application/x-www-form-urlencoded",
        "query=x",
    )
    .await;
    assert_eq!(form.expect(422), text("query=x"));
}

#[tokio::test]
async fn bytes_that_are_not_json_are_one_error_each() {
    let stack = api().await;
    let nested = "[".repeat(100_000);
    let bodies: [&[u8]; 8] = [
        b"{\"query\":\"\xff\xfe\"}",
        b"\xef\xbb",
        b"{\"query\":\"x\"} more",
        b"{'query':'x'}",
        b"{\"query\":\"\\ud800\"}",
        b"nonsense",
        b"{\"query\":\"x\"",
        nested.as_bytes(),
    ];
    for body in bodies {
        let answer = post_json(stack.client(), body.to_vec()).await;
        let detail = answer.expect(422)["detail"].clone();
        let shown = String::from_utf8_lossy(body.get(..20).unwrap_or(body)).into_owned();
        assert_eq!(detail[0]["type"], "json_invalid", "{shown}");
        assert!(
            detail[0]["loc"][1].is_u64() && detail[1].is_null(),
            "{shown}: {detail}"
        );
    }
}

#[tokio::test]
async fn a_body_of_10_megabytes_is_refused_by_its_length_and_by_its_bytes() {
    let stack = api().await;
    let body = format!(r#"{{"query":"{}"}}"#, "x".repeat(10 << 20));
    let chunks = body
        .as_bytes()
        .chunks(1 << 16)
        .map(|chunk| Ok::<_, std::io::Error>(chunk.to_vec()));
    let chunked =
        reqwest::Body::wrap_stream(futures_util::stream::iter(chunks.collect::<Vec<_>>()));
    for body in [reqwest::Body::from(body.clone()), chunked] {
        let refused = post_json(stack.client(), body).await.expect(413);
        assert_eq!(refused["error"], "payload_too_large");
        assert!(
            refused["message"].as_str().unwrap().contains("bytes"),
            "{refused}"
        );
        assert_eq!(refused.as_object().unwrap().len(), 2, "{refused}");
    }
}

#[tokio::test]
async fn other_media_types_than_json_are_refused() {
    let stack = api().await;
    for other in [
        "text/plain",
        "application/xml",
        "multipart/form-data; boundary=x",
    ] {
        let refused = post(stack.client(), other, r#"{"query":"x"}"#)
            .await
            .expect(415);
        assert_eq!(refused["error"], "unsupported_media_type");
        assert!(
            refused["message"]
                .as_str()
                .unwrap()
                .contains("application/json")
        );
    }
    for json in [
        "application/json; charset=utf-8",
        "Application/JSON",
        "application/problem+json",
    ] {
        post(stack.client(), json, r#"{"query":"x","async_mode":true}"#)
            .await
            .expect(200);
    }
}

type Encode = fn(&str) -> Vec<u8>;

#[tokio::test]
async fn json_is_accepted_in_every_encoding_that_the_old_service_accepted() {
    fn units16(text: &str, bytes: fn(u16) -> [u8; 2]) -> Vec<u8> {
        text.encode_utf16().flat_map(bytes).collect()
    }
    fn units32(text: &str, bytes: fn(u32) -> [u8; 4]) -> Vec<u8> {
        text.chars().flat_map(|c| bytes(c.into())).collect()
    }
    let encodings: [(&str, Encode); 5] = [
        ("UTF-8", |text| text.as_bytes().to_vec()),
        ("UTF-16LE", |text| units16(text, u16::to_le_bytes)),
        ("UTF-16BE", |text| units16(text, u16::to_be_bytes)),
        ("UTF-32LE", |text| units32(text, u32::to_le_bytes)),
        ("UTF-32BE", |text| units32(text, u32::to_be_bytes)),
    ];
    let stack = api().await;
    let query = "Où est 東京? 🦀";
    let body = json!({"query": query, "async_mode": true}).to_string();
    for (name, encode) in encodings {
        for mark in ["", "\u{feff}"] {
            let sent = encode(&format!("{mark}{body}"));
            let accepted = post_json(stack.client(), sent).await.expect(200);
            assert_eq!(accepted["query"], query, "{name} behind {mark:?}");
        }
        let cut = encode(&body[..body.len() - 1]);
        let fault = post_json(stack.client(), cut).await.expect(422)["detail"][0].clone();
        assert_eq!(fault["type"], "json_invalid", "{name}: {fault}");
    }
}
