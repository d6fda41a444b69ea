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
const MAX_LISTED: usize = 50;

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
    pub(super) fn equals_except_ages(&self, other: &Self) -> bool {
        self.without_ages == other.without_ages
    }
}

/// Reads the queue.
///
/// # Errors
/// `JobsError::Unavailable` when Redis does not answer; `Damaged` when it holds something else.
pub(crate) async fn take_snapshot(jobs: &Jobs) -> Result<Snapshot, JobsError> {
    let overview = jobs.overview().await?;
    let board = jobs.list_jobs(MAX_LISTED).await?;
    Ok(build_snapshot(&overview, &board))
}

fn build_snapshot(overview: &Overview, board: &JobListing) -> Snapshot {
    Snapshot {
        body: queue_body(overview, board, overview.now),
        // An age relative to the epoch is a point in time.
        without_ages: serde_json::json!(queue_body(
            &ages_to_timestamps(overview),
            board,
            Duration::ZERO
        )),
    }
}

fn ages_to_timestamps(overview: &Overview) -> Overview {
    let mut moments = overview.clone();
    for queue in &mut moments.queues {
        queue.oldest_age = queue.oldest_age.map(|age| overview.now.saturating_sub(age));
    }
    for worker in &mut moments.workers {
        worker.since_heartbeat = overview.now.saturating_sub(worker.since_heartbeat);
    }
    moments
}

fn queue_body(overview: &Overview, board: &JobListing, now: Duration) -> QueueBody {
    let workers: Vec<WorkerBody> = overview.workers.iter().map(worker_body).collect();
    let modes = overview.queues.iter().map(|queue| {
        let sum = |numbers: fn(&WorkerDescription) -> PerMode| -> usize {
            workers
                .iter()
                .map(|worker| for_mode(numbers(&worker.description), queue.mode))
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
        searches: board.live.iter().map(|job| live_body(job, now)).collect(),
        failures: board.failures.iter().filter_map(failure_body).collect(),
    }
}

fn worker_body(seen: &WorkerInfo) -> WorkerBody {
    WorkerBody {
        name: seen.name.clone(),
        last_seen_seconds: seen.since_heartbeat.as_secs_f64(),
        // A worker of another version may send another format; then only its name is shown.
        description: serde_json::from_str(&seen.description).unwrap_or_default(),
    }
}

fn live_body(job: &LiveJob, now: Duration) -> LiveBody {
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
fn failure_body(job: &FailedJob) -> Option<FailureBody> {
    let failed_at = i64::try_from(job.failed_at.as_millis()).ok()?;
    let failed_at = DateTime::<Utc>::from_timestamp_millis(failed_at)?;
    let record = StoredRecord::parse(job.record.bytes()).ok()?;
    let session = record.to_session(job.id, failed_at).ok()??;
    Some(FailureBody {
        session_id: job.id,
        mode: session.mode,
        failed_at: failed_at.to_rfc3339(),
        error_code: session.error_code,
        error: session.error,
    })
}

fn for_mode(numbers: PerMode, mode: Mode) -> usize {
    match mode {
        Mode::Speed => numbers.speed,
        Mode::Balanced => numbers.balanced,
        Mode::Deep => numbers.deep,
    }
}

#[cfg(test)]
mod tests;
