//! Sends webhooks to untrusted addresses, guarded like page fetches.

use super::{
    client::FetchClient, guard, host_limit::RequestPermit, rules::FetchRules, transport_error,
};
use crate::{pipeline::FetchError, upstream};
use bytes::Bytes;
use chrono::Utc;
use reqwest::{StatusCode, header::HeaderMap};
use std::time::Duration;
use url::Url;

/// A client that posts to any address that the rules allow. Redirects are not followed, and no body
/// is read.
#[derive(Debug)]
pub struct WebhookClient {
    client: FetchClient,
    timeout: Duration,
}

/// A permit for one POST to one address; released when the request ends or it is dropped.
#[derive(Debug)]
pub struct WebhookPermit<'a> {
    client: &'a reqwest::Client,
    url: Url,
    timeout: Duration,
    _permit: RequestPermit,
}

/// The response to a webhook.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WebhookResponse {
    pub status: StatusCode,
    /// The delay of its Retry-After header.
    pub retry_after: Option<Duration>,
}

impl WebhookClient {
    /// Creates a client that waits for a response for at most `patience`.
    ///
    /// # Errors
    /// When the HTTP client cannot be set up.
    pub fn new(rules: FetchRules, patience: Duration) -> anyhow::Result<Self> {
        let client = FetchClient::new(rules)?;
        Ok(Self {
            client,
            timeout: patience,
        })
    }

    /// Reserves one POST; `None` while the host is at its limit. The caller retries later; waiting
    /// here would block requests to other hosts.
    ///
    /// # Errors
    /// [`FetchError::Forbidden`] when the address is not allowed. The message contains no address.
    pub fn try_reserve(&self, url: Url) -> Result<Option<WebhookPermit<'_>>, FetchError> {
        let trust = guard::check_url(&url, self.client.rules())?;
        let place = self.client.try_acquire(&url, trust);
        Ok(place.map(|(client, slot)| WebhookPermit {
            client,
            url,
            timeout: self.timeout,
            _permit: slot,
        }))
    }
}

impl WebhookPermit<'_> {
    /// Sends the request.
    ///
    /// # Errors
    /// [`FetchError::TimedOut`] or [`FetchError::Unreachable`]. The messages contain no address.
    pub async fn send(
        self,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<WebhookResponse, FetchError> {
        let request = self.client.post(self.url).headers(headers).body(body);
        let answer = tokio::time::timeout(self.timeout, request.send())
            .await
            .map_err(|_elapsed| FetchError::TimedOut)?
            .map_err(|error| transport_error::from_reqwest(&error))?;
        Ok(WebhookResponse {
            status: answer.status(),
            retry_after: upstream::retry_after(answer.headers(), Utc::now()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::{io::AsyncReadExt, net::TcpListener};

    #[tokio::test]
    async fn busy_host_gets_no_request_and_blocks_no_other_host() {
        let hanging = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let other = wiremock::MockServer::start().await;
        let (slow, fast) = (
            format!("http://127.0.0.1:{}/", hanging.local_addr().unwrap().port()),
            format!("http://localhost:{}/", other.address().port()),
        );
        let rules = FetchRules {
            allow_hosts: vec!["127.0.0.1".to_owned(), "localhost".to_owned()],
            max_per_host: 1,
            ..FetchRules::default()
        };
        let poster = WebhookClient::new(rules, Duration::from_secs(15)).unwrap();
        let place = |url: &str| poster.try_reserve(Url::parse(url).unwrap()).unwrap();
        let post = async |url: &str| {
            let place = place(url).unwrap();
            place.send(HeaderMap::new(), Bytes::new()).await
        };
        let connected = async {
            let (mut stream, _) = hanging.accept().await.unwrap();
            stream.read_u8().await.unwrap();
            stream
        };
        let first = post(&slow);
        tokio::pin!(first);
        let stream = tokio::select! {
            _ = &mut first => panic!("it hangs"),
            stream = connected => stream,
        };
        assert!(place(&slow).is_none());
        let answer = post(&fast).await.unwrap();
        assert_eq!(answer.status, StatusCode::NOT_FOUND);
        drop((stream, hanging));
        first.await.unwrap_err();
        assert!(place(&slow).is_some());
    }
}
