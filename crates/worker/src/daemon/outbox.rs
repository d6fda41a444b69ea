//! Ended searches on their way into the history. What cannot be stored now stays listed in Redis
//! and is tried again: a database that is down never costs an answer.

use crate::metrics::Metrics;
use chrono::Utc;
use futures_util::future::join_all;
use privachat_core::{
    connection::Server,
    history::{History, HistoryError, Session},
    jobs::{Jobs, JobsError},
    keys,
    outage::Outage,
    schema::{Status, record::StoredRecord},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const BATCH: usize = 32;
/// So many are asked for together. More would leave one longer between its read and the look whether it
/// was deleted meanwhile.
const AT_ONCE: usize = 4;
/// How often leftovers, of other workers too, are looked for.
const LOOK_AGAIN: Duration = Duration::from_secs(5);
/// How long one that could not be stored waits for its next try.
const RETRY: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum OutboxError {
    #[error(transparent)]
    Jobs(#[from] JobsError),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Stores ended searches until `stop`.
pub(super) async fn run(
    jobs: Jobs,
    history: Arc<dyn History>,
    metrics: Arc<Metrics>,
    ended: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut outage = Outage::default();
    loop {
        // The last round after the stop stores what the drain has finished.
        let last = stop.is_cancelled();
        match store_due(&jobs, history.as_ref(), &metrics).await {
            Ok(()) => {
                if let Some(seconds) = outage.ended() {
                    tracing::info!(seconds, "the history takes sessions again");
                }
            }
            Err(error) => {
                if outage.failed() {
                    let cause = anyhow::Error::from(error);
                    tracing::warn!(
                        error = format!("{cause:#}"),
                        "sessions wait in Redis for the history"
                    );
                }
            }
        }
        if last {
            return;
        }
        let woken = timeout(LOOK_AGAIN, ended.notified());
        let _woken_or_stopped = stop.run_until_cancelled(woken).await;
    }
}

async fn store_due(
    jobs: &Jobs,
    history: &dyn History,
    metrics: &Metrics,
) -> Result<(), OutboxError> {
    let outbox = Outbox {
        jobs,
        history,
        metrics,
    };
    loop {
        let due = jobs.unsaved(BATCH, RETRY).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut away = Away::default();
        for ids in due.chunks(AT_ONCE) {
            outbox.store(ids, &mut away).await?;
        }
        if let Some(error) = away.error {
            return Err(error.into());
        }
    }
}

/// A server of a Cluster that does not answer: it must not keep what is on the others from being
/// stored.
#[derive(Default)]
struct Away {
    server: Option<Server>,
    error: Option<JobsError>,
}

/// What Redis has of an ended search.
enum Found {
    Session(Box<Session>),
    /// Its record has expired.
    Nothing,
    /// A record that cannot be stored.
    Unfit,
}

struct Outbox<'a> {
    jobs: &'a Jobs,
    history: &'a dyn History,
    metrics: &'a Metrics,
}

impl Outbox<'_> {
    /// Stores some. Redis is asked for all of them at a time; the history takes one after the other,
    /// as SQLite has one writer.
    async fn store(&self, ids: &[Uuid], away: &mut Away) -> Result<(), OutboxError> {
        let server = |id: &Uuid| self.jobs.redis().server_of(&keys::record(*id));
        let is_there = |id: &&Uuid| away.server.is_none() || away.server != server(id);
        let ids: Vec<Uuid> = ids.iter().filter(is_there).copied().collect();
        let found = join_all(ids.iter().map(|id| self.find(*id))).await;
        let mut kept = Vec::with_capacity(ids.len());
        let mut outcome = Ok(());
        for (id, found) in ids.into_iter().zip(found) {
            match found {
                Ok(found) => match self.keep(&found).await {
                    Ok(()) => kept.push((id, found)),
                    // One that cannot be stored must not keep the others from it.
                    Err(error) if !error.is_transient() => unfit(id, error),
                    Err(error) => {
                        outcome = Err(error.into());
                        break;
                    }
                },
                Err(error) => away.note(server(&id), error),
            }
        }
        let done = kept.iter().map(|(id, found)| self.settle(*id, found));
        for ((id, _), done) in kept.iter().zip(join_all(done).await) {
            match done {
                Err(OutboxError::Jobs(error)) => away.note(server(id), error),
                Err(OutboxError::History(error)) if !error.is_transient() => unfit(*id, error),
                done => outcome = outcome.and(done),
            }
        }
        outcome
    }

    async fn find(&self, id: Uuid) -> Result<Found, JobsError> {
        let (record, owner) = match self.jobs.owned_record(id).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(Found::Nothing),
            // Not an outage: it stays as it is, and the others are stored.
            Err(error) if error.is_about_data() => {
                tracing::error!(session_id = %id, error = %error, "its record cannot be read and is not stored");
                return Ok(Found::Unfit);
            }
            Err(error) => return Err(error),
        };
        let session =
            StoredRecord::parse(record.bytes()).and_then(|stored| stored.session(id, Utc::now()));
        match session {
            Ok(Some(session)) => {
                let session = Session { owner, ..session };
                self.note_failure(&session).await?;
                return Ok(Found::Session(Box::new(session)));
            }
            Ok(None) => {
                tracing::error!(session_id = %id, "is listed as ended and has not; taken off the list")
            }
            Err(error) => {
                tracing::error!(session_id = %id, error = %error, "its record cannot be read and is not stored")
            }
        }
        Ok(Found::Unfit)
    }

    async fn keep(&self, found: &Found) -> Result<(), HistoryError> {
        let Found::Session(session) = found else {
            return Ok(());
        };
        let saved = self.history.save(session).await;
        self.metrics.history_written(saved.is_ok());
        saved
    }

    /// Takes it off the list. A client may have deleted it between the read of its record and the end
    /// of its storing, or after a worker that died in between: it must not come back.
    async fn settle(&self, id: Uuid, found: &Found) -> Result<(), OutboxError> {
        if !matches!(found, Found::Unfit) && self.jobs.was_erased(id).await? {
            self.history.delete(id).await?;
        } else if matches!(found, Found::Nothing) {
            tracing::warn!(session_id = %id, "expired before it could be stored in the history");
        }
        Ok(self.jobs.saved(id).await?)
    }

    /// Before the history has it, which may be away for long. What a client cancelled is no failure
    /// that anybody has to look at.
    async fn note_failure(&self, session: &Session) -> Result<(), JobsError> {
        let is_cancelled = session.error_code.as_deref() == Some("cancelled");
        if session.status == Status::Failed && !is_cancelled {
            self.jobs.note_failure(session.id).await?;
        }
        Ok(())
    }
}

fn unfit(id: Uuid, error: HistoryError) {
    let cause = anyhow::Error::from(error);
    tracing::error!(session_id = %id, error = format!("{cause:#}"), "cannot be stored in the history, or deleted from it");
}

impl Away {
    fn note(&mut self, server: Option<Server>, error: JobsError) {
        self.server = server;
        self.error = Some(error);
    }
}
