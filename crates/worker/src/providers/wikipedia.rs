//! Wikipedia through MediaWiki's API; no key needed (<https://www.mediawiki.org/wiki/API:Search>,
//! <https://www.mediawiki.org/wiki/Extension:TextExtracts>). One request returns the matching
//! articles with introductions and addresses. A second one is sent only when no article holds all
//! the words.

mod editions;
mod terms;

use super::{
    hits::{HitList, RawHit},
    response::{self, ProviderInfo},
};
use crate::{
    cleaning,
    json::ParsedJson,
    pipeline::{Deadline, ProviderError, ProviderQuery, ProviderResponse, SearchProvider},
    upstream::{self, ProbeError, UpstreamResponse},
};
use async_trait::async_trait;
use reqwest::Client;
use serde_json::Value;
use url::Url;

const PROVIDER: ProviderInfo = ProviderInfo {
    name: "wikipedia",
    forbidden_hint: "Wikipedia blocks this address or client; see its User-Agent policy",
    base_setting: "WIKIPEDIA_BASE_URL",
};

/// The API returns at most this many introductions per request.
const MAX_RESULTS: usize = 20;
/// A wiki's name is cut to this many characters.
const MAX_NAME_CHARS: usize = 100;
/// The requested length of introductions, in characters.
const EXTRACT_CHARS: &str = "1000";

/// A client for Wikipedia, or for another MediaWiki.
#[derive(Debug, Clone)]
pub struct Wikipedia {
    base: Option<Url>,
    client: Client,
}

impl Wikipedia {
    /// Without `base`, the Wikipedia edition in the query's language; with it, always the wiki with
    /// this `api.php`. An address that does not end in `.php` gets MediaWiki's default
    /// `/w/api.php`.
    #[must_use]
    pub fn new(base: Option<Url>, client: Client) -> Self {
        let base = base.map(|base| {
            if base.path().ends_with(".php") {
                base
            } else {
                upstream::endpoint(&base, "w/api.php")
            }
        });
        Self { base, client }
    }

    /// Requests the name of the wiki, for `check-config`.
    ///
    /// # Errors
    /// [`ProbeError`] when the wiki does not return it.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let parameters = [
            ("action", "query"),
            ("meta", "siteinfo"),
            ("format", "json"),
            ("formatversion", "2"),
        ];
        let body = self.send(&self.api_url(None), &parameters, deadline).await;
        let body = body.map_err(|error| self.probe_error(&error))?;
        match body
            .value
            .pointer("/query/general/sitename")
            .and_then(Value::as_str)
        {
            Some(name) => Ok(cleaning::clean_line(name, MAX_NAME_CHARS)),
            None => Err(PROVIDER.probe_error(&PROVIDER.malformed("no site information"))),
        }
    }

    fn probe_error(&self, error: &ProviderError) -> ProbeError {
        let is_away = matches!(
            error,
            ProviderError::TimedOut { .. } | ProviderError::Unavailable { .. }
        );
        let error = PROVIDER.probe_error(error);
        if is_away && self.base.is_none() {
            return ProbeError {
                hint: Some(
                    "set WIKIPEDIA_BASE_URL=off where the internet cannot be reached".to_owned(),
                ),
                ..error
            };
        }
        error
    }

    fn api_url(&self, language: Option<&str>) -> String {
        match &self.base {
            Some(base) => base.to_string(),
            None => editions::api_url(language),
        }
    }

    async fn search_articles(
        &self,
        api: &str,
        terms: &str,
        limit: usize,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let count = limit.to_string();
        let parameters = [
            ("action", "query"),
            ("format", "json"),
            ("formatversion", "2"),
            ("generator", "search"),
            ("gsrsearch", terms),
            ("gsrlimit", &count),
            ("gsrnamespace", "0"),
            // Without this, MediaWiki's built-in search matches titles only.
            ("gsrwhat", "text"),
            ("prop", "extracts|info|pageprops"),
            ("inprop", "url"),
            ("ppprop", "disambiguation"),
            ("exintro", "1"),
            ("explaintext", "1"),
            ("exchars", EXTRACT_CHARS),
            ("exlimit", "max"),
            ("redirects", "1"),
        ];
        let body = self.send(api, &parameters, deadline).await?;
        Ok(ProviderResponse {
            hits: parse_hits(&body.value, api).finish(limit),
            notices: PROVIDER
                .unreadable_notice(body.dropped)
                .into_iter()
                .collect(),
            ..ProviderResponse::default()
        })
    }

    async fn send(
        &self,
        api: &str,
        parameters: &[(&str, &str)],
        deadline: Deadline,
    ) -> Result<ParsedJson, ProviderError> {
        let request = self.client.get(api).query(parameters);
        let reply = upstream::send(request, deadline).await;
        check_api_error(&reply.map_err(|trouble| PROVIDER.request_error(trouble))?)
    }
}

