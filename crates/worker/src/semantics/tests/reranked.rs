//! Rerankers, and what a probe says.

use super::*;

#[tokio::test]
async fn a_reranker_is_asked_once_per_query_and_its_order_undone() {
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
async fn scores_outside_0_to_1_are_taken_as_log_odds() {
    let upstream = answering(json_reply(json!({"results": [
        {"index": 0, "relevance_score": -4.0}, {"index": 1, "relevance_score": 5.0},
    ]})))
    .await;
    let found = compared(&reranker(&upstream)).await.unwrap();
    assert!(
        found.rows[0][0] < 0.02 && found.rows[0][1] > 0.99,
        "{found:?}"
    );
    let short = answering(json_reply(
        json!({"results": [{"index": 0, "relevance_score": 0.4}]}),
    ))
    .await;
    let error = compared(&reranker(&short)).await.unwrap_err();
    assert_eq!(error, malformed("fewer scores than texts"));
}

#[tokio::test]
async fn a_probe_says_what_to_set() {
    let blind = answering(json_reply(json!({"results": [
        {"index": 0, "relevance_score": 0.5}, {"index": 1, "relevance_score": 0.5},
    ]})))
    .await;
    let error = reranker(&blind).probe(soon()).await.unwrap_err();
    assert!(error.problem.contains("judge"), "{error}");
    let closed = answering(ResponseTemplate::new(401)).await;
    let error = embeddings(&closed).probe(soon()).await.unwrap_err();
    assert!(error.to_string().contains("EMBEDDING_API_KEY"), "{error}");
    let well = answering(json_reply(json!({"results": [
        {"index": 0, "relevance_score": 0.8}, {"index": 1, "relevance_score": 0.1},
    ]})))
    .await;
    let said = reranker(&well).probe(soon()).await.unwrap();
    assert!(said.contains("judge"), "{said}");
}
