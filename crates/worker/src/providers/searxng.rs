//! SearXNG's JSON API: `GET /search?format=json`
//! (<https://docs.searxng.org/dev/search_api.html>).

mod query;

use super::{
    dates,
    hits::{HitList, RawHit},
    period::Period,
    response::{self, ProviderInfo},
};
use crate::{
    cleaning,
    pipeline::{
        Deadline, EngineFailure, ProviderError, ProviderQuery, ProviderResponse, SearchProvider,
        TimeRange,
    },
    upstream::{self, ProbeError, UpstreamResponse},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use privachat_core::schema::SourceType;
use reqwest::Client;
use serde_json::Value;
use url::Url;

const PROVIDER: ProviderInfo = ProviderInfo {
    name: "searxng",
    forbidden_hint: "enable json under search.formats in SearXNG's settings.yml",
    base_setting: "SEARXNG_BASE_URL",
};

/// A notice names at most this many engines; an instance may have hundreds.
const MAX_LISTED_ENGINES: usize = 10;
/// An engine's name and its message are each cut to this many characters.
const MAX_ENGINE_CHARS: usize = 40;

/// A client for the operator's SearXNG instance.
#[derive(Debug, Clone)]
pub struct Searxng {
    search: Url,
    client: Client,
}

impl Searxng {
    /// A client for the instance at `base_url`, which may have a path, such as `/searx/`.
    #[must_use]
    pub fn new(base_url: &Url, client: Client) -> Self {
        Self {
            search: upstream::endpoint(base_url, "search"),
            client,
        }
    }

    /// Sends one query, for `check-config`.
    ///
    /// # Errors
    /// [`ProbeError`] when a search fails. Engines that did not respond are named in the report.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let query = ProviderQuery {
            text: "wikipedia".to_owned(),
            language: None,
            time_range: None,
            year: None,
            limit: 10,
        };
        let found = self.search(&query, deadline).await;
        let found = found.map_err(|error| PROVIDER.probe_error(&error))?;
        if found.hits.is_empty() && !found.notices.is_empty() {
            return Err(ProbeError {
                problem: found.notices.join("; "),
                hint: Some("check the engines in SearXNG's settings.yml and its log".to_owned()),
            });
        }
        let mut report = format!("{} results", found.hits.len());
        for notice in found.notices {
            report.push_str("; ");
            report.push_str(&notice);
        }
        Ok(report)
    }

    fn parameters(
        text: String,
        query: &ProviderQuery,
        now: DateTime<Utc>,
    ) -> Vec<(&'static str, String)> {
        let mut parameters = vec![("q", text), ("format", "json".to_owned())];
        let mut categories = "general";
        if let Some(language) = &query.language {
            parameters.push(("language", language.clone()));
        }
        // SearXNG has no start date; the query still names the year.
        if let Period::MaxAge(range) = Period::from_query(query, now) {
            let name = match range {
                TimeRange::Day => "day",
                TimeRange::Week => "week",
                TimeRange::Month => "month",
                TimeRange::Year => "year",
            };
            parameters.push(("time_range", name.to_owned()));
            if range == TimeRange::Day {
                categories = "general,news";
            }
        }
        parameters.push(("categories", categories.to_owned()));
        parameters
    }
}

#[async_trait]
impl SearchProvider for Searxng {
    fn name(&self) -> &'static str {
        PROVIDER.name
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let text = query::without_commands(&query.text);
        if text.is_empty() {
            return Ok(ProviderResponse::default());
        }
        let now = Utc::now();
        let request = self
            .client
            .get(self.search.clone())
            .query(&Self::parameters(text, query, now));
        let reply = upstream::send(request, deadline).await;
        let reply = reply.map_err(|trouble| PROVIDER.request_error(trouble))?;
        parse_response(&reply, query.limit, now)
    }
}

fn parse_response(
    reply: &UpstreamResponse,
    limit: usize,
    now: DateTime<Utc>,
) -> Result<ProviderResponse, ProviderError> {
    if let Some(refusal) = bad_parameter_error(reply) {
        return Err(refusal);
    }
    let parsed = PROVIDER.json_object(reply)?;
    let unreadable = PROVIDER.unreadable_notice(parsed.dropped);
    let body = parsed.value;
    if !body.get("results").is_some_and(Value::is_array) {
        return Err(PROVIDER.malformed("no list of results"));
    }
    let mut hits = HitList::new(PROVIDER.name);
    for result in response::array_field(&body, "results") {
        let raw = RawHit {
            title: response::text_field(result, "title"),
            url: response::text_field(result, "url"),
            snippet: response::text_field(result, "content"),
            published: dates::parse(response::text_field(result, "publishedDate"), now),
            source_type: source_type(response::text_field(result, "category")),
        };
        hits.push(raw);
    }
    push_infoboxes(&body, &mut hits);
    let hits = hits.finish(limit);
    let notice = unresponsive_notice(&body, hits.is_empty());
    Ok(ProviderResponse {
        silence: worst_reason(&body).filter(|_| hits.is_empty()),
        hits,
        notices: notice.into_iter().chain(unreadable).collect(),
        ..ProviderResponse::default()
    })
}

