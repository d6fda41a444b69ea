//! The sweeper: recovers jobs whose worker or queue entry is lost, requeues jobs whose pause is
//! over, and ends jobs that have waited too long. Every worker sweeps; there is no leader.

use super::{
    Failure, Jobs, JobsError, POP_GRACE,
    amnesty::Amnesty,
    audit::Walk,
    damage::Scope,
    ids::{self, Bytes, text},
    look::{Charge, Seen, Why, seen},
    losses::{self, Attempt, MOST_LOSSES},
    millis,
    push::Place,
    scripts::on_job,
};
use crate::{keys, mode::Mode};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// Jobs checked in one round, from each list.
const BATCH: usize = 256;
/// How long the other sweepers leave a job alone that one of them checks.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
/// How long the sweepers leave an unreadable job alone: another version may understand it.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);

/// When the sweeper gives a job up, and how such a job ends.
#[derive(Debug, Clone)]
pub struct SweepRules {
    /// Crashes of its own that a job survives. When a worker is lost with several jobs, any of them
    /// may be the cause: see `losses`.
    pub most_crashes: u32,
    /// Length of a lease; also the outage grace.
    pub lease: Duration,
    /// For a job that has crashed too often, or has no time left to run.
    pub worker_lost: Failure,
    /// For a job that has waited too long.
    pub waited_too_long: Failure,
}

/// What a round did, in numbers of jobs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Their lease had expired; they wait again.
    pub reaped: usize,
    /// Their queue entry was lost; they have one again.
    pub hints_found: usize,
    /// Ended: they crashed too often.
    pub given_up: usize,
    /// Ended: they waited too long.
    pub expired: usize,
    /// They had ended and were still in the index.
    pub tidied: usize,
    /// They were unfinished and missing from the index.
    pub taken_in: usize,
}

/// Recovers the jobs of all workers.
pub struct Sweeper {
    jobs: Jobs,
    rules: SweepRules,
    /// Queue entries that were popped and not claimed: their sequence number, and when this
    /// sweeper first missed them.
    popped: HashMap<(Mode, Uuid), (String, Instant)>,
    amnesty: Amnesty,
    walk: Walk,
    /// In this round: for each lost process the short names of its jobs.
    lost: HashMap<Uuid, Vec<String>>,
}

impl Sweeper {
    #[must_use]
    pub fn new(jobs: Jobs, rules: SweepRules) -> Self {
        Self {
            amnesty: Amnesty::new(jobs.redis.clone(), rules.lease),
            jobs,
            rules,
            popped: HashMap::new(),
            walk: Walk::default(),
            lost: HashMap::new(),
        }
    }

    /// Runs one round.
    ///
    /// # Errors
    /// `Unavailable` when Redis, or a server of a Cluster, does not answer; the jobs of the other
    /// servers were checked. When it answers again, the outage grace of its jobs begins.
    pub async fn sweep(&mut self) -> Result<Swept, JobsError> {
        let mut swept = Swept::default();
        let mut failed = None;
        self.lost.clear();
        if let Err(error) = self.round(&mut swept, &mut failed).await {
            if !error.is_about_data() {
                self.amnesty.lost_all();
            }
            return Err(error);
        }
        failed.map_or(Ok(swept), Err)
    }

    /// Fails when the server of the queues does not answer. The error of another server goes to
    /// `failed`, and its jobs are left to a later round.
    async fn round(
        &mut self,
        swept: &mut Swept,
        failed: &mut Option<JobsError>,
    ) -> Result<(), JobsError> {
        let (reviewed, due) = tokio::join!(
            self.amnesty.review(&self.jobs),
            self.jobs.take_due(keys::LIVE, BATCH, LOOK_PAUSE)
        );
        *failed = reviewed?;
        for id in self.readable(keys::LIVE, due)? {
            if self.amnesty.in_touch(id) {
                let seen = self.see_to(id, None, swept).await;
                self.note(id, None, seen, failed).await;
            }
        }
        for mode in Mode::ALL {
            // The oldest last, as each goes to the head of the queue.
            let lost = self.lost_hints(mode).await;
            let lost = self.readable(&keys::pending(mode), lost)?;
            for (id, number) in lost.into_iter().rev() {
                let found = if self.amnesty.in_touch(id) {
                    self.see_to(id, Some(number), swept).await
                } else {
                    // Its server is away: `live` brings it back later.
                    self.jobs.track_id(id, mode, LOOK_PAUSE).await
                };
                self.note(id, Some(mode), found, failed).await;
            }
        }
        self.audit(swept, failed).await;
        Ok(())
    }

