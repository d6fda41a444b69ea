//! serper.dev's `POST /search` with `X-API-KEY`.

use serde_json::{Value, json};

use super::{Reply, Request, Upstream, searxng};

/// Returns `results` for every query with this key.
pub fn finding(key: &str, results: Vec<searxng::Result>) -> Upstream {
    let key = key.to_owned();
    Upstream::start(move |request| {
        if request.header("x-api-key") != Some(&key) {
            return bad_key();
        }
        if request.method != "POST" || request.path != "/search" {
            return Reply::json(404, r#"{"message":"Not Found"}"#);
        }
        let parameters = request.json();
        let query = parameters["q"].as_str().unwrap_or_default();
        Reply::json(200, body(query, &results).to_string())
    })
}

/// The body for one query.
pub fn body(query: &str, results: &[searxng::Result]) -> Value {
    let organic: Vec<Value> = (1..)
        .zip(results)
        .map(|(position, result): (usize, _)| {
            json!({"title": result.title, "link": result.url, "snippet": result.content, "position": position})
        })
        .collect();
    json!({
        "searchParameters": {"q": query, "type": "search", "engine": "google"},
        "organic": organic, "peopleAlsoAsk": [], "relatedSearches": [], "credits": 1,
    })
}

/// The error for a wrong key.
pub fn bad_key() -> Reply {
    Reply::json(403, r#"{"message":"Unauthorized.","statusCode":403}"#)
}

/// The error for used-up credits.
pub fn no_credits() -> Reply {
    Reply::json(400, r#"{"message":"Not enough credits","statusCode":400}"#)
}

/// The error for more requests than the plan allows.
pub fn rate_limited(retry_after: Option<u64>) -> Reply {
    limited(
        r#"{"message":"Rate limit exceeded","statusCode":429}"#,
        retry_after,
    )
}

pub(super) fn limited(body: &'static str, retry_after: Option<u64>) -> Reply {
    let reply = Reply::json(429, body);
    match retry_after {
        Some(seconds) => reply.header("Retry-After", seconds),
        None => reply,
    }
}

/// The query of a request.
pub fn query(request: &Request) -> String {
    request.json()["q"].as_str().unwrap_or_default().to_owned()
}
