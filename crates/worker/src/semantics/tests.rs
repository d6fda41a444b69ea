mod fuzz;
mod reranking;

use super::*;
use crate::upstream;
use serde_json::json;
use std::time::Duration;
use wiremock::{
    Mock, MockServer, Request, Respond, ResponseTemplate,
    matchers::{header, method, path},
};

fn server(base: &str, model: &str) -> SimilarityServer {
    SimilarityServer {
        base_url: Url::parse(base).unwrap(),
        api_key: Some(Secret::new("sesame".to_owned())),
        model: model.to_owned(),
    }
}

fn embeddings(upstream: &MockServer) -> SimilarityClient {
    let server = server(&format!("{}/v1", upstream.uri()), "minilm");
    SimilarityClient::new(
        SimilarityConfig::Embeddings(server),
        upstream::client().unwrap(),
    )
}

fn reranker(upstream: &MockServer) -> SimilarityClient {
    let server = server(&upstream.uri(), "judge");
    SimilarityClient::new(
        SimilarityConfig::Rerank(server),
        upstream::client().unwrap(),
    )
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(10))
}

/// Embeds a text as its counts of "sea" and "tax", and returns the vectors in reverse order, which
/// the format allows.
struct WordCountEmbeddings;

impl Respond for WordCountEmbeddings {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let asked: Value = request.body_json().unwrap();
        assert_eq!(asked["model"], "minilm");
        let texts = asked["input"].as_array().unwrap();
        let mut data: Vec<Value> = texts
            .iter()
            .enumerate()
            .map(|(index, text)| {
                let text = text.as_str().unwrap();
                let count = |word| text.matches(word).count();
                json!({"object": "embedding", "index": index, "embedding": [count("sea"), count("tax")]})
            })
            .collect();
        data.reverse();
        ResponseTemplate::new(200).set_body_json(json!({
            "object": "list", "model": "minilm", "data": data,
            "usage": {"prompt_tokens": texts.len(), "total_tokens": texts.len()},
        }))
    }
}

async fn serve_word_counts() -> MockServer {
    let upstream = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/v1/embeddings"))
        .and(header("authorization", "Bearer sesame"))
        .respond_with(WordCountEmbeddings)
        .mount(&upstream)
        .await;
    upstream
}

async fn serve(reply: ResponseTemplate) -> MockServer {
    let upstream = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(reply)
        .mount(&upstream)
        .await;
    upstream
}

fn json_reply(body: Value) -> ResponseTemplate {
    ResponseTemplate::new(200).set_body_json(body)
}

async fn compare(semantic: &SimilarityClient) -> Result<Similarities, SemanticsError> {
    semantic.similarities(&["sea"], &["a", "b"], soon()).await
}

#[tokio::test]
async fn every_query_is_compared_with_every_text() {
    let upstream = serve_word_counts().await;
    let found = embeddings(&upstream)
        .similarities(&["sea", "tax"], &["sea sea", "tax", "sea tax", "-"], soon())
        .await
        .unwrap();
    let half = 0.5_f64.sqrt();
    let wanted = [[1.0, 0.0, half, 0.0], [0.0, 1.0, half, 0.0]];
    for (row, wanted) in found.rows.iter().zip(wanted) {
        assert_eq!(row.len(), 4);
        assert!(
            row.iter().zip(wanted).all(|(a, b)| (a - b).abs() < 1e-9),
            "{row:?}"
        );
    }
    // "tax" is both query and text, and is sent once.
    assert_eq!(found.usage.unwrap().total_tokens, 5);
}

#[tokio::test]
async fn captured_response_of_a_real_server_is_read() {
    let body = upstream::fixture::bytes("openai-compatible/embed-minilm.json");
    let count = serde_json::from_slice::<Value>(&body).unwrap()["data"]
        .as_array()
        .unwrap()
        .len();
    let upstream = serve(ResponseTemplate::new(200).set_body_raw(body, "application/json")).await;
    let texts = ["one", "two", "three", "four"];
    let found = embeddings(&upstream)
        .similarities(&["zero"], texts.get(..count - 1).unwrap(), soon())
        .await
        .unwrap();
    assert_eq!(found.rows[0].len(), count - 1);
    assert!(
        found.rows[0]
            .iter()
            .all(|score| (0.0..=1.0).contains(score))
    );
}

