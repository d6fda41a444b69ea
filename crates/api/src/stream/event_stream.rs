//! [`EventStream`]: the events of one search that were read so far, and the task that reads them from
//! Redis.

use super::{EventStreams, frame::Frame};
use crate::{
    problem::Problem,
    search_state::{self, SearchState},
};
use bytes::Bytes;
use privachat_core::jobs::{EventId, Jobs, Notifier, StoredEvent, Subscription};
use std::{
    sync::{Arc, PoisonError, RwLock, Weak},
    time::Duration,
};
use tokio::{
    sync::watch,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

/// Events read from Redis at once.
const READ_BATCH_SIZE: usize = 256;
/// Covers notifications that Pub/Sub loses.
const RECHECK_INTERVAL: Duration = Duration::from_secs(5);
/// Between two attempts while Redis is unreachable.
const RETRY_INTERVAL: Duration = Duration::from_secs(1);

/// Why an event stream has no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StreamEnd {
    /// The search has ended; the last frame is its last event.
    Ended,
    /// The search does not exist or has expired.
    Gone,
}

#[derive(Default)]
struct EventBuffer {
    frames: Vec<Frame>,
    end: Option<StreamEnd>,
}

/// The events of one search. Lives as long as its subscribers.
pub(super) struct EventStream {
    registry: Arc<EventStreams>,
    id: Uuid,
    buffer: RwLock<EventBuffer>,
    changed: watch::Sender<()>,
    closed: CancellationToken,
}

impl EventStream {
    pub(super) fn new(registry: Arc<EventStreams>, id: Uuid) -> Self {
        Self {
            registry,
            id,
            buffer: RwLock::default(),
            changed: watch::Sender::new(()),
            closed: CancellationToken::new(),
        }
    }

    /// Cancelled when the last subscriber drops.
    pub(super) fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Changes when frames or the end are added.
    pub(super) fn change_receiver(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Up to `limit` frames from index `place` on, and the end, if these are the last frames.
    pub(super) fn frames_from(
        &self,
        place: usize,
        limit: usize,
    ) -> (Vec<Frame>, Option<StreamEnd>) {
        let known = self.buffer.read().unwrap_or_else(PoisonError::into_inner);
        let rest = known.frames.get(place..).unwrap_or_default();
        let frames: Vec<Frame> = rest.iter().take(limit).cloned().collect();
        let is_all = frames.len() == rest.len();
        (frames, known.end.filter(|_| is_all))
    }

    fn append(&self, frames: Vec<Frame>, end: Option<StreamEnd>) {
        let mut known = self.buffer.write().unwrap_or_else(PoisonError::into_inner);
        known.frames.extend(frames);
        known.end = end;
        drop(known);
        self.changed.send_replace(());
    }
}

impl Drop for EventStream {
    fn drop(&mut self) {
        self.closed.cancel();
        self.registry.remove(self.id);
    }
}

/// Reads the events of a search into `feed` until the last event, or until all subscribers have
/// dropped.
pub(super) async fn run_reader(feed: Weak<EventStream>, jobs: Jobs, changes: Notifier, id: Uuid) {
    // Subscribe before the first read, or an event in between is missed.
    let mut ring = changes.subscribe(id);
    let mut after = EventId::START;
    loop {
        let read = read_batch(&jobs, id, after).await;
        let Some(feed) = feed.upgrade() else { return };
        match read {
            Ok(EventBatch { frames, end }) => {
                after = frames.last().map_or(after, Frame::id);
                let is_full = frames.len() == READ_BATCH_SIZE;
                if !frames.is_empty() || end.is_some() {
                    feed.append(frames, end);
                }
                drop(feed);
                if end.is_some() {
                    return;
                }
                if !is_full {
                    wait_for_change(&mut ring).await;
                }
            }
            Err(error) if !matches!(error, Problem::Unavailable(_)) => {
                tracing::error!(session_id = %id, error = %error, "cannot read the events of a search");
                return feed.append(Vec::new(), Some(StreamEnd::Gone));
            }
            Err(error) => {
                drop(feed);
                tracing::debug!(session_id = %id, error = %error, "cannot read events; trying again");
                sleep(RETRY_INTERVAL).await;
            }
        }
    }
}

async fn wait_for_change(ring: &mut Subscription) {
    let _rung_or_not = timeout(RECHECK_INTERVAL, ring.changed()).await;
}

struct EventBatch {
    frames: Vec<Frame>,
    end: Option<StreamEnd>,
}

async fn read_batch(jobs: &Jobs, id: Uuid, after: EventId) -> Result<EventBatch, Problem> {
    let entries = jobs.events_after(id, after, READ_BATCH_SIZE).await?;
    let Some(last) = entries.last() else {
        return poll_record(jobs, id, after).await;
    };
    if !last.is_last() {
        let frames = entries
            .iter()
            .map(|entry| Frame::new(entry, None))
            .collect();
        return Ok(EventBatch { frames, end: None });
    }
    let Some(result) = final_response(jobs, id).await? else {
        return Ok(EventBatch {
            frames: Vec::new(),
            end: Some(StreamEnd::Gone),
        });
    };
    let frames = entries.iter().map(|entry| {
        let result = entry.is_last().then_some(&result[..]);
        Frame::new(entry, result)
    });
    Ok(EventBatch {
        frames: frames.collect(),
        end: Some(StreamEnd::Ended),
    })
}

/// Checks the record when there are no new events: the search may have expired. A search of the old
/// service has no events; its ended record becomes one.
async fn poll_record(jobs: &Jobs, id: Uuid, after: EventId) -> Result<EventBatch, Problem> {
    let going_on = EventBatch {
        frames: Vec::new(),
        end: None,
    };
    let Some(record) = jobs.record(id).await? else {
        return Ok(EventBatch {
            end: Some(StreamEnd::Gone),
            ..going_on
        });
    };
    let state = search_state::parse_record(id, &record)?;
    if !state.status().is_terminal() || after > EventId::START {
        return Ok(going_on);
    }
    // The search may have ended, with events, since they were read.
    if !jobs.events_after(id, after, 1).await?.is_empty() {
        return Ok(going_on);
    }
    let kind = state.status().as_str();
    let entry = StoredEvent {
        id: EventId::FIRST,
        kind: kind.to_owned(),
        data: format!("{{\"type\":\"{kind}\"}}").into(),
    };
    let frame = Frame::new(&entry, Some(&response_json(state)?));
    Ok(EventBatch {
        frames: vec![frame],
        end: Some(StreamEnd::Ended),
    })
}

/// The JSON of the final response of a search; `None` when it has expired.
async fn final_response(jobs: &Jobs, id: Uuid) -> Result<Option<Bytes>, Problem> {
    match jobs.record(id).await? {
        Some(record) => Ok(Some(response_json(search_state::parse_record(
            id, &record,
        )?)?)),
        None => Ok(None),
    }
}

fn response_json(state: SearchState) -> Result<Bytes, Problem> {
    match state {
        SearchState::Completed(result) => Ok(result),
        SearchState::Other { response, .. } => serde_json::to_vec(&response)
            .map(Bytes::from)
            .map_err(|error| Problem::Internal(error.into())),
    }
}
