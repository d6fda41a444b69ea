//! A reranker with the protocol of Cohere, Jina and vLLM: `POST /rerank` (or `/v1/rerank`,
//! `/v2/rerank`).

use std::collections::HashSet;

use serde_json::{Value, json};

use super::{Reply, Request, Upstream, serper::limited};

/// Scores each document by its share of the query's words, best first.
pub fn by_words() -> Upstream {
    Upstream::start(|request| answer(request, by_shared_words))
}

/// Scores each document with `score(query, document)`, 0–1.
pub fn scoring(score: impl Fn(&str, &str) -> f64 + Send + Sync + 'static) -> Upstream {
    Upstream::start(move |request| answer(request, &score))
}

/// The error for more requests than the plan allows.
pub fn rate_limited(retry_after: Option<u64>) -> Reply {
    limited(r#"{"message":"Too many requests"}"#, retry_after)
}

/// The error for an unknown model.
pub fn unknown_model() -> Reply {
    Reply::json(404, r#"{"message":"model not found"}"#)
}

fn answer(request: &Request, score: impl Fn(&str, &str) -> f64) -> Reply {
    if request.method != "POST" || !request.path.ends_with("/rerank") {
        return Reply::json(404, r#"{"message":"Not Found"}"#);
    }
    let parameters = request.json();
    let (Some(query), Some(documents)) = (
        parameters["query"].as_str(),
        parameters["documents"].as_array(),
    ) else {
        return Reply::json(422, r#"{"message":"query and documents are required"}"#);
    };
    let mut scored: Vec<(usize, f64)> = documents
        .iter()
        .map(|document| document.as_str().or(document["text"].as_str()))
        .map(|text| score(query, text.unwrap_or_default()))
        .enumerate()
        .collect();
    scored.sort_by(|(_, a), (_, b)| b.total_cmp(a));
    let most = parameters["top_n"]
        .as_u64()
        .and_then(|most| usize::try_from(most).ok());
    let results: Vec<Value> = scored
        .into_iter()
        .take(most.unwrap_or(usize::MAX))
        .map(|(index, score)| json!({"index": index, "relevance_score": score}))
        .collect();
    let meta = json!({"api_version": {"version": "2"}, "billed_units": {"search_units": 1}});
    let body =
        json!({"id": "double", "model": parameters["model"], "results": results, "meta": meta});
    Reply::json(200, body.to_string())
}

fn by_shared_words(query: &str, document: &str) -> f64 {
    let words = |text: &str| -> HashSet<String> {
        text.split(|c: char| !c.is_alphanumeric())
            .filter(|word| !word.is_empty())
            .map(str::to_lowercase)
            .collect()
    };
    let (wanted, present) = (words(query), words(document));
    wanted.intersection(&present).count() as f64 / wanted.len().max(1) as f64
}