#[tokio::test]
async fn texts_are_sent_in_batches_and_cached_ones_are_not_sent() {
    let upstream = serve_word_counts().await;
    let semantic = embeddings(&upstream);
    let texts: Vec<String> = (0..60).map(|n| format!("sea {n}")).collect();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    semantic
        .similarities(&["sea"], &texts, soon())
        .await
        .unwrap();
    let sent = upstream.received_requests().await.unwrap();
    let mut sizes: Vec<usize> = sent
        .iter()
        .map(|request| {
            request.body_json::<Value>().unwrap()["input"]
                .as_array()
                .unwrap()
                .len()
        })
        .collect();
    sizes.sort_unstable();
    assert_eq!(sizes, [29, 32]);

    let again = semantic
        .similarities(&["tax"], &texts, soon())
        .await
        .unwrap();
    assert_eq!(upstream.received_requests().await.unwrap().len(), 3);
    assert_eq!(again.usage.unwrap().total_tokens, 1);
}

#[tokio::test]
async fn long_text_is_cut() {
    let upstream = serve_word_counts().await;
    let long = "ä".repeat(5000);
    embeddings(&upstream)
        .similarities(&["sea"], &[&long], soon())
        .await
        .unwrap();
    let sent = upstream.received_requests().await.unwrap();
    let body: Value = sent[0].body_json().unwrap();
    assert_eq!(
        body["input"][1].as_str().unwrap().chars().count(),
        MAX_TEXT_CHARS
    );
}

#[tokio::test]
async fn slow_server_times_out_at_the_deadline() {
    let reply = json_reply(json!({"data": []})).set_delay(Duration::from_secs(30));
    let upstream = serve(reply).await;
    let deadline = Deadline::after(Duration::from_millis(200));
    let found = embeddings(&upstream)
        .similarities(&["a"], &["b"], deadline)
        .await;
    assert_eq!(found, Err(SemanticsError::TimedOut));
    assert!(deadline.has_passed());
}

#[tokio::test]
async fn each_refusal_names_its_setting() {
    for (status, body, setting) in [
        (401, "err-401-badkey.json", "EMBEDDING_API_KEY"),
        (404, "err-400-context.json", "EMBEDDING_MODEL"),
        (302, "err-400-context.json", "EMBEDDING_BASE_URL"),
    ] {
        let body = upstream::fixture::bytes(&format!("openai-compatible/{body}"));
        let reply = ResponseTemplate::new(status).set_body_raw(body, "application/json");
        let upstream = serve(reply).await;
        let error = compare(&embeddings(&upstream)).await.unwrap_err();
        let SemanticsError::Refused { reason, hint } = &error else {
            panic!("{status}: {error:?}");
        };
        assert_eq!(*reason, format!("HTTP {status}"));
        assert!(hint.contains(setting), "{hint}");
    }
    let upstream = serve(ResponseTemplate::new(403)).await;
    let error = compare(&reranker(&upstream)).await.unwrap_err();
    assert!(
        matches!(&error, SemanticsError::Refused { hint, .. } if hint.contains("RERANK_API_KEY")),
        "{error:?}"
    );
}

#[tokio::test]
async fn transient_errors_are_not_refusals() {
    let body = upstream::fixture::bytes("openai-compatible/err-429.json");
    let limited = serve(ResponseTemplate::new(429).set_body_raw(body, "application/json")).await;
    assert_eq!(
        compare(&embeddings(&limited)).await,
        Err(SemanticsError::RateLimited)
    );
    let broken = serve(ResponseTemplate::new(502)).await;
    let error = compare(&embeddings(&broken)).await.unwrap_err();
    assert!(matches!(error, SemanticsError::Unavailable { reason } if reason == "HTTP 502"));
    let nobody = upstream::fixture::refusing_address();
    let gone = format!("http://{}/", nobody.address());
    let semantic = SimilarityClient::new(
        SimilarityConfig::Embeddings(server(&gone, "m")),
        upstream::client().unwrap(),
    );
    let error = compare(&semantic).await.unwrap_err();
    assert!(!error.to_string().contains("127.0.0.1"), "{error}");
}

