//! A client of the API for tests: every status is an answer, and the body is kept.

use std::time::Duration;

use reqwest::header::HeaderMap;
use reqwest::{Body, ClientBuilder, Method, RequestBuilder, Response, redirect};
use serde_json::Value;

use crate::canary;
use crate::wait::Polling;

#[derive(Debug, Clone)]
pub struct Client {
    base: String,
    key: Option<String>,
    http: reqwest::Client,
}

/// Status, headers and body of one answer.
#[derive(Debug, Clone)]
pub struct HttpResponse {
    pub status: u16,
    pub headers: HeaderMap,
    pub text: String,
}

impl HttpResponse {
    async fn read(response: Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        Self {
            status,
            headers,
            text: response.text().await.expect("the whole body"),
        }
    }

    /// The body as JSON; panics with the body when it is not JSON.
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| {
            panic!("status {}, not JSON ({error}): {}", self.status, self.text)
        })
    }

    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The JSON body; panics when the status differs.
    pub fn expect(&self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.json()
    }
}

fn http() -> ClientBuilder {
    // Fails when another test has installed it already.
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .no_proxy()
        .redirect(redirect::Policy::none())
        .timeout(Duration::from_secs(330))
}

impl Client {
    /// `base` has no slash at its end. Redirects are answers too.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            key: None,
            http: http().build().expect("an HTTP client"),
        }
    }

    /// A client with its own connections, each closed after this idle time.
    pub fn with_pool_idle_timeout(&self, timeout: Duration) -> Self {
        let http = http().pool_idle_timeout(timeout);
        Self {
            http: http.build().expect("an HTTP client"),
            ..self.clone()
        }
    }

    /// A client that sends this API key with every request.
    pub fn with_key(&self, key: &str) -> Self {
        Self {
            key: Some(key.to_owned()),
            ..self.clone()
        }
    }

    pub(crate) fn key(&self) -> Option<&str> {
        self.key.as_deref()
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    /// For what the other methods do not cover: headers, streams, malformed bodies.
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        let request = self.http.request(method, format!("{}{path}", self.base));
        match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        }
    }

    pub async fn send(&self, request: RequestBuilder) -> HttpResponse {
        let (http, request) = request.build_split();
        let request = request.expect("a request");
        if let Some(body) = request.body().and_then(Body::as_bytes) {
            canary::plant_question(body);
        }
        let answer = http.execute(request).await.expect("an answer of the API");
        let answer = HttpResponse::read(answer).await;
        canary::assert_answer_clean(&answer.text);
        answer
    }

    pub async fn get(&self, path: &str) -> HttpResponse {
        self.send(self.request(Method::GET, path)).await
    }

    pub async fn delete(&self, path: &str) -> HttpResponse {
        self.send(self.request(Method::DELETE, path)).await
    }

    pub async fn post_search(&self, request: Value) -> HttpResponse {
        self.send(self.request(Method::POST, "/api/v1/search").json(&request))
            .await
    }

    /// Starts an asynchronous search; returns its session id.
    pub async fn enqueue(&self, mut request: Value) -> String {
        request["async_mode"] = Value::Bool(true);
        let accepted = self.post_search(request).await.expect(200);
        accepted["session_id"]
            .as_str()
            .expect("a session_id")
            .to_owned()
    }

    pub async fn status(&self, id: &str) -> HttpResponse {
        self.get(&format!("/api/v1/search/status/{id}")).await
    }

    /// Polls until the search has ended; panics when it failed.
    pub async fn wait_completed(&self, id: &str) -> Value {
        let end = self.wait_terminal(id).await;
        assert_eq!(end["status"], "completed", "{end}");
        end
    }

    /// Polls until the search is completed or failed, for a little longer than its longest mode
    /// takes.
    pub async fn wait_terminal(&self, id: &str) -> Value {
        let what = format!("search {id} is over");
        let polling = Polling::new(&what, Duration::from_secs(90));
        loop {
            let poll = self.status(id).await.expect(200);
            if matches!(poll["status"].as_str(), Some("completed" | "failed")) {
                return poll;
            }
            polling.pause().await;
        }
    }

    /// None when there is no answer.
    pub async fn status_of(&self, path: &str) -> Option<u16> {
        let request = self
            .request(Method::GET, path)
            .timeout(Duration::from_secs(2));
        Some(request.send().await.ok()?.status().as_u16())
    }
}
