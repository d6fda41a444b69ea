//! Ended searches on their way into the history. What cannot be stored now stays listed in Redis
//! and is tried again: a database that is down never costs an answer.

use crate::metrics::Metrics;
use chrono::Utc;
use privachat_core::{
    history::{History, HistoryError, Session},
    jobs::{Jobs, JobsError},
    keys,
    schema::{Status, record::StoredRecord},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::timeout};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

const BATCH: usize = 32;
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
    let mut failing = false;
    loop {
        // The last round after the stop stores what the drain has finished.
        let last = stop.is_cancelled();
        match store_due(&jobs, history.as_ref(), &metrics).await {
            Ok(()) if failing => {
                failing = false;
                tracing::info!("the history takes sessions again");
            }
            Ok(()) => {}
            Err(error) => {
                if !failing {
                    let cause = anyhow::Error::from(error);
                    tracing::warn!(
                        error = format!("{cause:#}"),
                        "sessions wait in Redis for the history"
                    );
                }
                failing = true;
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
    loop {
        let due = jobs.unsaved(BATCH, RETRY).await?;
        if due.is_empty() {
            return Ok(());
        }
        let mut away = None;
        let mut failed = None;
        for id in due {
            let server = jobs.redis().server_of(&keys::record(id));
            if away.is_some() && away == server {
                continue;
            }
            match store(jobs, history, metrics, id).await {
                // One that cannot be stored must not keep the others from it.
                Err(OutboxError::History(error)) if !error.is_transient() => {
                    let cause = anyhow::Error::from(error);
                    tracing::error!(session_id = %id, error = format!("{cause:#}"), "cannot be stored in the history");
                }
                // Nor must a server of a Cluster that does not answer.
                Err(error @ OutboxError::Jobs(_)) => {
                    away = server;
                    failed = Some(error);
                }
                outcome => outcome?,
            }
        }
        if let Some(error) = failed {
            return Err(error);
        }
    }
}

async fn store(
    jobs: &Jobs,
    history: &dyn History,
    metrics: &Metrics,
    id: Uuid,
) -> Result<(), OutboxError> {
    // Before the record: both expire at one time, so a record that is there after it had its owner.
    // None of the old service has one.
    let owner = jobs.owner(id).await?;
    let Some(record) = jobs.record_in_bulk(id).await? else {
        if !delete_if_erased(jobs, history, id).await? {
            tracing::warn!(session_id = %id, "expired before it could be stored in the history");
        }
        return Ok(jobs.saved(id).await?);
    };
    let session =
        StoredRecord::parse(record.bytes()).and_then(|stored| stored.session(id, Utc::now()));
    match session {
        Ok(Some(session)) => {
            let session = Session { owner, ..session };
            note_failure(jobs, &session).await?;
            let saved = history.save(&session).await;
            metrics.history_written(saved.is_ok());
            saved?;
            delete_if_erased(jobs, history, id).await?;
        }
        Ok(None) => {
            tracing::error!(session_id = %id, "is listed as ended and has not; taken off the list")
        }
        Err(error) => {
            tracing::error!(session_id = %id, error = %error, "its record cannot be read and is not stored")
        }
    }
    Ok(jobs.saved(id).await?)
}

/// Before the history has it, which may be away for long. What a client cancelled is no failure that
/// anybody has to look at.
async fn note_failure(jobs: &Jobs, session: &Session) -> Result<(), JobsError> {
    let is_cancelled = session.error_code.as_deref() == Some("cancelled");
    if session.status == Status::Failed && !is_cancelled {
        jobs.note_failure(session.id).await?;
    }
    Ok(())
}

/// A client may delete a search between the read of its record and the end of its storing, or after
/// a worker that died in between: it must not come back.
async fn delete_if_erased(
    jobs: &Jobs,
    history: &dyn History,
    id: Uuid,
) -> Result<bool, OutboxError> {
    let erased = jobs.was_erased(id).await?;
    if erased {
        history.delete(id).await?;
    }
    Ok(erased)
}
