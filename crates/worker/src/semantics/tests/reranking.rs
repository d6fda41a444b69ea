//! Tests of rerankers and of the probe.

use super::*;

#[tokio::test]
async fn reranker_gets_one_request_per_query_and_results_are_reordered() {
    let upstream = MockServer::start().await;
    Mock::given(method("POST"))
        .and(path("/rerank"))
        .and(header("authorization", "Bearer sesame"))
        .respond_with(|request: &Request| {
            let asked: Value = request.body_json().unwrap();
            assert_eq!(asked["model"], "judge");
            assert_eq!(asked["documents"], json!(["a", "b"]));
            let b = if asked["query"] == "first" { 0.9 } else { 0.2 };
            json_reply(json!({"id": "1", "results": [
                {"index": 1, "relevance_score": b}, {"index": 0, "relevance_score": 0.1},
            ], "usage": {"total_tokens": 7}}))
        })
        .mount(&upstream)
        .await;
    let found = reranker(&upstream)
        .similarities(&["first", "second"], &["a", "b"], soon())
        .await
        .unwrap();
    assert_eq!(found.rows, [[0.1, 0.9], [0.1, 0.2]]);
    assert_eq!(found.usage.unwrap().total_tokens, 14);
}

#[tokio::test]
async fn scores_outside_0_to_1_are_log_odds() {
    let upstream = serve(json_reply(json!({"results": [
        {"index": 0, "relevance_score": -4.0}, {"index": 1, "relevance_score": 5.0},
    ]})))
    .await;
    let found = compare(&reranker(&upstream)).await.unwrap();
    assert!(
        found.rows[0][0] < 0.02 && found.rows[0][1] > 0.99,
        "{found:?}"
    );
    let short = serve(json_reply(
        json!({"results": [{"index": 0, "relevance_score": 0.4}]}),
    ))
    .await;
    let error = compare(&reranker(&short)).await.unwrap_err();
    assert_eq!(error, malformed("fewer scores than texts"));
}

#[tokio::test]
async fn probe_names_the_setting_to_fix() {
    let blind = serve(json_reply(json!({"results": [
        {"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.5},
    ]})))
    .await;
    let error = reranker(&blind).probe(soon()).await.unwrap_err();
    assert!(error.problem.contains("judge"), "{error}");
    let closed = serve(ResponseTemplate::new(401)).await;
    let error = embeddings(&closed).probe(soon()).await.unwrap_err();
    assert!(error.to_string().contains("EMBEDDING_API_KEY"), "{error}");
    let well = serve(json_reply(json!({"results": [
        {"index": 0, "relevance_score": 0.8}, {"index": 1, "relevance_score": 0.1},
    ]})))
    .await;
    let said = reranker(&well).probe(soon()).await.unwrap();
    assert!(said.contains("judge"), "{said}");
}

#[tokio::test]
async fn invalid_score_affects_only_its_text() {
    for written in ["NaN", "-Infinity", "null"] {
        let body = format!(
            r#"{{"results": [{{"index": 0, "relevance_score": {written}}}, {{"index": 1, "relevance_score": 0.7}}, {{"index": 2, "relevance_score": 0.4}}]}}"#
        );
        let upstream = serve(ResponseTemplate::new(200).set_body_string(body)).await;
        let found = reranker(&upstream)
            .similarities(&["q"], &["a", "b", "c"], soon())
            .await;
        assert_eq!(found.unwrap().rows, [[0.4, 0.7, 0.4]], "{written}");
    }
}

#[tokio::test]
async fn invalid_vector_affects_only_its_text() {
    let vectors = |query: &str, text: &str| {
        format!(
            r#"{{"data": [{{"index": 0, "embedding": {query}}}, {{"index": 1, "embedding": {text}}}, {{"index": 2, "embedding": [1, 0]}}]}}"#
        )
    };
    let good = vectors("[1, 0]", "[NaN, NaN]");
    let upstream = serve(ResponseTemplate::new(200).set_body_string(good)).await;
    let found = embeddings(&upstream)
        .similarities(&["q"], &["a", "b"], soon())
        .await;
    assert_eq!(found.unwrap().rows, [[0.0, 1.0]]);
    // Nothing can be compared with a query that has no vector.
    let bad = vectors("[NaN, NaN]", "[1, 0]");
    let upstream = serve(ResponseTemplate::new(200).set_body_string(bad)).await;
    let found = embeddings(&upstream)
        .similarities(&["q"], &["a", "b"], soon())
        .await;
    assert!(
        matches!(found, Err(SemanticsError::Malformed { .. })),
        "{found:?}"
    );
}
