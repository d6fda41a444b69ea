//! MediaWiki's `api.php?action=query`: `list=search`, `generator=search`, `prop=extracts`.

use serde_json::{Map, Value, json};

use super::{Reply, Request, Upstream};
use crate::captured_bodies;

/// One article; its `pageid` is its position in the list, from 1.
#[derive(Debug, Clone)]
pub struct Article {
    pub title: String,
    pub text: String,
}

impl Article {
    pub fn new(title: &str, text: &str) -> Self {
        Self {
            title: title.into(),
            text: text.into(),
        }
    }
}

/// Returns all `articles` for every query.
pub fn finding(articles: Vec<Article>) -> Upstream {
    Upstream::start(move |request| answer(request, &articles))
}

/// A captured body, for example `search-text-concurrently.json`.
pub fn sample(name: &str) -> Reply {
    let captured = captured_bodies::text(&format!("mediawiki/{name}"));
    // The last line of the capture is its status and time.
    let body = captured
        .lines()
        .find(|line| line.starts_with('{'))
        .unwrap_or_default()
        .to_owned();
    Reply::json(200, body)
}

/// Errors are 200 here, with a header.
pub fn error() -> Reply {
    sample("error-200.txt").header("MediaWiki-API-Error", "badvalue")
}

fn answer(request: &Request, articles: &[Article]) -> Reply {
    if request.parameter("action") != Some("query") {
        return error();
    }
    let numbered: Vec<(usize, &Article)> = (1..).zip(articles).collect();
    let body = if request.parameter("list") == Some("search") {
        search(request, &numbered)
    } else {
        pages(request, &numbered)
    };
    Reply::json(200, body.to_string())
}

fn search(request: &Request, articles: &[(usize, &Article)]) -> Value {
    let hits: Vec<Value> = articles
        .iter()
        .take(number(request, "srlimit").unwrap_or(10))
        .map(|(id, article)| {
            let snippet: String = article.text.chars().take(150).collect();
            json!({
                "ns": 0, "title": article.title, "pageid": id, "size": article.text.len(),
                "wordcount": article.text.split_whitespace().count(),
                "snippet": format!("<span class='searchmatch'>{}</span> {snippet}", article.title),
                "timestamp": "2026-11-23T14:46:27Z",
            })
        })
        .collect();
    json!({"batchcomplete": "", "query": {"searchinfo": {"totalhits": articles.len()}, "search": hits}})
}

fn pages(request: &Request, articles: &[(usize, &Article)]) -> Value {
    let titles: Vec<&str> = request
        .parameter("titles")
        .map_or(Vec::new(), |titles| titles.split('|').collect());
    let ids: Vec<&str> = request
        .parameter("pageids")
        .map_or(Vec::new(), |ids| ids.split('|').collect());
    let generated = request.parameter("generator") == Some("search");
    let pages: Vec<Value> = articles
        .iter()
        .filter(|(id, article)| {
            generated
                || titles.contains(&article.title.as_str())
                || ids.contains(&id.to_string().as_str())
        })
        .take(number(request, "gsrlimit").unwrap_or(50))
        .map(|(id, article)| page(request, *id, article, generated))
        .collect();
    if generated && pages.is_empty() {
        return json!({"batchcomplete": true});
    }
    if request.parameter("formatversion") == Some("2") {
        return json!({"batchcomplete": true, "query": {"pages": pages}});
    }
    let by_id: Map<String, Value> = pages
        .into_iter()
        .map(|page| (page["pageid"].to_string(), page))
        .collect();
    json!({"batchcomplete": "", "query": {"pages": by_id}})
}

fn page(request: &Request, id: usize, article: &Article, generated: bool) -> Value {
    let mut page = json!({"pageid": id, "ns": 0, "title": article.title});
    let properties = request.parameter("prop").unwrap_or_default();
    if generated {
        page["index"] = json!(id);
    }
    if properties.contains("extracts") {
        let length = number(request, "exchars").unwrap_or(usize::MAX);
        page["extract"] = json!(article.text.chars().take(length).collect::<String>());
    }
    if properties.contains("info") {
        let path = article.title.replace(' ', "_");
        page["fullurl"] = json!(format!("https://en.wikipedia.org/wiki/{path}"));
    }
    page
}

fn number(request: &Request, name: &str) -> Option<usize> {
    request.parameter(name)?.parse().ok()
}
