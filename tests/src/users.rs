//! Continuous users of the service: they search, poll, listen and read the history, each over its
//! own connections, and record everything that an honest client would call a failure.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::StreamExt;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::Client;
use crate::resuming_reader::{ConnectionEnd, ResumingReader};

/// Between two polls of a search, and between two requests of one user.
const POLL_INTERVAL: Duration = Duration::from_millis(25);
/// Before an ended stream is opened again: as its `retry:` asks.
const RETRY: Duration = Duration::from_secs(1);
/// Longer than any search here takes.
const MAX_POLLS: usize = 2400;

/// The observations of all users.
#[derive(Debug, Default)]
pub struct Seen {
    pub requests: usize,
    /// Ids of the searches that were accepted.
    pub accepted: Vec<String>,
    /// How many of them completed, as the users saw it.
    pub completed: usize,
    /// Event streams that ended as documented before their search did, and were resumed.
    pub resumed: usize,
    /// Queue streams that ended as documented and were opened again.
    pub reopened: usize,
    /// What went wrong.
    pub failures: Vec<String>,
}

/// Users at work until [`stop`](Self::stop).
pub struct Users {
    base: String,
    is_stopping: watch::Sender<bool>,
    at_work: JoinSet<()>,
    seen: Arc<Mutex<Seen>>,
}

impl Users {
    /// Without users at first; `base` is the address of the service.
    pub fn new(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            is_stopping: watch::Sender::new(false),
            at_work: JoinSet::new(),
            seen: Arc::default(),
        }
    }

    /// Starts this many users that poll, that wait for the answer, that listen to events, that read
    /// the history, and that watch the queue.
    pub fn start(&mut self, [polling, waiting, listening, looking, watching]: [usize; 5]) {
        for number in 0..polling {
            let user = self.user();
            self.at_work.spawn(user.run_polling(number));
        }
        for number in 0..waiting {
            let user = self.user();
            self.at_work.spawn(user.run_waiting(number));
        }
        for number in 0..listening {
            let user = self.user();
            self.at_work.spawn(user.run_listening(number));
        }
        for _ in 0..looking {
            let user = self.user();
            self.at_work.spawn(user.run_listing());
        }
        for _ in 0..watching {
            let user = self.user();
            self.at_work.spawn(user.run_watching_queue());
        }
    }

    /// One more user, which listens to one search.
    pub fn ask(&mut self, name: &str) {
        let user = self.user();
        let name = name.to_owned();
        self.at_work.spawn(async move {
            if let Some(id) = user.submit(&name).await {
                user.follow_events(&id).await;
            }
        });
    }

    pub fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }

    /// Lets them finish what they began; returns the observations of all.
    pub async fn stop(mut self) -> Seen {
        self.is_stopping.send_replace(true);
        while let Some(user) = self.at_work.join_next().await {
            user.expect("a user does not panic");
        }
        std::mem::take(&mut *self.seen())
    }

    fn user(&self) -> User {
        User {
            client: Client::new(&self.base),
            is_stopping: self.is_stopping.subscribe(),
            seen: Arc::clone(&self.seen),
        }
    }
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}

fn id_in(answer: &Value) -> String {
    answer["session_id"].as_str().expect("an id").to_owned()
}

struct User {
    client: Client,
    is_stopping: watch::Receiver<bool>,
    seen: Arc<Mutex<Seen>>,
}

