//! Perplexity's Sonar: chat completions with `citations` and `search_results`.

use serde_json::{Value, json};

use super::{Reply, Upstream, searxng, serper::limited};

/// Answers every question that has this key with `answer`, whose `[n]` refer to `sources`.
pub fn answering(key: &str, answer: &str, sources: Vec<searxng::Result>) -> Upstream {
    let bearer = format!("Bearer {key}");
    let answer = answer.to_owned();
    Upstream::start(move |request| {
        if request.header("authorization") != Some(&bearer) {
            return bad_key();
        }
        if request.method != "POST" || !request.path.ends_with("/chat/completions") {
            return Reply::json(404, r#"{"detail":"Not Found"}"#);
        }
        Reply::json(200, body(&answer, &sources).to_string())
    })
}

/// The body of one answer.
pub fn body(answer: &str, sources: &[searxng::Result]) -> Value {
    let citations: Vec<&str> = sources.iter().map(|source| source.url.as_str()).collect();
    let results: Vec<Value> = sources
        .iter()
        .map(|source| {
            json!({"title": source.title, "url": source.url, "date": null, "snippet": source.content})
        })
        .collect();
    let words = answer.split_whitespace().count();
    json!({
        "id": "double", "model": "sonar", "object": "chat.completion", "created": 1_795_444_351,
        "usage": {"prompt_tokens": 8, "completion_tokens": words, "total_tokens": 8 + words, "search_context_size": "low"},
        "citations": citations, "search_results": results,
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": answer}}],
    })
}

/// The error for a wrong key: an HTML page, as its gateway sends it.
pub fn bad_key() -> Reply {
    let page = "<html><head><title>401 Authorization Required</title></head></html>";
    Reply::new(401, "text/html", page)
}

/// The error for more requests than the plan allows.
pub fn rate_limited(retry_after: Option<u64>) -> Reply {
    let body = r#"{"error":{"message":"Request rate limit exceeded","type":"rate_limit_exceeded","code":429}}"#;
    limited(body, retry_after)
}
