//! Sends GET requests; each hop passes the guard, the resolver and the limits.

use super::{
    guard::{self, AddressPolicy},
    host_limit::{HostLimiter, RequestPermit},
    resolver::{self, DnsLookup, PublicResolver},
    rules::FetchRules,
    transport_error,
};
use crate::{pipeline::FetchError, web::tls};
use privachat_core::domain::host_name;
use reqwest::{
    StatusCode,
    header::{ACCEPT, ACCEPT_LANGUAGE, CONTENT_TYPE, HeaderMap, HeaderValue, LOCATION},
    redirect::Policy,
};
use std::time::Duration;
use tracing::Span;
use url::Url;

const MAX_REDIRECTS: usize = 5;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const ACCEPT_VALUE: &str = "text/html,application/xhtml+xml,text/markdown;q=0.9,text/plain;q=0.8,application/pdf;q=0.8,*/*;q=0.1";

#[derive(Debug)]
pub(super) struct FetchClient {
    /// Connects to public addresses only.
    public: reqwest::Client,
    /// For allow-listed hosts. A separate client, because the resolver sees names without ports and
    /// an entry may be for one port.
    unrestricted: reqwest::Client,
    rules: FetchRules,
    limiter: HostLimiter,
}

/// The response of the last hop; its body is not read yet.
#[derive(Debug)]
pub(super) struct FetchResponse {
    pub(super) url: Url,
    pub(super) status: StatusCode,
    pub(super) inner: reqwest::Response,
    pub(super) permit: RequestPermit,
}

impl FetchResponse {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        self.inner.headers().get(name)?.to_str().ok()
    }

    pub(super) fn content_type(&self) -> Option<String> {
        self.header(CONTENT_TYPE.as_str()).map(str::to_owned)
    }
}

impl FetchClient {
    pub(super) fn new(rules: FetchRules) -> anyhow::Result<Self> {
        Self::with_lookup(rules, resolver::system_lookup())
    }

    pub(super) fn with_lookup(rules: FetchRules, lookup: DnsLookup) -> anyhow::Result<Self> {
        tls::install();
        let headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(ACCEPT_VALUE))]);
        let builder = || {
            reqwest::Client::builder()
                .user_agent(&rules.user_agent)
                .default_headers(headers.clone())
                .redirect(Policy::none())
                .referer(false)
                .connect_timeout(CONNECT_TIMEOUT)
                .pool_max_idle_per_host(rules.max_per_host)
                // A proxy would resolve names itself and bypass the guard.
                .no_proxy()
        };
        Ok(Self {
            public: builder().dns_resolver(PublicResolver(lookup)).build()?,
            unrestricted: builder().build()?,
            limiter: HostLimiter::new(rules.max_per_host, rules.max_total),
            rules,
        })
    }

    pub(super) fn rules(&self) -> &FetchRules {
        &self.rules
    }

    /// Fetches `url`, following redirects, without checking robots.txt.
    pub(super) async fn get(&self, url: &Url) -> Result<FetchResponse, FetchError> {
        let mut trail = RedirectChain::new(url);
        loop {
            match self.fetch_hop(trail.hop(), None).await? {
                HopResult::Response(response) => return Ok(response),
                HopResult::Redirect(target) => trail.follow(target)?,
            }
        }
    }

    /// Checks and fetches one hop; asks the site for `language`.
    pub(super) async fn fetch_hop(
        &self,
        url: &Url,
        language: Option<&str>,
    ) -> Result<HopResult, FetchError> {
        let trust = guard::check_url(url, &self.rules)?;
        let response = self.send(url, language, trust).await?;
        match redirect_target(&response) {
            None => Ok(HopResult::Response(response)),
            Some(target) => Ok(HopResult::Redirect(target?)),
        }
    }

    /// Waits for a permit; returns it with the client for one request.
    pub(super) async fn acquire(
        &self,
        url: &Url,
        trust: AddressPolicy,
    ) -> (&reqwest::Client, RequestPermit) {
        let host = host_name(url).unwrap_or_default();
        (self.client_for(trust), self.limiter.acquire(&host).await)
    }

    /// The client and a permit for one request, if one is free.
    pub(super) fn try_acquire(
        &self,
        url: &Url,
        trust: AddressPolicy,
    ) -> Option<(&reqwest::Client, RequestPermit)> {
        let slot = self
            .limiter
            .try_acquire(&host_name(url).unwrap_or_default())?;
        Some((self.client_for(trust), slot))
    }

    fn client_for(&self, trust: AddressPolicy) -> &reqwest::Client {
        match trust {
            AddressPolicy::PublicOnly => &self.public,
            AddressPolicy::Any => &self.unrestricted,
        }
    }

    async fn send(
        &self,
        url: &Url,
        language: Option<&str>,
        trust: AddressPolicy,
    ) -> Result<FetchResponse, FetchError> {
        let (client, slot) = self.acquire(url, trust).await;
        let mut request = client.get(url.clone());
        if let Some(languages) = language.and_then(accept_language_value) {
            request = request.header(ACCEPT_LANGUAGE, languages);
        }
        let inner = request
            .send()
            .await
            .map_err(|error| transport_error::from_reqwest(&error))?;
        Span::current().record("http.response.status_code", inner.status().as_u16());
        Ok(FetchResponse {
            url: url.clone(),
            status: inner.status(),
            inner,
            permit: slot,
        })
    }
}

/// The Accept-Language value: `language`, then English, which most sites have. Only a two-letter
/// code is sent, so that the header identifies the user by no more than the language of the
/// question.
fn accept_language_value(language: &str) -> Option<HeaderValue> {
    let is_code = language.len() == 2 && language.bytes().all(|byte| byte.is_ascii_lowercase());
    let accepted = match language {
        _ if !is_code => return None,
        "en" => "en".to_owned(),
        other => format!("{other}, en;q=0.5"),
    };
    HeaderValue::try_from(accepted).ok()
}

/// The result of one hop.
#[derive(Debug)]
pub(super) enum HopResult {
    Response(FetchResponse),
    Redirect(Url),
}

/// A bounded chain of redirects.
#[derive(Debug)]
pub(super) struct RedirectChain {
    hop: Url,
    remaining: usize,
}

impl RedirectChain {
    pub(super) fn new(url: &Url) -> Self {
        let mut hop = url.clone();
        hop.set_fragment(None);
        Self {
            hop,
            remaining: MAX_REDIRECTS,
        }
    }

    pub(super) fn hop(&self) -> &Url {
        &self.hop
    }

    pub(super) fn follow(&mut self, mut target: Url) -> Result<(), FetchError> {
        target.set_fragment(None);
        if self.remaining == 0 || target == self.hop {
            return Err(FetchError::TooManyRedirects);
        }
        self.remaining -= 1;
        self.hop = target;
        Ok(())
    }
}

fn redirect_target(response: &FetchResponse) -> Option<Result<Url, FetchError>> {
    if !matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) {
        return None;
    }
    let target = response
        .header(LOCATION.as_str())
        .and_then(|location| response.url.join(location).ok());
    Some(target.ok_or(FetchError::Status(response.status.as_u16())))
}