impl User {
    async fn run_polling(self, number: usize) {
        for turn in 0.. {
            if self.should_stop() {
                return;
            }
            if let Some(id) = self.submit(&format!("poll {number} {turn}")).await {
                self.poll_until_completed(&id).await;
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn run_waiting(self, number: usize) {
        for turn in 0.. {
            if self.should_stop() {
                return;
            }
            let request = self.search(&format!("wait {number} {turn}"), false);
            if let Some(answer) = self.send("synchronous search", request).await
                && let Some(ended) = self.body("synchronous search", answer).await
            {
                let mut seen = self.seen();
                seen.accepted.push(id_in(&ended));
                seen.completed += usize::from(ended["status"] == "completed");
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn run_listening(self, number: usize) {
        for turn in 0.. {
            if self.should_stop() {
                return;
            }
            if let Some(id) = self.submit(&format!("listen {number} {turn}")).await {
                self.follow_events(&id).await;
            }
            sleep(POLL_INTERVAL).await;
        }
    }

    async fn run_listing(self) {
        while !self.should_stop() {
            self.get_json("/api/v1/sessions?limit=10").await;
            sleep(POLL_INTERVAL).await;
        }
    }

    /// A stream without an end of its own.
    async fn run_watching_queue(mut self) {
        while !self.should_stop() {
            let request = self.client.request(Method::GET, "/api/v1/queue/events");
            let Some(answer) = self.send("queue events", request).await else {
                sleep(POLL_INTERVAL).await;
                continue;
            };
            let mut chunks = answer.bytes_stream();
            loop {
                let chunk = tokio::select! {
                    chunk = chunks.next() => chunk,
                    _ = self.is_stopping.wait_for(|is_stopping| *is_stopping) => return,
                };
                match chunk {
                    Some(Ok(_)) => {}
                    Some(Err(error)) => {
                        self.note_failure("queue events", &format!("cut: {error:?}"));
                        break;
                    }
                    None => {
                        self.seen().reopened += 1;
                        sleep(RETRY).await;
                        break;
                    }
                }
            }
        }
    }

    /// Starts a search whose question contains `name`; None when that failed.
    async fn submit(&self, name: &str) -> Option<String> {
        let answer = self.send("search", self.search(name, true)).await?;
        let id = id_in(&self.body("search", answer).await?);
        self.seen().accepted.push(id.clone());
        Some(id)
    }

    fn search(&self, name: &str, is_async: bool) -> RequestBuilder {
        let query = format!("What is gather? ({name})");
        let search = json!({
            "query": query, "mode": "speed", "async_mode": is_async, "cache": false, "timeout": 60,
        });
        let request = self.client.request(Method::POST, "/api/v1/search");
        request.json(&search)
    }

    async fn poll_until_completed(&self, id: &str) {
        for _ in 0..MAX_POLLS {
            let now = self.get_json(&format!("/api/v1/search/status/{id}")).await;
            match now.as_ref().and_then(|now| now["status"].as_str()) {
                Some("completed") => return self.seen().completed += 1,
                Some("failed") => return self.note_failure("search", &format!("{now:?}")),
                _ => sleep(POLL_INTERVAL).await,
            }
        }
        self.note_failure("search", "takes too long");
    }

    /// Listens to all its events; resumes when the stream ends before the search.
    async fn follow_events(&self, id: &str) {
        let mut reader = ResumingReader::default();
        for _ in 0..MAX_POLLS {
            self.seen().requests += 1;
            let ended = reader.read(&self.client, id, usize::MAX).await;
            match ended {
                ConnectionEnd::Complete | ConnectionEnd::NothingLeft if reader.is_over() => break,
                ConnectionEnd::Complete => {
                    self.seen().resumed += 1;
                    sleep(RETRY).await;
                }
                ConnectionEnd::NothingLeft => {
                    return self.note_failure("events", "over before the last event");
                }
                ConnectionEnd::Cut => {
                    self.note_failure("events", "cut");
                    sleep(POLL_INTERVAL).await;
                }
            }
        }
        let events = reader.events();
        let ends = events.iter().filter(|event| event.kind == "completed");
        match (ends.count(), events.last()) {
            (1, Some(last)) if last.kind == "completed" => self.seen().completed += 1,
            _ => self.note_failure("events", &format!("not one completion: {events:?}")),
        }
    }

    async fn get_json(&self, path: &str) -> Option<Value> {
        let what = path.get(..20).unwrap_or(path);
        let answer = self.send(what, self.client.request(Method::GET, path));
        self.body(what, answer.await?).await
    }

    /// The answer, if its status is 200.
    async fn send(&self, what: &str, request: RequestBuilder) -> Option<reqwest::Response> {
        self.seen().requests += 1;
        match request.send().await {
            Ok(answer) if answer.status() == 200 => Some(answer),
            Ok(answer) => {
                self.note_failure(what, answer.status().as_str());
                None
            }
            Err(error) => {
                self.note_failure(what, &format!("{error:?}"));
                None
            }
        }
    }

    async fn body(&self, what: &str, answer: reqwest::Response) -> Option<Value> {
        match answer.json().await {
            Ok(body) => Some(body),
            Err(error) => {
                self.note_failure(what, &format!("{error:?}"));
                None
            }
        }
    }

    fn note_failure(&self, what: &str, how: &str) {
        let failure = format!("{what}: {how}");
        eprintln!("a user's failure: {failure}");
        self.seen().failures.push(failure);
    }

    fn should_stop(&self) -> bool {
        *self.is_stopping.borrow()
    }

    fn seen(&self) -> MutexGuard<'_, Seen> {
        lock(&self.seen)
    }
}
