//! Archives finished searches: moves them from Redis into the history. A search that cannot be
//! stored stays in the `unsaved` index and is tried again, so that a database outage loses no
//! answer.

use crate::metrics::Metrics;
use chrono::Utc;
use futures_util::future::join_all;
use privachat_core::{
    connection::RedisServer,
    history::{History, HistoryError, Session},
    jobs::{Jobs, JobsError},
    keys,
    outage_log::OutageLog,
    schema::{Status, record::StoredRecord},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const BATCH_SIZE: usize = 32;
/// Records read at the same time. More would lengthen the time between the read of a record and the
/// check whether a client has deleted it.
const MAX_CONCURRENT_READS: usize = 4;
/// How often the index is checked for searches of other workers and for retries.
const POLL_INTERVAL: Duration = Duration::from_secs(5);
/// Delay before a search that could not be stored is tried again.
const RETRY_DELAY: Duration = Duration::from_secs(10);

#[derive(Debug, thiserror::Error)]
enum ArchiveError {
    #[error(transparent)]
    Jobs(#[from] JobsError),
    #[error(transparent)]
    History(#[from] HistoryError),
}

/// Archives until `stop`; `ended` wakes it.
pub(super) async fn run(
    jobs: Jobs,
    history: Arc<dyn History>,
    metrics: Arc<Metrics>,
    ended: Arc<Notify>,
    stop: CancellationToken,
) {
    let mut outage = OutageLog::default();
    loop {
        // One more round after `stop` archives what the drain has finished.
        let last = stop.is_cancelled();
        match archive_due(&jobs, history.as_ref(), &metrics).await {
            Ok(()) => {
                if let Some(seconds) = outage.record_success() {
                    tracing::info!(seconds, "the history takes sessions again");
                }
            }
            Err(error) => {
                if outage.record_failure() {
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
        let woken = timeout(POLL_INTERVAL, ended.notified());
        let _woken_or_stopped = stop.run_until_cancelled(woken).await;
    }
}

async fn archive_due(
    jobs: &Jobs,
    history: &dyn History,
    metrics: &Metrics,
) -> Result<(), ArchiveError> {
    let outbox = Archiver {
        jobs,
        history,
        metrics,
    };
    loop {
        let due = jobs.due_for_archive(BATCH_SIZE, RETRY_DELAY).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut away = ServerDown::default();
        for ids in due.chunks(MAX_CONCURRENT_READS) {
            outbox.archive(ids, &mut away).await?;
        }
        if let Some(error) = away.error {
            return Err(error.into());
        }
    }
}

/// A server of a Cluster that does not answer. Records on other servers are still archived.
#[derive(Default)]
struct ServerDown {
    server: Option<RedisServer>,
    error: Option<JobsError>,
}

/// The record of a finished search.
enum FinishedRecord {
    Session(Box<Session>),
    /// The record has expired.
    Expired,
    /// The record cannot be read, or its search has not ended.
    Unstorable,
}

struct Archiver<'a> {
    jobs: &'a Jobs,
    history: &'a dyn History,
    metrics: &'a Metrics,
}

impl Archiver<'_> {
    /// Archives `ids`. Reads their records at the same time and writes them one after the other,
    /// since SQLite has one writer.
    async fn archive(&self, ids: &[Uuid], away: &mut ServerDown) -> Result<(), ArchiveError> {
        let server = |id: &Uuid| self.jobs.redis().server_of(&keys::record(*id));
        let is_there = |id: &&Uuid| away.server.is_none() || away.server != server(id);
        let ids: Vec<Uuid> = ids.iter().filter(is_there).copied().collect();
        let found = join_all(ids.iter().map(|id| self.load(*id))).await;
        let mut kept = Vec::with_capacity(ids.len());
        let mut outcome = Ok(());
        for (id, found) in ids.into_iter().zip(found) {
            match found {
                Ok(found) => match self.save(&found).await {
                    Ok(()) => kept.push((id, found)),
                    // The others are still stored.
                    Err(error) if !error.is_transient() => log_unstorable(id, error),
                    Err(error) => {
                        outcome = Err(error.into());
                        break;
                    }
                },
                Err(error) => away.record(server(&id), error),
            }
        }
        let done = kept
            .iter()
            .map(|(id, found)| self.remove_from_index(*id, found));
        for ((id, _), done) in kept.iter().zip(join_all(done).await) {
            match done {
                Err(ArchiveError::Jobs(error)) => away.record(server(id), error),
                Err(ArchiveError::History(error)) if !error.is_transient() => {
                    log_unstorable(*id, error)
                }
                done => outcome = outcome.and(done),
            }
        }
        outcome
    }

    async fn load(&self, id: Uuid) -> Result<FinishedRecord, JobsError> {
        let (record, owner) = match self.jobs.record_with_owner(id).await {
            Ok(Some(found)) => found,
            Ok(None) => return Ok(FinishedRecord::Expired),
            // Not an outage: the other records are still stored.
            Err(error) if error.is_data_error() => {
                tracing::error!(session_id = %id, error = %error, "cannot read the record of a finished search; not archived");
                return Ok(FinishedRecord::Unstorable);
            }
            Err(error) => return Err(error),
        };
        let session = StoredRecord::parse(record.bytes())
            .and_then(|stored| stored.to_session(id, Utc::now()));
        match session {
            Ok(Some(session)) => {
                let session = Session { owner, ..session };
                self.record_failure(&session).await?;
                return Ok(FinishedRecord::Session(Box::new(session)));
            }
            Ok(None) => {
                tracing::error!(session_id = %id, "an unfinished search was in the unsaved index; removed")
            }
            Err(error) => {
                tracing::error!(session_id = %id, error = %error, "cannot read the record of a finished search; not archived")
            }
        }
        Ok(FinishedRecord::Unstorable)
    }

    async fn save(&self, found: &FinishedRecord) -> Result<(), HistoryError> {
        let FinishedRecord::Session(session) = found else {
            return Ok(());
        };
        let saved = self.history.save(session).await;
        self.metrics.count_history_write(saved.is_ok());
        saved
    }

    /// Removes a search from the index. If a client deleted it since its record was read, by this
    /// worker or by one that died, deletes it from the history again.
    async fn remove_from_index(
        &self,
        id: Uuid,
        found: &FinishedRecord,
    ) -> Result<(), ArchiveError> {
        if !matches!(found, FinishedRecord::Unstorable) && self.jobs.was_erased(id).await? {
            self.history.delete(id).await?;
        } else if matches!(found, FinishedRecord::Expired) {
            tracing::warn!(session_id = %id, "expired before it could be stored in the history");
        }
        Ok(self.jobs.mark_archived(id).await?)
    }

    /// Adds a failed search to the list of failures. Before the history write, which an outage may
    /// delay for long. A cancelled search needs no attention and is left out.
    async fn record_failure(&self, session: &Session) -> Result<(), JobsError> {
        let is_cancelled = session.error_code.as_deref() == Some("cancelled");
        if session.status == Status::Failed && !is_cancelled {
            self.jobs.record_failure(session.id).await?;
        }
        Ok(())
    }
}

fn log_unstorable(id: Uuid, error: HistoryError) {
    let cause = anyhow::Error::from(error);
    tracing::error!(session_id = %id, error = format!("{cause:#}"), "the history refuses to store or delete a session");
}

impl ServerDown {
    fn record(&mut self, server: Option<RedisServer>, error: JobsError) {
        self.server = server;
        self.error = Some(error);
    }
}
