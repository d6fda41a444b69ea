//! The sweeper: recovers jobs whose worker or queue entry is lost, requeues jobs whose pause is
//! over, and ends jobs that have waited too long. Every worker sweeps; there is no leader.

use super::{
    CLAIM_GRACE, JobFailure, Jobs, JobsError,
    damage::KeyGroup,
    ids::{self, RawEntry, lossy_text},
    inspection::{EndReason, Inspection, LossCounts, parse_inspection},
    losses::{self, MAX_LOSSES, RunningAttempt},
    millis,
    outage_grace::OutageGrace,
    push::Position,
    reconcile::ScanCursor,
    scripts::job_invocation,
};
use crate::{keys, mode::Mode};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// Jobs checked in one round, from each list.
const MAX_JOBS_PER_LIST: usize = 256;
/// How long the other sweepers leave a job alone that one of them checks.
const RECHECK_DELAY: Duration = Duration::from_secs(2);
/// How long the sweepers leave an unreadable job alone: another version may understand it.
const UNREADABLE_RECHECK_DELAY: Duration = Duration::from_secs(60);

/// When the sweeper gives a job up, and how such a job ends.
#[derive(Debug, Clone)]
pub struct SweepRules {
    /// Crashes of its own that a job survives. When a worker is lost with several jobs, any of them
    /// may be the cause: see `losses`.
    pub max_crashes: u32,
    /// Length of a lease; also the outage grace.
    pub lease: Duration,
    /// For a job that has crashed too often, or has no time left to run.
    pub worker_lost: JobFailure,
    /// For a job that has waited too long.
    pub queue_expired: JobFailure,
}

/// What a round did, in numbers of jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SweepStats {
    /// Their lease had expired; they wait again.
    pub leases_expired: usize,
    /// Their queue entry was lost; they have one again.
    pub requeued: usize,
    /// Ended: they crashed too often.
    pub abandoned: usize,
    /// Ended: they waited too long.
    pub queue_expired: usize,
    /// They had ended and were still in the index.
    pub stale_removed: usize,
    /// They were unfinished and missing from the index.
    pub untracked: usize,
}

/// Recovers the jobs of all workers.
pub struct Sweeper {
    jobs: Jobs,
    rules: SweepRules,
    /// Queue entries that were popped and not claimed: their sequence number, and when this
    /// sweeper first missed them.
    missing_entries: HashMap<(Mode, Uuid), (String, Instant)>,
    outage_grace: OutageGrace,
    scan_cursor: ScanCursor,
    /// In this round: for each lost process the short names of its jobs.
    lost_jobs: HashMap<Uuid, Vec<String>>,
}

impl Sweeper {
    #[must_use]
    pub fn new(jobs: Jobs, rules: SweepRules) -> Self {
        Self {
            outage_grace: OutageGrace::new(jobs.redis.clone(), rules.lease),
            jobs,
            rules,
            missing_entries: HashMap::new(),
            scan_cursor: ScanCursor::default(),
            lost_jobs: HashMap::new(),
        }
    }

    /// Runs one round.
    ///
    /// # Errors
    /// `Unavailable` when Redis, or a server of a Cluster, does not answer; the jobs of the other
    /// servers were checked. When it answers again, the outage grace of its jobs begins.
    pub async fn sweep(&mut self) -> Result<SweepStats, JobsError> {
        let mut swept = SweepStats::default();
        let mut failed = None;
        self.lost_jobs.clear();
        if let Err(error) = self.run_round(&mut swept, &mut failed).await {
            if !error.is_data_error() {
                self.outage_grace.mark_all_unreachable();
            }
            return Err(error);
        }
        failed.map_or(Ok(swept), Err)
    }