    /// An unreadable list counts as empty, so that the jobs of the other lists are checked.
    fn readable<T>(
        &self,
        list: &str,
        read: Result<Vec<T>, JobsError>,
    ) -> Result<Vec<T>, JobsError> {
        match read {
            Err(error) if error.is_about_data() => {
                self.jobs.name_key(list, &error);
                Ok(Vec::new())
            }
            read => read,
        }
    }

    /// Re-adds unfinished jobs that are missing from the index, and removes index entries that are
    /// not ids. A server that is away is left to a later round.
    async fn audit(&mut self, swept: &mut Swept, failed: &mut Option<JobsError>) {
        let (unlisted, tidied) = self.jobs.walk_on(&mut self.walk).await;
        let unlisted = match tidied.and(unlisted) {
            Ok(unlisted) => unlisted,
            Err(error) if error.is_about_data() => {
                self.jobs.name_key(keys::RECORDS, &error);
                return;
            }
            Err(error) => {
                *failed = Some(error);
                return;
            }
        };
        for id in unlisted {
            tracing::warn!(session_id = %id, "re-added a search that was missing from the index");
            let seen = match self.jobs.list_callback(id).await {
                Ok(()) => self.see_to(id, None, swept).await,
                Err(error) => Err(error),
            };
            swept.taken_in += usize::from(seen.is_ok());
            // It has no queue entry, so any mode will do.
            self.note(id, Some(Mode::Speed), seen, failed).await;
        }
    }

    /// Postpones a job that cannot be read (damaged, or of another version), and marks a server
    /// that does not answer; the round goes on with the other jobs.
    async fn note(
        &mut self,
        id: Uuid,
        hint: Option<Mode>,
        seen: Result<(), JobsError>,
        failed: &mut Option<JobsError>,
    ) {
        let Err(error) = seen else {
            return;
        };
        if !error.is_about_data() {
            self.amnesty.lost(id);
            *failed = Some(error);
            return;
        }
        self.jobs.name_job(id, &error);
        let put_off = match hint {
            Some(mode) => self.jobs.track_id(id, mode, UNREADABLE_PAUSE).await,
            None => self.jobs.put_off(keys::LIVE, id, UNREADABLE_PAUSE).await,
        };
        if let Err(error) = put_off {
            *failed = Some(error);
        }
    }

    /// Checks a job and does what it needs. `popped` is the sequence number of its queue entry if
    /// that seems to be lost.
    async fn see_to(
        &mut self,
        id: Uuid,
        popped: Option<String>,
        swept: &mut Swept,
    ) -> Result<(), JobsError> {
        let mut seen = self.look(id, None).await?;
        if let Seen::Expired(attempt) = &seen {
            let company = self.company(id, attempt).await?;
            seen = self.look(id, Some((&attempt.nonce, &company))).await?;
        }
        match seen {
            // Recovered, claimed and lost again in between: the next check is soon.
            Seen::Expired(_) => {}
            Seen::Absent => self.jobs.forget_unknown(id).await?,
            Seen::Ended(mode) => {
                self.jobs.forget(id, mode).await?;
                swept.tidied += 1;
            }
            Seen::Failed(mode, why) => {
                self.jobs.forget(id, mode).await?;
                match why {
                    Why::Lost => swept.given_up += 1,
                    Why::Expired => swept.expired += 1,
                    Why::Other => swept.tidied += 1,
                }
            }
            Seen::Wait(mode, until) => self.jobs.track_id(id, mode, until).await?,
            Seen::Due(mode, limit) => {
                let was_popped = popped.is_some();
                let place = popped.map_or(Place::Back, Place::FrontIfStill);
                // Several sweepers may miss the entry; only one requeues it.
                if self.jobs.push(id, mode, place, limit).await? && was_popped {
                    tracing::info!(session_id = %id, "requeued a search whose queue entry was lost");
                    swept.hints_found += 1;
                }
            }
            Seen::Lost(mode, limit, charge) => {
                self.jobs.push(id, mode, charge.place(), limit).await?;
                let Charge {
                    crashes, losses, ..
                } = charge;
                tracing::warn!(session_id = %id, crashes, losses, "recovered a search whose worker was lost");
                swept.reaped += 1;
            }
        }
        Ok(())
    }

