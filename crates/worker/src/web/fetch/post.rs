//! Sending to addresses that strangers name, guarded as pages are.

use super::{
    client::Client,
    failure,
    guard::{self, Trust},
    rules::FetchRules,
};
use crate::{pipeline::FetchError, upstream};
use bytes::Bytes;
use chrono::Utc;
use reqwest::{StatusCode, header::HeaderMap};
use std::time::Duration;
use url::Url;

/// Sends to any address that the rules allow. Redirects are answers, and no body is read.
#[derive(Debug)]
pub struct Poster {
    client: Client,
    patience: Duration,
}

/// What came back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Posted {
    /// The status.
    pub status: StatusCode,
    /// How long the receiver asks to be left alone.
    pub retry_after: Option<Duration>,
}

impl Poster {
    /// A poster that waits for an answer for as long as `patience`, the time for a free slot
    /// included.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(rules: FetchRules, patience: Duration) -> anyhow::Result<Self> {
        let client = Client::new(rules)?;
        Ok(Self { client, patience })
    }

    /// One POST.
    ///
    /// # Errors
    /// When the address is refused or nobody answers; names no address.
    pub async fn post(
        &self,
        url: &Url,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Posted, FetchError> {
        let trust = guard::check(url, self.client.rules())?;
        tokio::time::timeout(self.patience, self.send(url, trust, headers, body))
            .await
            .unwrap_or(Err(FetchError::TimedOut))
    }

    async fn send(
        &self,
        url: &Url,
        trust: Trust,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<Posted, FetchError> {
        let (client, _slot) = self.client.for_one(url, trust).await;
        let answer = client
            .post(url.clone())
            .headers(headers)
            .body(body)
            .send()
            .await
            .map_err(|error| failure::from_client(&error))?;
        Ok(Posted {
            status: answer.status(),
            retry_after: upstream::retry_after(answer.headers(), Utc::now()),
        })
    }
}
