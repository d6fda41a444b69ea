//! Perplexity's Sonar: chat completions with search and citations
//! (<https://docs.perplexity.ai/api-reference/chat-completions-post>).

mod citations;

use super::{
    period::{Period, us_date},
    response::ProviderInfo,
};
use crate::{
    cleaning,
    json::ParsedJson,
    llm::{ReasoningFilter, parse_usage},
    pipeline::{
        Deadline, ProviderError, ProviderQuery, ProviderResponse, SearchProvider, TimeRange,
        search::renumber::renumber,
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
    name: "perplexity",
    forbidden_hint: "set PERPLEXITY_API_KEY to a valid key of Perplexity",
    base_setting: "PERPLEXITY_BASE_URL",
};

const PUBLIC_BASE: &str = "https://api.perplexity.ai";
const MODEL: &str = "sonar";
/// The limit of an answer: far above what Sonar writes.
const MAX_ANSWER_BYTES: usize = 64 * 1024;

/// A client for Perplexity's search model. Its hits are the cited sources, in the order of their
/// numbers. They are not cut to the query's limit, so every number in the answer has its source.
#[derive(Debug, Clone)]
pub struct Perplexity {
    completions_url: String,
    key: Secret,
    client: Client,
}

impl Perplexity {
    /// A client for the service at `base`; the public one by default.
    #[must_use]
    pub fn new(base: Option<&Url>, key: Secret, client: Client) -> Self {
        let completions_url = base.map_or_else(
            || format!("{PUBLIC_BASE}/chat/completions"),
            |base| upstream::endpoint(base, "chat/completions").into(),
        );
        Self {
            completions_url,
            key,
            client,
        }
    }

    /// Requests a one-token answer, for `check-config`; it costs one request.
    ///
    /// # Errors
    /// [`ProbeError`] when a search fails.
    pub async fn probe(&self, deadline: Deadline) -> Result<String, ProbeError> {
        let mut body = parameters("wikipedia", Period::Any);
        body["max_tokens"] = json!(1);
        let reply = self.send(&body, deadline).await;
        reply.map_err(|error| PROVIDER.probe_error(&error))?;
        Ok(format!("{MODEL} answers"))
    }

    async fn send(&self, body: &Value, deadline: Deadline) -> Result<ParsedJson, ProviderError> {
        let request = self
            .client
            .post(&self.completions_url)
            .bearer_auth(self.key.expose())
            .json(body);
        let reply = upstream::send(request, deadline).await;
        PROVIDER.json_object(&reply.map_err(|trouble| PROVIDER.request_error(trouble))?)
    }
}

#[async_trait]
impl SearchProvider for Perplexity {
    fn name(&self) -> &'static str {
        PROVIDER.name
    }

    async fn search(
        &self,
        query: &ProviderQuery,
        deadline: Deadline,
    ) -> Result<ProviderResponse, ProviderError> {
        let now = Utc::now();
        let body = parameters(&query.text, Period::from_query(query, now));
        let answer = self.send(&body, deadline).await?;
        let notice = PROVIDER.unreadable_notice(answer.dropped);
        Ok(ProviderResponse {
            notices: notice.into_iter().collect(),
            ..parse_response(&answer.value, now)?
        })
    }
}

fn parameters(question: &str, period: Period) -> Value {
    let mut body = json!({
        "model": MODEL,
        "messages": [{"role": "user", "content": question}],
    });
    // Perplexity does not accept both filters together.
    match period {
        Period::Any => {}
        Period::MaxAge(range) => {
            body["search_recency_filter"] = json!(match range {
                TimeRange::Day => "day",
                TimeRange::Week => "week",
                TimeRange::Month => "month",
                TimeRange::Year => "year",
            });
        }
        Period::Since(first) => body["search_after_date_filter"] = json!(us_date(first)),
    }
    body
}

fn parse_response(body: &Value, now: DateTime<Utc>) -> Result<ProviderResponse, ProviderError> {
    let content = body.pointer("/choices/0/message/content");
    let Some(content) = content.and_then(Value::as_str) else {
        return Err(PROVIDER.malformed("no answer text"));
    };
    let mut filter = ReasoningFilter::default();
    let mut text = filter.feed(&cleaning::clean_text(content, MAX_ANSWER_BYTES));
    text.push_str(&filter.finish());
    let (hits, numbers) = citations::sources(body, PROVIDER.name, now);
    let answer = renumber(text.trim(), &numbers);
    Ok(ProviderResponse {
        hits,
        answer: Some(answer).filter(|answer| !answer.is_empty()),
        usage: parse_usage(body),
        ..ProviderResponse::default()
    })
}

#[cfg(test)]
mod tests;