    /// Queue entries that were popped and not claimed within [`POP_GRACE`].
    async fn lost_hints(&mut self, mode: Mode) -> Result<Vec<(Uuid, String)>, JobsError> {
        let mut invocation = self.jobs.scripts.popped.prepare_invoke();
        invocation
            .key(keys::queue(mode))
            .key(keys::pending(mode))
            .arg(BATCH);
        let popped: Vec<(Bytes, Bytes)> = self.jobs.call_in(Scope::Queues, &invocation).await?;
        let entries: Vec<Bytes> = popped.iter().map(|(entry, _)| entry.clone()).collect();
        self.jobs.ids_of(&keys::pending(mode), &entries).await?;
        let now = Instant::now();
        let mut seen = HashMap::new();
        let mut lost = Vec::new();
        for (entry, number) in popped {
            let Some(id) = ids::id(&entry) else {
                continue;
            };
            let number = text(&number);
            let first = match self.popped.get(&(mode, id)) {
                Some((known, first)) if *known == number => *first,
                _ => now,
            };
            if now.duration_since(first) >= POP_GRACE {
                lost.push((id, number.clone()));
            }
            seen.insert((mode, id), (number, first));
        }
        self.popped.retain(|(of, _), _| *of != mode);
        self.popped.extend(seen);
        Ok(lost)
    }

    /// The short names of the other jobs that were lost with this attempt.
    async fn company(&mut self, id: Uuid, attempt: &Attempt) -> Result<String, JobsError> {
        let process = attempt.process();
        if let Some(lost) = self.lost.get(&process) {
            return Ok(losses::without(id, lost));
        }
        // A job that was just claimed may not be in the index as running yet.
        let popped = self.popped.keys().map(|(_, id)| *id).collect();
        let can_ask = |id| self.amnesty.in_touch(id);
        let lost = self.jobs.lost_with(process, popped, can_ask).await?;
        let company = losses::without(id, &lost);
        self.lost.insert(process, lost);
        Ok(company)
    }

    /// Runs `inspect.lua`. `company` is a nonce, and the short names of the other jobs that were
    /// lost with that attempt.
    async fn look(&self, id: Uuid, company: Option<(&str, &str)>) -> Result<Seen, JobsError> {
        let spared = self.amnesty.spares(id);
        let cancelled = Failure::cancelled();
        let mut invocation = on_job(&self.jobs.scripts.look, id);
        invocation.arg(self.rules.most_crashes).arg(millis(spared));
        for failure in [
            &self.rules.worker_lost,
            &self.rules.waited_too_long,
            &cancelled,
        ] {
            invocation
                .arg(failure.error_json())
                .arg(failure.members_json());
        }
        let (nonce, company) = company.unwrap_or_default();
        invocation
            .arg(keys::CHANGED)
            .arg(id.to_string())
            .arg(MOST_LOSSES)
            .arg(nonce)
            .arg(company);
        seen(self.jobs.call_in(Scope::Job(id), &invocation).await?)
    }
}
