//! Malformed responses: the result is valid or an error.

use super::*;
use crate::upstream::{
    fixture,
    fuzz::{arbitrary_json, damaged},
};
use proptest::prelude::*;

#[test]
fn huge_token_counts_do_not_overflow() {
    let spent = |count: u64| parse_usage(&json!({"usage": {"total_tokens": count}})).unwrap();
    let mut sum = spent(u64::MAX);
    sum += spent(7);
    assert_eq!(sum.total_tokens, u64::MAX);
}

const MEMBERS: [&str; 9] = [
    "data",
    "results",
    "index",
    "embedding",
    "relevance_score",
    "score",
    "usage",
    "total_tokens",
    "object",
];

fn score_responses() -> Vec<Vec<u8>> {
    let entries = json!([{"index": 1, "relevance_score": 0.2}, {"index": 0, "score": -3.5}]);
    [
        json!({"results": entries}),
        json!({"data": entries}),
        entries.clone(),
    ]
    .map(|body| body.to_string().into_bytes())
    .to_vec()
}

/// Whether each of `count` texts has a score of 0–1, or there are no scores.
fn is_valid(scores: Result<Vec<f64>, SemanticsError>, count: usize) -> bool {
    scores.map_or(true, |scores| {
        scores.len() == count && scores.iter().all(|score| (0.0..=1.0).contains(score))
    })
}

proptest! {
    #[test]
    fn reranker_scores_all_texts_or_none(
        body in arbitrary_json(&MEMBERS),
        scores in prop::collection::vec(any::<f64>(), 0..5),
        count in 0_usize..5,
    ) {
        prop_assert!(is_valid(rerank::parse_scores(&body, count), count));
        let entries: Vec<Value> = (0..).zip(scores).map(|(index, score): (usize, _)| {
            json!({"index": index, "score": score})
        }).collect();
        prop_assert!(is_valid(rerank::parse_scores(&Value::from(entries), count), count));
        let _ = parse_usage(&body);
    }

    #[test]
    fn damaged_reranker_response_is_read_or_rejected(body in damaged(score_responses(), &MEMBERS)) {
        if let Ok(body) = serde_json::from_slice(&body) {
            prop_assert!(is_valid(rerank::parse_scores(&body, 2), 2));
        }
    }

    #[test]
    fn damaged_embeddings_response_is_read_or_rejected(
        body in damaged(vec![
            json!({"data": [
                {"index": 1, "embedding": [1e-40, 3e38]}, {"index": 0, "embedding": [-0.5, 0.25]},
            ]}).to_string().into_bytes(),
            fixture::json("openai-compatible/embed-minilm.json"),
        ], &MEMBERS),
        count in 1_usize..4,
    ) {
        let Ok(body) = serde_json::from_slice(&body) else { return Ok(()) };
        let _ = parse_usage(&body);
        let Ok(vectors) = embeddings::parse_vectors(&body, count) else { return Ok(()) };
        prop_assert_eq!(vectors.len(), count);
        for (a, b) in vectors.iter().zip(vectors.iter().skip(1)) {
            prop_assert!((0.0..=1.0).contains(&embeddings::cosine(a, b)));
        }
    }
}
