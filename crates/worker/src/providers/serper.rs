//! serper.dev: Google's results as JSON (<https://serper.dev>, `POST /search` with `X-API-KEY`).

use super::{
    dates,
    hits::{HitList, RawHit},
    period::{Period, us_date},
    response::{self, ProviderInfo},
    text,
};
use crate::{
    pipeline::{
        Deadline, ProviderError, ProviderQuery, ProviderResponse, SearchProvider, TimeRange,
    },
    upstream::{self, ProbeError},
};
use async_trait::async_trait;
use chrono::{DateTime, Utc};
use privachat_core::secret::Secret;
use reqwest::Client;
use serde_json::{Value, json};
use url::Url;

const PROVIDER: ProviderInfo = ProviderInfo {
    name: "serperdev",
    forbidden_hint: "set SERPER_API_KEY to a valid key of serper.dev",
    base_setting: "SERPER_BASE_URL",
};

const PUBLIC_BASE: &str = "https://google.serper.dev";
/// Google ignores the rest of a longer query.
const MAX_QUERY_CHARS: usize = 2000;
/// The maximum number of results per request.
const MAX_RESULTS: usize = 100;

/// The country for the results of a language; other languages get none.
const COUNTRIES: [(&str, &str); 14] = [
    ("cs", "cz"),
    ("da", "dk"),
    ("de", "de"),
    ("en", "us"),
    ("es", "es"),
    ("fr", "fr"),
    ("it", "it"),
    ("ja", "jp"),
    ("ko", "kr"),
    ("nl", "nl"),
    ("pl", "pl"),
    ("pt", "br"),
    ("sv", "se"),
    ("tr", "tr"),
];

/// A client for serper.dev.
#[derive(Debug, Clone)]
pub struct Serper {
    search: String,
    key: Secret,
    client: Client,
}

impl Serper {
    /// A client for the service at `base`; the public one by default.
    #[must_use]
    pub fn new(base: Option<&Url>, key: Secret, client: Client) -> Self {
        let search = base.map_or_else(
            || format!("{PUBLIC_BASE}/search"),
            |base| upstream::endpoint(base, "search").into(),
        );
        Self {
            search,
            key,
            client,
        }
    }

    /// Sends one query, for `check-config`; it costs one credit.
    ///
    /// # Errors
    /// [`ProbeError`] when a search fails.
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
        Ok(format!("{} results", found.hits.len()))
    }
}

#[async_trait]
impl SearchProvider for Serper {
    fn name(&self) -> &'static str {
        PROVIDER.name
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let now = Utc::now();
        let found = self.send(query, now, deadline).await?;
        let is_since = matches!(Period::from_query(query, now), Period::Since(_));
        if !found.hits.is_empty() || !is_since {
            return Ok(found);
        }
        // Google only guesses the dates of pages, so search again without the filter; the query
        // still names the year.
        let of_any_year = ProviderQuery {
            time_range: None,
            year: None,
            ..query.clone()
        };
        self.send(&of_any_year, now, deadline).await
    }
}

impl Serper {
    async fn send(
        &self,
        query: &ProviderQuery,
        now: DateTime<Utc>,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let request = self
            .client
            .post(&self.search)
            .header("X-API-KEY", self.key.expose())
            .json(&parameters(query, now));
        let reply = upstream::send(request, deadline).await;
        let reply = reply.map_err(|trouble| PROVIDER.request_error(trouble))?;
        let body = PROVIDER.json_object(&reply)?;
        Ok(ProviderResponse {
            hits: parse_hits(&body.value, now).finish(query.limit),
            notices: PROVIDER
                .unreadable_notice(body.dropped)
                .into_iter()
                .collect(),
            ..ProviderResponse::default()
        })
    }
}

fn parameters(query: &ProviderQuery, now: DateTime<Utc>) -> Value {
    let mut body = json!({
        "q": text::words_within(&query.text, MAX_QUERY_CHARS),
        "num": query.limit.clamp(1, MAX_RESULTS),
    });
    if let Some(language) = &query.language {
        body["hl"] = json!(language);
        if let Some((_, country)) = COUNTRIES.iter().find(|(code, _)| code == language) {
            body["gl"] = json!(country);
        }
    }
    let dates = match Period::from_query(query, now) {
        Period::Any => return body,
        Period::MaxAge(TimeRange::Day) => "qdr:d".to_owned(),
        Period::MaxAge(TimeRange::Week) => "qdr:w".to_owned(),
        Period::MaxAge(TimeRange::Month) => "qdr:m".to_owned(),
        Period::MaxAge(TimeRange::Year) => "qdr:y".to_owned(),
        Period::Since(first) => {
            let (first, today) = (us_date(first), us_date(now.date_naive()));
            format!("cdr:1,cd_min:{first},cd_max:{today}")
        }
    };
    body["tbs"] = json!(dates);
    body
}

/// Reads the hits. The answer box and the knowledge panel come first if they have an address.
fn parse_hits(body: &Value, now: DateTime<Utc>) -> HitList {
    let mut hits = HitList::new(PROVIDER.name);
    if let Some(answer) = body.get("answerBox") {
        push_answer_box(answer, now, &mut hits);
    }
    if let Some(panel) = body.get("knowledgeGraph") {
        let described =
            ["descriptionLink", "website"].map(|name| response::text_field(panel, name));
        hits.push(RawHit {
            title: response::text_field(panel, "title"),
            url: described
                .into_iter()
                .find(|url| !url.is_empty())
                .unwrap_or_default(),
            snippet: response::text_field(panel, "description"),
            ..RawHit::default()
        });
    }
    for result in response::array_field(body, "organic") {
        hits.push(RawHit {
            title: response::text_field(result, "title"),
            url: response::text_field(result, "link"),
            snippet: response::text_field(result, "snippet"),
            published: dates::parse(response::text_field(result, "date"), now),
            ..RawHit::default()
        });
    }
    hits
}

fn push_answer_box(answer: &Value, now: DateTime<Utc>, hits: &mut HitList) {
    let short = response::text_field(answer, "answer");
    let long = response::text_field(answer, "snippet");
    let snippet = match (short.is_empty(), long.is_empty()) {
        (false, false) if !long.contains(short) => format!("{short}. {long}"),
        (_, false) => long.to_owned(),
        (_, true) => short.to_owned(),
    };
    hits.push(RawHit {
        title: response::text_field(answer, "title"),
        url: response::text_field(answer, "link"),
        snippet: &snippet,
        published: dates::parse(response::text_field(answer, "date"), now),
        ..RawHit::default()
    });
}

#[cfg(test)]
mod tests;
