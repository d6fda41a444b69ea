//! [`Feed`]: the events of one search that were read so far, and the task that reads them from
//! Redis.

use super::{Feeds, frame::Frame};
use crate::{
    problem::Problem,
    reply::{self, State as SearchState},
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
const AT_ONCE: usize = 256;
/// Covers notifications that Pub/Sub loses.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// Between two attempts while Redis is unreachable.
const TRY_AGAIN: Duration = Duration::from_secs(1);

/// Why an event stream has no more events.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// The search has ended; the last frame is its last event.
    Ended,
    /// The search does not exist or has expired.
    Gone,
}

#[derive(Default)]
struct Known {
    frames: Vec<Frame>,
    end: Option<End>,
}

/// The events of one search. Lives as long as its subscribers.
pub(super) struct Feed {
    feeds: Arc<Feeds>,
    id: Uuid,
    known: RwLock<Known>,
    changed: watch::Sender<()>,
    closed: CancellationToken,
}

impl Feed {
    pub(super) fn new(feeds: Arc<Feeds>, id: Uuid) -> Self {
        Self {
            feeds,
            id,
            known: RwLock::default(),
            changed: watch::Sender::new(()),
            closed: CancellationToken::new(),
        }
    }

    /// Cancelled when the last subscriber drops.
    pub(super) fn closed(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// Changes when frames or the end are added.
    pub(super) fn changes(&self) -> watch::Receiver<()> {
        self.changed.subscribe()
    }

    /// Up to `limit` frames from index `place` on, and the end, if these are the last frames.
    pub(super) fn frames_from(&self, place: usize, limit: usize) -> (Vec<Frame>, Option<End>) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let rest = known.frames.get(place..).unwrap_or_default();
        let frames: Vec<Frame> = rest.iter().take(limit).cloned().collect();
        let is_all = frames.len() == rest.len();
        (frames, known.end.filter(|_| is_all))
    }

    fn add(&self, frames: Vec<Frame>, end: Option<End>) {
        let mut known = self.known.write().unwrap_or_else(PoisonError::into_inner);
        known.frames.extend(frames);
        known.end = end;
        drop(known);
        self.changed.send_replace(());
    }
}

impl Drop for Feed {
    fn drop(&mut self) {
        self.closed.cancel();
        self.feeds.strike(self.id);
    }
}

/// Reads the events of a search into `feed` until the last event, or until all subscribers have
/// dropped.
pub(super) async fn follow(feed: Weak<Feed>, jobs: Jobs, changes: Notifier, id: Uuid) {
    // Subscribe before the first read, or an event in between is missed.
    let mut ring = changes.subscribe(id);
    let mut after = EventId::START;
    loop {
        let read = read(&jobs, id, after).await;
        let Some(feed) = feed.upgrade() else { return };
        match read {
            Ok(Read { frames, end }) => {
                after = frames.last().map_or(after, Frame::id);
                let is_full = frames.len() == AT_ONCE;
                if !frames.is_empty() || end.is_some() {
                    feed.add(frames, end);
                }
                drop(feed);
                if end.is_some() {
                    return;
                }
                if !is_full {
                    wait(&mut ring).await;
                }
            }
            Err(error) if !matches!(error, Problem::Unavailable(_)) => {
                tracing::error!(session_id = %id, error = %error, "cannot read the events of a search");
                return feed.add(Vec::new(), Some(End::Gone));
            }
            Err(error) => {
                drop(feed);
                tracing::debug!(session_id = %id, error = %error, "cannot read events; trying again");
                sleep(TRY_AGAIN).await;
            }
        }
    }
}

async fn wait(ring: &mut Subscription) {
    let _rung_or_not = timeout(LOOK_AGAIN, ring.changed()).await;
}

struct Read {
    frames: Vec<Frame>,
    end: Option<End>,
}

async fn read(jobs: &Jobs, id: Uuid, after: EventId) -> Result<Read, Problem> {
    let entries = jobs.events_after(id, after, AT_ONCE).await?;
    let Some(last) = entries.last() else {
        return unheard(jobs, id, after).await;
    };
    if !last.is_last() {
        let frames = entries
            .iter()
            .map(|entry| Frame::new(entry, None))
            .collect();
        return Ok(Read { frames, end: None });
    }
    let Some(result) = result(jobs, id).await? else {
        return Ok(Read {
            frames: Vec::new(),
            end: Some(End::Gone),
        });
    };
    let frames = entries.iter().map(|entry| {
        let result = entry.is_last().then_some(&result[..]);
        Frame::new(entry, result)
    });
    Ok(Read {
        frames: frames.collect(),
        end: Some(End::Ended),
    })
}

/// Checks the record when there are no new events: the search may have expired. A search of the old
/// service has no events; its ended record becomes one.
async fn unheard(jobs: &Jobs, id: Uuid, after: EventId) -> Result<Read, Problem> {
    let going_on = Read {
        frames: Vec::new(),
        end: None,
    };
    let Some(record) = jobs.record(id).await? else {
        return Ok(Read {
            end: Some(End::Gone),
            ..going_on
        });
    };
    let state = reply::state(id, &record)?;
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
    let frame = Frame::new(&entry, Some(&json(state)?));
    Ok(Read {
        frames: vec![frame],
        end: Some(End::Ended),
    })
}

/// The JSON of the final response of a search; `None` when it has expired.
async fn result(jobs: &Jobs, id: Uuid) -> Result<Option<Bytes>, Problem> {
    match jobs.record(id).await? {
        Some(record) => Ok(Some(json(reply::state(id, &record)?)?)),
        None => Ok(None),
    }
}

fn json(state: SearchState) -> Result<Bytes, Problem> {
    match state {
        SearchState::Completed(result) => Ok(result),
        SearchState::Other { response, .. } => serde_json::to_vec(&response)
            .map(Bytes::from)
            .map_err(|error| Problem::Internal(error.into())),
    }
}