#[async_trait]
impl SearchProvider for Wikipedia {
    fn name(&self) -> &'static str {
        PROVIDER.name
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let terms = terms::from_question(&query.text, query.language.as_deref());
        if terms.is_empty() {
            return Ok(ProviderResponse::default());
        }
        let limit = query.limit.clamp(1, MAX_RESULTS);
        let api = self.api_url(query.language.as_deref());
        let found = self.search_articles(&api, &terms, limit, deadline).await?;
        match terms::any_term_query(&terms) {
            Some(any) if found.hits.is_empty() => {
                self.search_articles(&api, &any, limit, deadline).await
            }
            _ => Ok(found),
        }
    }
}

/// Reads the articles in search order, without disambiguation pages, which have no content.
fn parse_hits(body: &Value, api: &str) -> HitList {
    let query = body.get("query").unwrap_or(&Value::Null);
    let mut pages: Vec<&Value> = response::array_field(query, "pages").iter().collect();
    pages.sort_by_key(|page| {
        page.get("index")
            .and_then(Value::as_i64)
            .unwrap_or(i64::MAX)
    });
    let mut hits = HitList::new(PROVIDER.name);
    for page in pages {
        if page.pointer("/pageprops/disambiguation").is_some() || page.get("missing").is_some() {
            continue;
        }
        let Some(url) = article_url(page, api) else {
            continue;
        };
        // The extract is plain text: escape `<` and `&`, which `HitList` reads as markup.
        let extract = response::text_field(page, "extract")
            .replace('&', "&amp;")
            .replace('<', "&lt;");
        hits.push(RawHit {
            title: response::text_field(page, "title"),
            url: &url,
            snippet: &extract,
            ..RawHit::default()
        });
    }
    hits
}

/// The article's address. If the wiki does not return it, the page is addressed by its ID, beside
/// `api.php`.
fn article_url(page: &Value, api: &str) -> Option<String> {
    for name in ["canonicalurl", "fullurl"] {
        let url = response::text_field(page, name);
        if url.starts_with("http") {
            return Some(url.to_owned());
        }
    }
    let id = page.get("pageid")?.as_u64()?;
    let url = Url::parse(api)
        .ok()?
        .join(&format!("index.php?curid={id}"))
        .ok()?;
    Some(url.to_string())
}

/// Checks for errors, which MediaWiki reports with HTTP 200
/// (<https://www.mediawiki.org/wiki/API:Errors_and_warnings>).
fn check_api_error(reply: &UpstreamResponse) -> Result<ParsedJson, ProviderError> {
    let body = PROVIDER.json_object(reply)?;
    let Some(error) = body.value.get("error") else {
        return Ok(body);
    };
    let code = response::text_field(error, "code");
    let known = code.len() <= 60
        && code
            .chars()
            .all(|char| char.is_ascii_alphanumeric() || "-_".contains(char));
    let reason = if known { code } else { "error" };
    Err(match code {
        "ratelimited" => ProviderError::RateLimited {
            provider: PROVIDER.name,
            retry_after: reply.retry_after,
        },
        "maxlag"
        | "readonly"
        | "search-error"
        | "cirrussearch-backend-error"
        | "cirrussearch-too-busy-error" => ProviderError::Unavailable {
            provider: PROVIDER.name,
            reason: reason.to_owned(),
        },
        _ if code.starts_with("internal_api_error") => ProviderError::Unavailable {
            provider: PROVIDER.name,
            reason: reason.to_owned(),
        },
        _ => PROVIDER.refused(
            reason,
            "check that WIKIPEDIA_BASE_URL is the api.php of a public MediaWiki with TextExtracts",
        ),
    })
}

#[cfg(test)]
mod tests;
