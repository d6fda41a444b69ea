//! The clients of a run: they post as planned, retry without an answer, and cancel.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::time::{Instant, sleep, sleep_until};

use super::log::{Entry, Log, now_ms};
use super::plan::{Plan, Submission};
use crate::Client;

/// How long a client waits for an answer: longer than an asynchronous search takes to be accepted
/// by a slow Redis, and longer than the longest synchronous search.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);
const SYNC_REQUEST_TIMEOUT: Duration = Duration::from_secs(150);
/// How long a client retries.
const RETRY_FOR: Duration = Duration::from_secs(90);
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// Posts everything at its time; returns when the last client has its answer.
pub(super) async fn run(plan: &Plan, addresses: &[String], log: &Log) {
    let clients: Vec<Client> = addresses.iter().map(|base| Client::new(base)).collect();
    let start = Instant::now();
    let tasks = plan.submissions.iter().cloned().map(|submission| {
        let client = ChaosClient {
            clients: clients.clone(),
            log: log.clone(),
            submission,
        };
        tokio::spawn(async move {
            sleep_until(start + client.submission.at).await;
            client.run_submission().await;
        })
    });
    for task in join_all(tasks).await {
        task.expect("a client of the run");
    }
}

struct ChaosClient {
    clients: Vec<Client>,
    log: Log,
    submission: Submission,
}

impl ChaosClient {
    async fn run_submission(&self) {
        let last = self.submission.copies - 1;
        let posts = (0..=last).map(|copy| {
            let conflicting = self.submission.conflicting && copy == last;
            self.post(copy, if conflicting { "other" } else { "first" })
        });
        let ids = join_all(posts).await;
        let accepted = ids.into_iter().flatten().next();
        if let (Some(id), Some(after)) = (accepted, self.submission.cancel) {
            sleep(after).await;
            self.cancel(&id).await;
        }
    }

    /// The id of the accepted search. A retryable status or a missing answer is no reason to give
    /// up.
    async fn post(&self, copy: usize, body: &str) -> Option<String> {
        let submission = &self.submission;
        let (timeout, until) = match submission.sync {
            true => (SYNC_REQUEST_TIMEOUT, Instant::now() + SYNC_REQUEST_TIMEOUT),
            false => (REQUEST_TIMEOUT, Instant::now() + RETRY_FOR),
        };
        let mut turn = submission.api + copy;
        loop {
            let at = now_ms();
            let client = &self.clients[turn % self.clients.len()];
            let mut request = client
                .request(Method::POST, "/api/v1/search")
                .timeout(timeout)
                .json(&request(submission, body));
            if let Some(key) = &submission.key {
                request = request.header("Idempotency-Key", key);
            }
            let (status, id) = answer(request).await;
            self.log.note(Entry::Posted {
                at,
                answered: now_ms(),
                token: submission.token.clone(),
                key: submission.key.clone(),
                body: body.to_owned(),
                status,
                id: id.clone(),
            });
            match status {
                None | Some(429 | 503) if Instant::now() < until => {
                    turn += 1;
                    sleep(RETRY_INTERVAL).await;
                }
                _ => return id,
            }
        }
    }

    async fn cancel(&self, id: &str) {
        let until = Instant::now() + RETRY_FOR;
        let mut turn = self.submission.api;
        loop {
            let at = now_ms();
            let client = &self.clients[turn % self.clients.len()];
            let request = client
                .request(Method::DELETE, &format!("/api/v1/search/{id}"))
                .timeout(REQUEST_TIMEOUT);
            let (status, _) = answer(request).await;
            self.log.note(Entry::Cancelled {
                at,
                answered: now_ms(),
                id: id.to_owned(),
                status,
            });
            if !matches!(status, None | Some(503)) || Instant::now() >= until {
                return;
            }
            turn += 1;
            sleep(RETRY_INTERVAL).await;
        }
    }
}

fn request(submission: &Submission, body: &str) -> Value {
    // A different question with the same results.
    let word = if body == "first" {
        "gather"
    } else {
        "gather now"
    };
    let mut request = json!({
        "query": format!("What is {word} {}?", submission.token),
        "mode": submission.mode,
        "async_mode": !submission.sync,
    });
    if let Some(seconds) = submission.timeout {
        request["timeout"] = seconds.into();
    }
    request
}

/// Status and session id, if any.
async fn answer(request: reqwest::RequestBuilder) -> (Option<u16>, Option<String>) {
    let Ok(response) = request.send().await else {
        return (None, None);
    };
    let status = response.status().as_u16();
    let Ok(text) = response.text().await else {
        return (None, None);
    };
    let body: Value = serde_json::from_str(&text).unwrap_or_default();
    let id = body["session_id"].as_str().map(str::to_owned);
    (Some(status), id)
}
