//! SearXNG's `GET /search?format=json`.

use serde_json::{Value, json};

use super::{Reply, Request, Upstream};
use crate::captured_bodies;

/// One web result.
#[derive(Debug, Clone)]
pub struct Result {
    pub title: String,
    pub url: String,
    pub content: String,
}

impl Result {
    pub fn new(title: &str, url: &str, content: &str) -> Self {
        Self {
            title: title.into(),
            url: url.into(),
            content: content.into(),
        }
    }
}

/// Returns `results` for every query.
pub fn finding(results: Vec<Result>) -> Upstream {
    Upstream::start(move |request| answer(request, &results))
}

/// Results about Python, from three sites.
pub fn about_python() -> Vec<Result> {
    vec![
        Result::new(
            "Python (programming language)",
            "https://en.wikipedia.org/wiki/Python",
            "Python is a high-level, general-purpose programming language. Its design emphasizes readability.",
        ),
        Result::new(
            "Welcome to Python.org",
            "https://www.python.org/about/",
            "Python is a programming language that lets you work quickly and integrate systems.",
        ),
        Result::new(
            "What is Python?",
            "https://www.bbc.co.uk/python",
            "What is Python? Python is a language that beginners like to learn first.",
        ),
    ]
}

/// A captured body for every query, for example `mixed-one-dead.json`.
pub fn sample(name: &str) -> Reply {
    Reply::json(200, captured_bodies::bytes(&format!("searxng/{name}")))
}

/// Every engine failed: 200, no results, and the engines' errors.
pub fn dead_engines() -> Reply {
    sample("dead-engines.json")
}

/// The error when `json` is not among the formats in its settings.
pub fn json_disabled() -> Reply {
    let body = captured_bodies::bytes("searxng/json-disabled-403.html");
    Reply::new(403, "text/html; charset=utf-8", body)
}

/// The answer of its bot limiter, which has no Retry-After.
pub fn limited() -> Reply {
    let body = captured_bodies::bytes("searxng/limiter-429.html");
    Reply::new(429, "text/html; charset=utf-8", body)
}

/// The error for an unknown parameter.
pub fn bad_parameter() -> Reply {
    Reply::json(400, captured_bodies::bytes("searxng/bad-language.json"))
}

/// The body for one query.
pub fn body(query: &str, results: &[Result]) -> Value {
    let results: Vec<Value> = results
        .iter()
        .enumerate()
        .map(|(index, result)| {
            json!({
                "title": result.title, "url": result.url, "content": result.content,
                "engine": "double", "engines": ["double"], "category": "general", "template": "default.html",
                "positions": [index + 1], "score": 1.0 / (index + 1) as f64, "publishedDate": null,
            })
        })
        .collect();
    json!({
        "query": query, "results": results, "answers": [], "corrections": [],
        "infoboxes": [], "suggestions": [], "unresponsive_engines": [],
    })
}

fn answer(request: &Request, results: &[Result]) -> Reply {
    let form = String::from_utf8_lossy(&request.body).into_owned();
    if request.path != "/search" {
        return Reply::new(404, "text/html; charset=utf-8", "<h1>Not found</h1>");
    }
    if request.parameter("format") != Some("json") && !form.contains("format=json") {
        return Reply::html("<!DOCTYPE html><title>SearXNG</title>");
    }
    let query = request.parameter("q").unwrap_or_default();
    Reply::json(200, body(query, results).to_string())
}