/// The number of requests to a server whose first response is `first` and whose later ones are
/// good, and whether the comparison succeeded.
async fn requests_after(first: ResponseTemplate, deadline: Deadline) -> (usize, bool) {
    let server = MockServer::start().await;
    Mock::given(method("POST"))
        .respond_with(first)
        .up_to_n_times(1)
        .mount(&server)
        .await;
    Mock::given(method("POST"))
        .respond_with(WordCountEmbeddings)
        .mount(&server)
        .await;
    let compared = embeddings(&server)
        .similarities(&["sea"], &["sea and tax"], deadline)
        .await;
    let asked = server.received_requests().await.unwrap().len();
    (asked, compared.is_ok())
}

#[tokio::test]
async fn transient_error_is_retried_once_if_there_is_time() {
    let status = ResponseTemplate::new;
    for passing in [status(429), status(502), status(503)] {
        assert_eq!(requests_after(passing, soon()).await, (2, true));
    }
    assert_eq!(requests_after(status(400), soon()).await, (1, false));
    let later = status(429).insert_header("Retry-After", "60");
    assert_eq!(requests_after(later, soon()).await, (1, false));
    let short = Deadline::after(Duration::from_millis(340));
    assert_eq!(requests_after(status(503), short).await, (1, false));
}

#[tokio::test]
async fn circuit_opens_after_repeated_failures() {
    let broken = serve(ResponseTemplate::new(503)).await;
    let semantic = embeddings(&broken);
    for _ in 0..5 {
        assert!(compare(&semantic).await.is_err());
    }
    let error = compare(&semantic.clone()).await.unwrap_err();
    assert!(error.to_string().contains("next try"), "{error}");
    let asked = broken.received_requests().await.unwrap().len();
    assert_eq!(asked, 5 * 2, "each comparison is retried once");

    let refusing = serve(ResponseTemplate::new(400)).await;
    let semantic = embeddings(&refusing);
    for _ in 0..7 {
        assert!(compare(&semantic).await.is_err());
    }
    assert_eq!(refusing.received_requests().await.unwrap().len(), 7);
}

#[tokio::test]
async fn malformed_responses_are_errors() {
    let entry = |index: usize, vector: Value| json!({"index": index, "embedding": vector});
    for (body, reason) in [
        (
            json!({"data": [entry(0, json!([1, 0])), entry(1, json!([1, 0]))]}),
            "fewer vectors",
        ),
        (
            json!({"data": [entry(0, json!([1])), entry(1, json!([1, 0])), entry(2, json!([1, 0]))]}),
            "different lengths",
        ),
        (
            json!({"data": [entry(0, json!([1])), entry(0, json!([1])), entry(2, json!([1]))]}),
            "two vectors",
        ),
        (json!({"data": [entry(7, json!([1]))]}), "not sent"),
        (json!({"data": [entry(0, json!("AAAA"))]}), "not numbers"),
        (json!({"data": [entry(0, json!([]))]}), "not numbers"),
        (json!({"vectors": []}), "no list"),
        (json!({"error": {"message": "no"}}), "an error"),
    ] {
        let upstream = serve(json_reply(body)).await;
        let error = compare(&embeddings(&upstream)).await.unwrap_err();
        assert!(
            matches!(&error, SemanticsError::Malformed { reason: said } if said.contains(reason)),
            "{reason}: {error:?}"
        );
    }
    let page = ResponseTemplate::new(200).set_body_string("<html>Welcome</html>");
    let upstream = serve(page).await;
    let error = compare(&reranker(&upstream)).await.unwrap_err();
    assert_eq!(error, malformed("not JSON"));
}

#[tokio::test]
async fn changed_vector_length_clears_the_cache() {
    let upstream = MockServer::start().await;
    let reply = |length: usize| {
        move |request: &Request| {
            let asked: Value = request.body_json().unwrap();
            let data: Vec<Value> = (0..asked["input"].as_array().unwrap().len())
                .map(|index| json!({"index": index, "embedding": vec![1.0; length]}))
                .collect();
            json_reply(json!({"data": data}))
        }
    };
    Mock::given(method("POST"))
        .respond_with(reply(2))
        .up_to_n_times(1)
        .mount(&upstream)
        .await;
    Mock::given(method("POST"))
        .respond_with(reply(3))
        .mount(&upstream)
        .await;
    let semantic = embeddings(&upstream);
    assert!(compare(&semantic).await.is_ok());
    let other = semantic.similarities(&["other"], &["a"], soon()).await;
    assert!(matches!(other, Err(SemanticsError::Malformed { .. })));
    assert!(
        semantic
            .similarities(&["other"], &["a"], soon())
            .await
            .is_ok()
    );
}
