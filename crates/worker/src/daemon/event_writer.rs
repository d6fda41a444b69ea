//! The event writer: appends the events of a search to the job's stream in Redis. The pipeline
//! never waits for it.
//!
//! [`EventSink`] receives the events; [`Coalescer`] joins pieces of text and groups events into few calls.

use crate::pipeline::ProgressSink;
use privachat_core::{
    jobs::{Jobs, Lease, LeaseStatus},
    schema::{Event, Progress},
};
use std::time::Duration;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep, timeout, timeout_at},
};

/// How long text is joined before it is sent; short, so that readers see the answer grow.
const TEXT_WINDOW: Duration = Duration::from_millis(50);

/// Texts that are sent at that pace: 20 s of a fast model.
const FAST_TEXTS: usize = 400;

/// How long later text is joined. The stream in Redis keeps the last 8,192 events and must hold all
/// of the longest search in all its attempts.
const LONG_TEXT_WINDOW: Duration = Duration::from_millis(250);

/// Events per call; bounded because other clients of Redis wait while it runs.
const MAX_EVENTS_PER_CALL: usize = 32;

/// Delay between two calls while Redis does not answer.
const RETRY_INTERVAL: Duration = Duration::from_millis(250);

/// How long sending the last events of a search may delay its outcome.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(1);

/// Receives the events of a search.
pub(super) struct EventSink(UnboundedSender<Event>);

impl ProgressSink for EventSink {
    fn emit(&self, event: Event) {
        // Fails once the job is fenced: its events are not wanted any more.
        let _nobody_listens = self.0.send(event);
    }
}

/// A sink, and the future that writes its events, which ends when the sink is dropped.
pub(super) fn channel(jobs: Jobs, lease: Lease) -> (EventSink, impl Future<Output = ()>) {
    // Not bounded: a search emits a bounded number of events, and must not wait for Redis.
    let (sender, receiver) = mpsc::unbounded_channel();
    (EventSink(sender), write_events(jobs, lease, receiver))
}

/// Runs a search and its event writer concurrently. After the search, the writer gets
/// [`FLUSH_TIMEOUT`] to flush: a slow Redis must not delay the outcome.
pub(super) async fn run_with<T>(
    search: impl Future<Output = T>,
    reporting: impl Future<Output = ()>,
) -> T {
    tokio::pin!(search, reporting);
    let outcome = tokio::select! {
        biased;
        outcome = &mut search => outcome,
        // Fenced; the lease renewal ends the search.
        () = &mut reporting => return search.await,
    };
    let _told_or_not = timeout(FLUSH_TIMEOUT, reporting).await;
    outcome
}

async fn write_events(jobs: Jobs, lease: Lease, events: UnboundedReceiver<Event>) {
    let mut batches = Coalescer::new(events);
    let mut number = 1;
    while let Some(events) = batches.next_batch().await {
        let told = number;
        number += events.len() as u64;
        if append_events(&jobs, &lease, told, &events).await == Some(LeaseStatus::Fenced) {
            return;
        }
    }
}

/// The events of one attempt, with consecutive texts joined.
struct Coalescer {
    events: UnboundedReceiver<Event>,
    /// Received, but not returned yet.
    peeked: Option<Event>,
    /// Joined texts so far.
    texts: usize,
}

impl Coalescer {
    fn new(events: UnboundedReceiver<Event>) -> Self {
        Self {
            events,
            peeked: None,
            texts: 0,
        }
    }

    async fn next_event(&mut self) -> Option<Event> {
        let event = match self.peeked.take() {
            Some(event) => event,
            None => self.events.recv().await?,
        };
        match event {
            Event::Text { delta } => Some(self.join_text(delta).await),
            other => Some(other),
        }
    }

    /// The next event and those that are ready behind it, up to the next text.
    async fn next_batch(&mut self) -> Option<Vec<Event>> {
        let mut ready = vec![self.next_event().await?];
        while ready.len() < MAX_EVENTS_PER_CALL {
            let event = self.peeked.take().or_else(|| self.events.try_recv().ok());
            match event {
                // A text starts a batch of its own, since joining it takes time.
                Some(Event::Text { .. }) | None => {
                    self.peeked = event;
                    break;
                }
                Some(event) => ready.push(event),
            }
        }
        Some(ready)
    }

    /// Joins `text` with the texts that follow within the window.
    async fn join_text(&mut self, mut text: String) -> Event {
        let until = Instant::now() + self.text_window();
        self.texts += 1;
        loop {
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(Event::Text { delta })) => text.push_str(&delta),
                Ok(other) => {
                    self.peeked = other;
                    return Event::Text { delta: text };
                }
                Err(_elapsed) => return Event::Text { delta: text },
            }
        }
    }

    fn text_window(&self) -> Duration {
        if self.texts < FAST_TEXTS {
            TEXT_WINDOW
        } else {
            LONG_TEXT_WINDOW
        }
    }
}

/// Sends events, and repeats the call until Redis answers: without them the text would have a gap.
/// The search does not wait for this. `None` when an event cannot be encoded.
async fn append_events(
    jobs: &Jobs,
    lease: &Lease,
    number: u64,
    events: &[Event],
) -> Option<LeaseStatus> {
    let data = events
        .iter()
        .map(|event| Ok((event_type(event), serde_json::to_string(event)?)))
        .collect::<serde_json::Result<Vec<_>>>()
        .ok()?;
    let progress = events.iter().rev().find_map(|event| match event {
        Event::Stage(progress) => progress_json(progress),
        _ => None,
    });
    loop {
        let reported = jobs.report(lease, number, &data, progress.as_deref());
        match reported.await {
            Ok(beat) => return Some(beat),
            Err(error) => {
                tracing::debug!(session_id = %lease.id, error = %error, "events are not written yet; trying again");
                sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

fn progress_json(progress: &Progress) -> Option<String> {
    serde_json::to_string(progress).ok()
}

fn event_type(event: &Event) -> &'static str {
    match event {
        Event::Stage(_) => "stage",
        Event::Sources { .. } => "sources",
        Event::Text { .. } => "text",
        Event::Discard {} => "discard",
        Event::Warning { .. } => "warning",
    }
}

#[cfg(test)]
mod tests;
