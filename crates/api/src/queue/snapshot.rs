//! [`Snapshot`]: queues, workers, live and failed searches at one moment.

use crate::openapi::{FailureBody, LiveBody, ModeBody, QueueBody, WorkerBody};
use chrono::{DateTime, Utc};
use privachat_core::{
    jobs::{FailedJob, JobListing, Jobs, JobsError, LiveJob, Overview, WorkerInfo},
    mode::Mode,
    schema::{
        Status,
        record::StoredRecord,
        worker::{PerMode, WorkerDescription},
    },
};
use std::time::Duration;

/// Live searches in a snapshot, and also failures.
const AT_MOST: usize = 50;

/// The queue at one moment.
pub(crate) struct Snapshot {
    body: QueueBody,
    /// The body with points in time instead of ages: equal while only time passes.
    without_ages: serde_json::Value,
}

impl Snapshot {
    pub(crate) fn body(&self) -> &QueueBody {
        &self.body
    }

    pub(crate) fn into_body(self) -> QueueBody {
        self.body
    }

    /// Whether both differ at most in ages.
    pub(super) fn shows(&self, other: &Self) -> bool {
        self.without_ages == other.without_ages
    }
}

/// Reads the queue.
///
/// # Errors
/// `JobsError::Unavailable` when Redis does not answer; `Damaged` when it holds something else.
pub(crate) async fn take(jobs: &Jobs) -> Result<Snapshot, JobsError> {
    let overview = jobs.overview().await?;
    let board = jobs.list_jobs(AT_MOST).await?;
    Ok(snapshot(&overview, &board))
}

fn snapshot(overview: &Overview, board: &JobListing) -> Snapshot {
    Snapshot {
        body: body(overview, board, overview.now),
        // An age relative to the epoch is a point in time.
        without_ages: serde_json::json!(body(&moments(overview), board, Duration::ZERO)),
    }
}

fn moments(overview: &Overview) -> Overview {
    let mut moments = overview.clone();
    for queue in &mut moments.queues {
        queue.oldest_age = queue.oldest_age.map(|age| overview.now.saturating_sub(age));
    }
    for worker in &mut moments.workers {
        worker.since_heartbeat = overview.now.saturating_sub(worker.since_heartbeat);
    }
    moments
}

fn body(overview: &Overview, board: &JobListing, now: Duration) -> QueueBody {
    let workers: Vec<WorkerBody> = overview.workers.iter().map(worker).collect();
    let modes = overview.queues.iter().map(|queue| {
        let sum = |numbers: fn(&WorkerDescription) -> PerMode| -> usize {
            workers
                .iter()
                .map(|worker| of(numbers(&worker.description), queue.mode))
                .sum()
        };
        ModeBody {
            mode: queue.mode,
            depth: queue.depth,
            oldest_age_seconds: queue.oldest_age.map(|age| age.as_secs_f64()),
            running: sum(|description| description.running),
            slots: sum(|description| description.slots),
        }
    });
    QueueBody {
        modes: modes.collect(),
        workers,
        searches: board.live.iter().map(|job| live(job, now)).collect(),
        failures: board.failures.iter().filter_map(failure).collect(),
    }
}

fn worker(seen: &WorkerInfo) -> WorkerBody {
    WorkerBody {
        name: seen.name.clone(),
        last_seen_seconds: seen.since_heartbeat.as_secs_f64(),
        // A worker of another version may send another format; then only its name is shown.
        description: serde_json::from_str(&seen.description).unwrap_or_default(),
    }
}

fn live(job: &LiveJob, now: Duration) -> LiveBody {
    let status = if job.is_running {
        Status::Processing
    } else {
        Status::Pending
    };
    LiveBody {
        session_id: job.id,
        mode: job.mode,
        status,
        // With `now` at the epoch this is the time of acceptance.
        age_seconds: now.abs_diff(job.enqueued_at).as_secs_f64(),
    }
}

/// The reason of a failure, never the question; `None` when the record cannot be parsed.
fn failure(job: &FailedJob) -> Option<FailureBody> {
    let failed_at = i64::try_from(job.failed_at.as_millis()).ok()?;
    let failed_at = DateTime::<Utc>::from_timestamp_millis(failed_at)?;
    let record = StoredRecord::parse(job.record.bytes()).ok()?;
    let session = record.session(job.id, failed_at).ok()??;
    Some(FailureBody {
        session_id: job.id,
        mode: session.mode,
        failed_at: failed_at.to_rfc3339(),
        error_code: session.error_code,
        error: session.error,
    })
}

fn of(numbers: PerMode, mode: Mode) -> usize {
    match mode {
        Mode::Speed => numbers.speed,
        Mode::Balanced => numbers.balanced,
        Mode::Deep => numbers.deep,
    }
}

#[cfg(test)]
mod tests;
