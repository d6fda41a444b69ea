//! Similarity by a reranker: `POST {base}/rerank` in the format of Cohere, Jina, Voyage, vLLM,
//! LiteLLM and llama.cpp.

use super::{
    MAX_CONCURRENT_REQUESTS, SimilarityServer, malformed, parse_usage,
    request::{self, RERANK},
};
use crate::{
    pipeline::{Deadline, SemanticsError, Similarities},
    upstream,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use privachat_core::schema::Usage;
use reqwest::Client;
use serde_json::{Value, json};

/// The scores of all texts for each query; one request per query.
pub(super) async fn compare(
    server: &SimilarityServer,
    client: &Client,
    queries: &[&str],
    texts: &[&str],
    deadline: Deadline,
) -> Result<Similarities, SemanticsError> {
    let requests: Vec<_> = queries
        .iter()
        .map(|query| {
            let url = upstream::endpoint(&server.base_url, "rerank");
            // Without `top_n` servers score all texts; not all of them know it by this name.
            let body = json!({"model": server.model, "query": query, "documents": texts});
            let request = server.authorised(client.post(url)).json(&body);
            async move {
                let body = request::send_with_retry(request, deadline, &RERANK).await?;
                Ok::<_, SemanticsError>((parse_scores(&body, texts.len())?, parse_usage(&body)))
            }
        })
        .collect();
    let answers: Vec<(Vec<f64>, Option<Usage>)> = stream::iter(requests)
        .buffered(MAX_CONCURRENT_REQUESTS)
        .try_collect()
        .await?;
    let mut spent: Option<Usage> = None;
    let mut rows = Vec::with_capacity(answers.len());
    for (row, usage) in answers {
        rows.push(row);
        if let Some(usage) = usage {
            *spent.get_or_insert_default() += usage;
        }
    }
    Ok(Similarities { rows, usage: spent })
}

/// Reads the scores, in the order of the `count` texts that were sent.
pub(super) fn parse_scores(body: &Value, count: usize) -> Result<Vec<f64>, SemanticsError> {
    let entries = ["results", "data"]
        .iter()
        .find_map(|name| body.get(name))
        .unwrap_or(body)
        .as_array()
        .ok_or_else(|| malformed("no list of scores"))?;
    // The inner option is `None` where a score is not a number, such as NaN.
    let mut scores: Vec<Option<Option<f64>>> = vec![None; count];
    for entry in entries {
        let index = entry.get("index").and_then(Value::as_u64);
        let index = index.and_then(|index| usize::try_from(index).ok());
        let slot = index.and_then(|index| scores.get_mut(index));
        let slot = slot.ok_or_else(|| malformed("a score for a text that was not sent"))?;
        if slot.is_some() {
            return Err(malformed("two scores for one text"));
        }
        let score = ["relevance_score", "score"]
            .iter()
            .find_map(|name| entry.get(name));
        *slot = Some(match score {
            Some(Value::Null) => None,
            Some(Value::Number(number)) => number.as_f64(),
            _ => return Err(malformed("a score that is not a number")),
        });
    }
    let scores: Option<Vec<Option<f64>>> = scores.into_iter().collect();
    let scores = scores.ok_or_else(|| malformed("fewer scores than texts"))?;
    // A text without a score gets the worst one.
    let worst = scores.iter().flatten().copied().reduce(f64::min);
    let worst = worst.ok_or_else(|| malformed("a score that is not a number"))?;
    let scores = scores.into_iter().map(|score| score.unwrap_or(worst));
    Ok(normalize_scores(scores.collect()))
}

/// llama.cpp and some models of vLLM return log-odds instead of 0–1.
fn normalize_scores(scores: Vec<f64>) -> Vec<f64> {
    if scores.iter().all(|score| (0.0..=1.0).contains(score)) {
        return scores;
    }
    let logistic = |score: f64| 1.0 / (1.0 + (-score).exp());
    scores.into_iter().map(logistic).collect()
}