/// Adds infoboxes as hits; their address may be among the results already.
fn push_infoboxes(body: &Value, hits: &mut HitList) {
    for infobox in response::array_field(body, "infoboxes") {
        let links = response::array_field(infobox, "urls").iter();
        let official = links.map(|link| response::text_field(link, "url"));
        let mut raw = RawHit {
            title: response::text_field(infobox, "infobox"),
            snippet: response::text_field(infobox, "content"),
            ..RawHit::default()
        };
        if raw.snippet.is_empty() {
            continue;
        }
        for url in std::iter::once(response::text_field(infobox, "id")).chain(official) {
            raw.url = url;
            if hits.push(raw).is_some() {
                break;
            }
        }
    }
}

fn source_type(category: &str) -> SourceType {
    match category {
        "science" | "scientific publications" => SourceType::Academic,
        "news" => SourceType::News,
        _ => SourceType::Web,
    }
}

/// A notice about the engines that did not respond.
fn unresponsive_notice(body: &Value, nothing_found: bool) -> Option<String> {
    let engines: Vec<String> = response::array_field(body, "unresponsive_engines")
        .iter()
        .filter_map(|pair| {
            let name = pair.get(0)?.as_str()?;
            let message = pair.get(1).and_then(Value::as_str).unwrap_or("no answer");
            Some(format!("{} ({})", shorten(name), shorten(message)))
        })
        .collect();
    if engines.is_empty() {
        return None;
    }
    let start = if nothing_found {
        "SearXNG found nothing, and some of its engines did not answer"
    } else {
        "some engines of SearXNG did not answer"
    };
    let named: Vec<&str> = engines
        .iter()
        .take(MAX_LISTED_ENGINES)
        .map(String::as_str)
        .collect();
    let more = match engines.len() - named.len() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    Some(format!("{start}: {}{more}", named.join(", ")))
}

fn shorten(text: &str) -> String {
    cleaning::clean_line(text, MAX_ENGINE_CHARS)
}

/// Why engines did not respond: the most important of their reasons.
fn worst_reason(body: &Value) -> Option<EngineFailure> {
    response::array_field(body, "unresponsive_engines")
        .iter()
        .filter_map(|pair| {
            pair.get(0)?.as_str()?;
            let message = pair.get(1).and_then(Value::as_str);
            Some(classify_message(message.unwrap_or_default()))
        })
        .min()
}

/// Classifies SearXNG's own message (`searx/webutils.py`, `exception_classname_to_text`), which is
/// English in every interface language. A suspended engine repeats its reason after "Suspended: ".
fn classify_message(message: &str) -> EngineFailure {
    let message = message.to_lowercase();
    let says = |phrases: &[&str]| phrases.iter().any(|phrase| message.contains(phrase));
    if says(&["too many requests", "access denied", "captcha"]) {
        EngineFailure::Refused
    } else if says(&["timeout", "timed out"]) {
        EngineFailure::Late
    } else {
        EngineFailure::Failed
    }
}

/// The error of a 400, which names a parameter after "parameter". The rest of its text may hold the
/// query, so it is dropped.
fn bad_parameter_error(reply: &UpstreamResponse) -> Option<ProviderError> {
    if reply.status != 400 {
        return None;
    }
    let body = reply.json().ok()?.value;
    let message = response::text_field(&body, "error");
    let name = message
        .split_once("parameter ")
        .map(|(_, name)| name.trim());
    let known = [
        "language",
        "time_range",
        "categories",
        "safesearch",
        "pageno",
        "format",
    ];
    let reason = match name.filter(|name| known.contains(name)) {
        Some(name) => format!("HTTP 400, parameter {name}"),
        None => "HTTP 400".to_owned(),
    };
    let hint =
        "this SearXNG rejects a parameter of the request; check its version and preferences.lock";
    Some(PROVIDER.refused(&reason, hint))
}

#[cfg(test)]
mod tests;