    /// Fails when the server of the queues does not answer. The error of another server goes to
    /// `failed`, and its jobs are left to a later round.
    async fn run_round(
        &mut self,
        swept: &mut SweepStats,
        failed: &mut Option<JobsError>,
    ) -> Result<(), JobsError> {
        let (reviewed, due) = tokio::join!(
            self.outage_grace.refresh(&self.jobs),
            self.jobs
                .take_due(keys::LIVE, MAX_JOBS_PER_LIST, RECHECK_DELAY)
        );
        *failed = reviewed?;
        for id in self.skip_damaged(keys::LIVE, due)? {
            if self.outage_grace.is_reachable(id) {
                let seen = self.recover(id, None, swept).await;
                self.handle_error(id, None, seen, failed).await;
            }
        }
        for mode in Mode::ALL {
            // The oldest last, as each goes to the head of the queue.
            let lost = self.lost_entries(mode).await;
            let lost = self.skip_damaged(&keys::pending(mode), lost)?;
            for (id, number) in lost.into_iter().rev() {
                let found = if self.outage_grace.is_reachable(id) {
                    self.recover(id, Some(number), swept).await
                } else {
                    // Its server is away: `live` brings it back later.
                    self.jobs
                        .schedule_check_by_id(id, mode, RECHECK_DELAY)
                        .await
                };
                self.handle_error(id, Some(mode), found, failed).await;
            }
        }
        self.reconcile(swept, failed).await;
        Ok(())
    }

    /// An unreadable list counts as empty, so that the jobs of the other lists are checked.
    fn skip_damaged<T>(
        &self,
        list: &str,
        read: Result<Vec<T>, JobsError>,
    ) -> Result<Vec<T>, JobsError> {
        match read {
            Err(error) if error.is_data_error() => {
                self.jobs.log_damaged_key(list, &error);
                Ok(Vec::new())
            }
            read => read,
        }
    }

    /// Re-adds unfinished jobs that are missing from the index, and removes index entries that are
    /// not ids. A server that is away is left to a later round.
    async fn reconcile(&mut self, swept: &mut SweepStats, failed: &mut Option<JobsError>) {
        let (unlisted, tidied) = self.jobs.reconcile_page(&mut self.scan_cursor).await;
        let unlisted = match tidied.and(unlisted) {
            Ok(unlisted) => unlisted,
            Err(error) if error.is_data_error() => {
                self.jobs.log_damaged_key(keys::RECORD_PATTERN, &error);
                return;
            }
            Err(error) => {
                *failed = Some(error);
                return;
            }
        };
        for id in unlisted {
            tracing::warn!(session_id = %id, "re-added a search that was missing from the index");
            let seen = match self.jobs.reindex_callback(id).await {
                Ok(()) => self.recover(id, None, swept).await,
                Err(error) => Err(error),
            };
            swept.untracked += usize::from(seen.is_ok());
            // It has no queue entry, so any mode will do.
            self.handle_error(id, Some(Mode::Speed), seen, failed).await;
        }
    }

    /// Postpones a job that cannot be read (damaged, or of another version), and marks a server
    /// that does not answer; the round goes on with the other jobs.
    async fn handle_error(
        &mut self,
        id: Uuid,
        hint: Option<Mode>,
        seen: Result<(), JobsError>,
        failed: &mut Option<JobsError>,
    ) {
        let Err(error) = seen else {
            return;
        };
        if !error.is_data_error() {
            self.outage_grace.mark_unreachable(id);
            *failed = Some(error);
            return;
        }
        self.jobs.log_damaged_job(id, &error);
        let put_off = match hint {
            Some(mode) => {
                self.jobs
                    .schedule_check_by_id(id, mode, UNREADABLE_RECHECK_DELAY)
                    .await
            }
            None => {
                self.jobs
                    .postpone(keys::LIVE, id, UNREADABLE_RECHECK_DELAY)
                    .await
            }
        };
        if let Err(error) = put_off {
            *failed = Some(error);
        }
    }

