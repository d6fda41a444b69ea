//! From the pipeline's events to the job's stream, without ever holding the pipeline up.

use crate::pipeline::ProgressSink;
use privachat_core::{
    jobs::{Beat, Jobs, Lease},
    schema::{Event, Progress},
};
use std::time::Duration;
use tokio::{
    sync::mpsc::{self, UnboundedReceiver, UnboundedSender},
    time::{Instant, sleep, timeout, timeout_at},
};

/// How long text is gathered before it is sent: a reader sees it grow.
const BATCH: Duration = Duration::from_millis(50);

/// So many times; 20 s of a fast model.
const QUICK_BATCHES: usize = 400;

/// How long it is gathered afterwards. The stream in Redis keeps the last 8,192 events, and must
/// keep every one of a search that writes for as long as it may, in every attempt.
const LONG_BATCH: Duration = Duration::from_millis(250);

/// Events of one call: others wait for Redis while it runs.
const MOST: usize = 32;

/// How often events are sent while Redis does not answer.
const TRY_AGAIN: Duration = Duration::from_millis(250);

/// How long the last events of a search may take to be sent.
const LAST_WORDS: Duration = Duration::from_secs(1);

/// Takes events from a search.
pub(super) struct Sink(UnboundedSender<Event>);

impl ProgressSink for Sink {
    fn emit(&self, event: Event) {
        // When the reporter is gone, so is the reader of what it would have reported.
        let _nobody_listens = self.0.send(event);
    }
}

/// A sink, and the work of reporting what it takes; that ends when the sink is dropped.
pub(super) fn channel(jobs: Jobs, lease: Lease) -> (Sink, impl Future<Output = ()>) {
    // Not bounded: a search emits a bounded number of events, and must not wait for Redis.
    let (sender, receiver) = mpsc::unbounded_channel();
    (Sink(sender), report(jobs, lease, receiver))
}

/// Runs a search and its reporting side by side. When the search is over, what it has still to tell
/// gets a moment and no more: its outcome must not wait for a Redis that is slow.
pub(super) async fn alongside<T>(
    search: impl Future<Output = T>,
    reporting: impl Future<Output = ()>,
) -> T {
    tokio::pin!(search, reporting);
    let outcome = tokio::select! {
        biased;
        outcome = &mut search => outcome,
        // It has been fenced; the search learns that from its lease.
        () = &mut reporting => return search.await,
    };
    let _told_or_not = timeout(LAST_WORDS, reporting).await;
    outcome
}

async fn report(jobs: Jobs, lease: Lease, events: UnboundedReceiver<Event>) {
    let mut batches = Batches::new(events);
    let mut number = 1;
    while let Some(events) = batches.ready().await {
        let told = number;
        number += events.len() as u64;
        if send(&jobs, &lease, told, &events).await == Some(Beat::Fenced) {
            return;
        }
    }
}

/// The events of one attempt, their text joined.
struct Batches {
    events: UnboundedReceiver<Event>,
    /// Came behind text that was given out before it.
    ahead: Option<Event>,
    /// Batches of text so far.
    texts: usize,
}

impl Batches {
    fn new(events: UnboundedReceiver<Event>) -> Self {
        Self {
            events,
            ahead: None,
            texts: 0,
        }
    }

    async fn next(&mut self) -> Option<Event> {
        let event = match self.ahead.take() {
            Some(event) => event,
            None => self.events.recv().await?,
        };
        match event {
            Event::Text { delta } => Some(self.gather(delta).await),
            other => Some(other),
        }
    }

    /// The next event, and those behind it that nobody has to wait for.
    async fn ready(&mut self) -> Option<Vec<Event>> {
        let mut ready = vec![self.next().await?];
        while ready.len() < MOST {
            let event = self.ahead.take().or_else(|| self.events.try_recv().ok());
            match event {
                // It begins a batch of its own, which takes a moment to gather.
                Some(Event::Text { .. }) | None => {
                    self.ahead = event;
                    break;
                }
                Some(event) => ready.push(event),
            }
        }
        Some(ready)
    }

    /// Joins the text that follows within a moment.
    async fn gather(&mut self, mut text: String) -> Event {
        let until = Instant::now() + self.batch();
        self.texts += 1;
        loop {
            match timeout_at(until, self.events.recv()).await {
                Ok(Some(Event::Text { delta })) => text.push_str(&delta),
                Ok(other) => {
                    self.ahead = other;
                    return Event::Text { delta: text };
                }
                Err(_elapsed) => return Event::Text { delta: text },
            }
        }
    }

    fn batch(&self) -> Duration {
        if self.texts < QUICK_BATCHES {
            BATCH
        } else {
            LONG_BATCH
        }
    }
}

/// Sends events for as long as it takes: what comes behind them joins them later, and a text without
/// them would have a hole. The search does not wait for this.
async fn send(jobs: &Jobs, lease: &Lease, number: u64, events: &[Event]) -> Option<Beat> {
    let data = events
        .iter()
        .map(|event| Ok((kind(event), serde_json::to_string(event)?)))
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
                tracing::debug!(session_id = %lease.id, error = %error, "events are not reported yet");
                sleep(TRY_AGAIN).await;
            }
        }
    }
}

fn progress_json(progress: &Progress) -> Option<String> {
    serde_json::to_string(progress).ok()
}

fn kind(event: &Event) -> &'static str {
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
