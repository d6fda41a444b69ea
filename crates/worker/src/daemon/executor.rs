//! The executor: one attempt at one search, from claim to finish.
//!
//! [`JobRunner`] claims the job, runs the search while its lease is renewed, and writes the
//! [`AttemptResult`] to Redis: finish, retry, release, or nothing when the job is fenced.

use super::{
    concurrency::Slot,
    dedup::SingleFlight,
    event_writer, failure,
    lease_renewal::{self, LeaseLost},
    retry::{RetryPolicy, retry},
    spans,
};
use crate::{
    metrics::{AttemptOutcome, Metrics},
    pipeline::{Deadline, Outcome},
    response,
};
use chrono::{SubsecRound, Utc};
use privachat_core::{
    jobs::{
        ClaimResult, FailResult, FinishResult, JobFailure, Jobs, JobsError, Lease, Notifier,
        QueueEntry, ReleaseResult,
    },
    schema::{SearchJob, SearchResponse, error_code},
};
use std::{sync::Arc, time::Duration};
use tokio::{sync::Notify, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::Instrument;

/// When a queue entry without a job is checked again.
const ABSENT_JOB_RECHECK: Duration = Duration::from_secs(5);
/// Bound of the random delay before the second attempt; it doubles for each further one.
const FIRST_RETRY_BOUND: Duration = Duration::from_secs(1);
const MAX_RETRY_DELAY: Duration = Duration::from_secs(15);

/// Runs the attempts of this worker.
pub(super) struct JobRunner {
    pub(super) jobs: Jobs,
    pub(super) single_flight: SingleFlight,
    pub(super) worker: String,
    pub(super) metrics: Arc<Metrics>,
    pub(super) lease: Duration,
    pub(super) max_attempts: u32,
    /// Notifies of cancelled searches.
    pub(super) cancel_notifier: Notifier,
    /// Cancelled by a stop signal: claim nothing new.
    pub(super) stop: CancellationToken,
    /// Cancelled when the drain is over: release what still runs.
    pub(super) abort: CancellationToken,
    /// Notified when a search ends; wakes the archiver.
    pub(super) done: Arc<Notify>,
    /// Notified when a search with a callback ends.
    pub(super) callback_due: Arc<Notify>,
}

/// The claimed attempt.
struct ClaimInfo {
    attempt: u32,
    waited: Duration,
    budget: Duration,
}

/// What to do with the job after an attempt.
pub(super) enum AttemptResult {
    Finish(Result<Box<SearchResponse>, JobFailure>),
    /// The failure is retryable.
    Retry {
        failure: JobFailure,
        /// The shortest delay, where an upstream asked for one.
        wait: Option<Duration>,
    },
    Release,
    /// The job is fenced: write nothing.
    Fenced,
}

impl JobRunner {
    /// Claims and runs the search of a queue entry. Never fails: an error is logged, and the
    /// sweeper recovers the job.
    pub(super) async fn run(&self, hint: QueueEntry, slot: &mut Slot) {
        if let Err(error) = self.try_run(hint, slot).await {
            log_abandoned(&hint, &error);
        }
    }

    /// Claims the search. A suspect, which was lost before together with other searches, first
    /// widens its slot so that fewer searches run beside it.
    async fn claim(&self, hint: QueueEntry, slot: &mut Slot) -> Result<ClaimResult, JobsError> {
        let mut most_losses = 0;
        loop {
            // A full Redis serves pops but refuses claims: a worker that did not wait here would
            // empty the queues.
            let patience = RetryPolicy {
                action: "claim a search",
                id: hint.id,
                is_retryable: JobsError::is_full,
                stop: Some(&self.stop),
            };
            let claim = retry(patience, || {
                self.jobs
                    .claim_unless_suspect(hint, &self.worker, self.lease, most_losses)
            });
            let losses = match claim.await? {
                ClaimResult::Suspect(losses) => losses,
                claim => return Ok(claim),
            };
            tracing::info!(session_id = %hint.id, losses, "a suspect search waits until fewer searches run");
            let widened = self.stop.run_until_cancelled(slot.widen(losses)).await;
            if widened.is_none() {
                return Ok(ClaimResult::Suspect(losses));
            }
            most_losses = losses;
        }
    }

    async fn try_run(&self, hint: QueueEntry, slot: &mut Slot) -> Result<(), JobsError> {
        match self.claim(hint, slot).await? {
            ClaimResult::Started {
                lease,
                attempt,
                request,
                waited,
                budget,
            } => {
                let begun = ClaimInfo {
                    attempt,
                    waited,
                    budget,
                };
                let job = serde_json::from_slice(&request);
                let span = spans::attempt_span(&lease, attempt, job.as_ref().ok());
                let work = async {
                    let tracked = self.jobs.schedule_check(hint, self.lease);
                    let worked = self.run_attempt(&lease, &begun, job);
                    let (tracked, worked) = tokio::join!(tracked, worked);
                    // Inside the span, so that the log line has all ids.
                    worked
                        .and(tracked)
                        .unwrap_or_else(|error| log_abandoned(&hint, &error));
                };
                work.instrument(span).await;
                Ok(())
            }
            ClaimResult::Busy(until) | ClaimResult::NotDue(until) => {
                self.jobs.schedule_check(hint, until).await
            }
            // This worker stops: another one has room sooner.
            ClaimResult::Suspect(_) => self.jobs.requeue(hint).await,
            // Its record may be about to be written.
            ClaimResult::Absent => self.jobs.schedule_check(hint, ABSENT_JOB_RECHECK).await,
            // The sweeper ends it.
            ClaimResult::Expired => self.jobs.schedule_check(hint, Duration::ZERO).await,
            ClaimResult::Ended => self.jobs.mark_done(hint.id, hint.mode).await,
        }
    }

    async fn run_attempt(
        &self,
        lease: &Lease,
        begun: &ClaimInfo,
        job: serde_json::Result<SearchJob>,
    ) -> Result<(), JobsError> {
        let id = lease.id;
        let (attempt, waited_ms) = (begun.attempt, millis(begun.waited));
        tracing::info!(mode = %lease.mode, attempt, waited_ms, "started");
        if attempt == 1 {
            self.metrics.observe_queue_time(lease.mode, begun.waited);
        }
        let started = Instant::now();
        let mut has_callback = false;
        let verdict = match job {
            Ok(job) => {
                has_callback = job.search.callback_url.is_some();
                self.run_search(lease, begun, &job).await
            }
            Err(error) => {
                tracing::error!(error = %error, "the stored request cannot be read");
                let failure =
                    JobFailure::new(error_code::INTERNAL, "The stored request cannot be read");
                AttemptResult::Finish(Err(failure))
            }
        };
        let took = started.elapsed();
        let took_ms = millis(took);
        self.metrics.observe_attempt_time(lease.mode, took);
        spans::record_result(&verdict);
        let ended = match verdict {
            AttemptResult::Finish(outcome) => self.finish(lease, outcome).await?,
            AttemptResult::Retry { failure, wait } => {
                let pause = retry_delay(attempt).max(wait.unwrap_or_default());
                match self.fail_attempt(lease, attempt, &failure, pause).await? {
                    FailResult::Retry => {
                        self.metrics
                            .count_attempt(lease.mode, AttemptOutcome::Retry);
                        return Ok(());
                    }
                    FailResult::Ended(ended) => {
                        self.count_outcome(lease, ended, Some(failure.code));
                        ended
                    }
                }
            }
            AttemptResult::Release => return self.release(lease).await,
            AttemptResult::Fenced => {
                self.metrics.count_lost_lease();
                self.metrics
                    .count_attempt(lease.mode, AttemptOutcome::Fenced);
                FinishResult::Fenced
            }
        };
        tracing::info!(?ended, took_ms, "ended");
        if ended != FinishResult::Fenced {
            self.jobs.mark_done(id, lease.mode).await?;
            self.done.notify_one();
            if has_callback {
                self.callback_due.notify_one();
            }
        }
        Ok(())
    }

    async fn run_search(&self, lease: &Lease, begun: &ClaimInfo, job: &SearchJob) -> AttemptResult {
        let request = &job.search;
        let started = Instant::now();
        let deadline = Deadline::after(begun.budget.min(request.time_limit()));
        let (sink, reporting) = event_writer::channel(self.jobs.clone(), lease.clone());
        let run = async {
            // Dropping the sink with the search ends the event writer.
            let sink = sink;
            let is_first = begun.attempt <= 1;
            self.single_flight
                .run(request, is_first, deadline, &sink)
                .await
        };
        let search = event_writer::run_with(run, reporting);
        tokio::select! {
            ran = search => {
                let took = started.elapsed();
                match ran.result {
                    Ok(outcome) => {
                        // A cached answer took neither time nor tokens.
                        if !ran.cached {
                            self.metrics.observe_answer(&outcome.timings, outcome.usage);
                        }
                        let response = completed_response(lease, begun.attempt, job, outcome, took);
                        AttemptResult::Finish(Ok(Box::new(SearchResponse { cached: ran.cached, ..response })))
                    }
                    Err(error) if error.retryable => AttemptResult::Retry {
                        failure: failure::from_pipeline_error(&error, took),
                        wait: error.retry_after,
                    },
                    Err(error) => AttemptResult::Finish(Err(failure::from_pipeline_error(&error, took))),
                }
            }
            lost = lease_renewal::renew_until_lost(&self.jobs, lease, self.lease, self.cancel_notifier.subscribe(lease.id)) => match lost {
                LeaseLost::Cancelled => AttemptResult::Finish(Err(JobFailure::cancelled())),
                LeaseLost::Fenced => AttemptResult::Fenced,
            },
            () = self.abort.cancelled() => AttemptResult::Release,
        }
    }

    async fn fail_attempt(
        &self,
        lease: &Lease,
        attempt: u32,
        failure: &JobFailure,
        pause: Duration,
    ) -> Result<FailResult, JobsError> {
        let failed = retry(RetryPolicy::for_outcome(lease), || {
            self.jobs.fail(lease, failure, self.max_attempts, pause)
        })
        .await?;
        if failed == FailResult::Retry {
            tracing::warn!(
                attempt,
                code = failure.code,
                pause_ms = millis(pause),
                "attempt failed; trying again"
            );
        }
        Ok(failed)
    }

    async fn finish(
        &self,
        lease: &Lease,
        outcome: Result<Box<SearchResponse>, JobFailure>,
    ) -> Result<FinishResult, JobsError> {
        let json = match &outcome {
            Ok(response) => Ok(serde_json::to_vec(response)
                .map_err(|error| JobsError::Unexpected(error.to_string()))?),
            Err(failure) => Err(failure),
        };
        let ended = retry(RetryPolicy::for_outcome(lease), || {
            self.jobs
                .finish(lease, json.as_deref().map_err(|failure| *failure))
        })
        .await?;
        self.count_outcome(
            lease,
            ended,
            outcome.as_ref().err().map(|failure| failure.code),
        );
        Ok(ended)
    }

    /// Counts the outcome of an attempt that tried to end its search; `code` is `None` for an
    /// answer.
    fn count_outcome(&self, lease: &Lease, ended: FinishResult, code: Option<&'static str>) {
        let outcome = match (ended, code) {
            (FinishResult::Fenced, _) => {
                self.metrics.count_fenced_write();
                AttemptOutcome::Fenced
            }
            // A search that was cancelled meanwhile fails, even with an answer.
            (FinishResult::Failed, code) => {
                self.metrics
                    .count_failure(code.unwrap_or(error_code::CANCELLED));
                AttemptOutcome::Failed
            }
            (FinishResult::AlreadyEnded, Some(code)) => {
                self.metrics.count_failure(code);
                AttemptOutcome::Failed
            }
            (FinishResult::Completed | FinishResult::AlreadyEnded, _) => AttemptOutcome::Completed,
        };
        self.metrics.count_attempt(lease.mode, outcome);
    }

    async fn release(&self, lease: &Lease) -> Result<(), JobsError> {
        match retry(RetryPolicy::for_outcome(lease), || self.jobs.release(lease)).await? {
            ReleaseResult::Released => {
                self.metrics
                    .count_attempt(lease.mode, AttemptOutcome::Released);
                tracing::info!("released");
            }
            ReleaseResult::Fenced => {
                self.metrics.count_fenced_write();
                self.metrics
                    .count_attempt(lease.mode, AttemptOutcome::Fenced);
                tracing::warn!("another worker has taken over");
            }
            ReleaseResult::CancelRequested => {
                self.finish(lease, Err(JobFailure::cancelled())).await?;
                self.jobs.mark_done(lease.id, lease.mode).await?;
            }
        }
        Ok(())
    }
}

/// The job is safe: its record is in Redis, and a sweeper recovers it.
fn log_abandoned(hint: &QueueEntry, error: &JobsError) {
    tracing::error!(session_id = %hint.id, error = %error, "attempt abandoned: a sweeper recovers the search");
}

/// Exponential backoff with full jitter.
fn retry_delay(attempt: u32) -> Duration {
    let bound = FIRST_RETRY_BOUND.saturating_mul(2_u32.saturating_pow(attempt.saturating_sub(1)));
    rand::random_range(Duration::ZERO..=bound.min(MAX_RETRY_DELAY))
}

fn completed_response(
    lease: &Lease,
    attempt: u32,
    job: &SearchJob,
    outcome: Outcome,
    took: Duration,
) -> SearchResponse {
    let (query, mode) = (job.search.query.clone(), job.search.mode_name());
    let pending = SearchResponse {
        attempt,
        completed_at: Some(Utc::now().trunc_subsecs(6)),
        ..SearchResponse::pending(lease.id, query, mode, job.created_at)
    };
    response::completed(pending, outcome, took)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