    /// Checks a job and does what it needs. `popped` is the sequence number of its queue entry if
    /// that seems to be lost.
    async fn recover(
        &mut self,
        id: Uuid,
        popped: Option<String>,
        swept: &mut SweepStats,
    ) -> Result<(), JobsError> {
        let mut seen = self.inspect(id, None).await?;
        if let Inspection::LeaseExpired(attempt) = &seen {
            let company = self.other_lost_jobs(id, attempt).await?;
            seen = self.inspect(id, Some((&attempt.nonce, &company))).await?;
        }
        match seen {
            // Recovered, claimed and lost again in between: the next check is soon.
            Inspection::LeaseExpired(_) => {}
            Inspection::Absent => self.jobs.remove_orphan(id).await?,
            Inspection::Ended(mode) => {
                self.jobs.mark_done(id, mode).await?;
                swept.stale_removed += 1;
            }
            Inspection::EndedNow(mode, why) => {
                self.jobs.mark_done(id, mode).await?;
                match why {
                    EndReason::WorkerLost => swept.abandoned += 1,
                    EndReason::QueueExpired => swept.queue_expired += 1,
                    EndReason::Other => swept.stale_removed += 1,
                }
            }
            Inspection::NotDue(mode, until) => {
                self.jobs.schedule_check_by_id(id, mode, until).await?
            }
            Inspection::NeedsEntry(mode, limit) => {
                let was_popped = popped.is_some();
                let place = popped.map_or(Position::Tail, Position::HeadIfUnclaimed);
                // Several sweepers may miss the entry; only one requeues it.
                if self.jobs.push(id, mode, place, limit).await? && was_popped {
                    tracing::info!(session_id = %id, "requeued a search whose queue entry was lost");
                    swept.requeued += 1;
                }
            }
            Inspection::Recovered(mode, limit, charge) => {
                self.jobs.push(id, mode, charge.position(), limit).await?;
                let LossCounts {
                    crashes, losses, ..
                } = charge;
                tracing::warn!(session_id = %id, crashes, losses, "recovered a search whose worker was lost");
                swept.leases_expired += 1;
            }
        }
        Ok(())
    }

    /// Queue entries that were popped and not claimed within [`CLAIM_GRACE`].
    async fn lost_entries(&mut self, mode: Mode) -> Result<Vec<(Uuid, String)>, JobsError> {
        let mut invocation = self.jobs.scripts.lost_entries.prepare_invoke();
        invocation
            .key(keys::queue(mode))
            .key(keys::pending(mode))
            .arg(MAX_JOBS_PER_LIST);
        let popped: Vec<(RawEntry, RawEntry)> =
            self.jobs.call_in(KeyGroup::Queues, &invocation).await?;
        let entries: Vec<RawEntry> = popped.iter().map(|(entry, _)| entry.clone()).collect();
        self.jobs.valid_ids(&keys::pending(mode), &entries).await?;
        let now = Instant::now();
        let mut seen = HashMap::new();
        let mut lost = Vec::new();
        for (entry, number) in popped {
            let Some(id) = ids::parse_id(&entry) else {
                continue;
            };
            let number = lossy_text(&number);
            let first = match self.missing_entries.get(&(mode, id)) {
                Some((known, first)) if *known == number => *first,
                _ => now,
            };
            if now.duration_since(first) >= CLAIM_GRACE {
                lost.push((id, number.clone()));
            }
            seen.insert((mode, id), (number, first));
        }
        self.missing_entries.retain(|(of, _), _| *of != mode);
        self.missing_entries.extend(seen);
        Ok(lost)
    }

    /// The short names of the other jobs that were lost with this attempt.
    async fn other_lost_jobs(
        &mut self,
        id: Uuid,
        attempt: &RunningAttempt,
    ) -> Result<String, JobsError> {
        let process = attempt.process();
        if let Some(lost) = self.lost_jobs.get(&process) {
            return Ok(losses::names_without(id, lost));
        }
        // A job that was just claimed may not be in the index as running yet.
        let popped = self.missing_entries.keys().map(|(_, id)| *id).collect();
        let can_ask = |id| self.outage_grace.is_reachable(id);
        let lost = self.jobs.lost_with(process, popped, can_ask).await?;
        let company = losses::names_without(id, &lost);
        self.lost_jobs.insert(process, lost);
        Ok(company)
    }

    /// Runs `inspect.lua`. `company` is a nonce, and the short names of the other jobs that were
    /// lost with that attempt.
    async fn inspect(
        &self,
        id: Uuid,
        company: Option<(&str, &str)>,
    ) -> Result<Inspection, JobsError> {
        let spared = self.outage_grace.grace_left(id);
        let cancelled = JobFailure::cancelled();
        let mut invocation = job_invocation(&self.jobs.scripts.inspect, id);
        invocation.arg(self.rules.max_crashes).arg(millis(spared));
        for failure in [
            &self.rules.worker_lost,
            &self.rules.queue_expired,
            &cancelled,
        ] {
            invocation
                .arg(failure.error_json())
                .arg(failure.members_json());
        }
        let (nonce, company) = company.unwrap_or_default();
        invocation
            .arg(keys::CHANGED_CHANNEL)
            .arg(id.to_string())
            .arg(MAX_LOSSES)
            .arg(nonce)
            .arg(company);
        parse_inspection(self.jobs.call_in(KeyGroup::Job(id), &invocation).await?)
    }
}
