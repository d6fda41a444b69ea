//! Finding jobs that somebody has to look at: their worker is lost, their hint is lost, their pause
//! is over, or they have waited too long. Every worker sweeps; there is no leader.

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

/// Jobs looked at in one round.
const BATCH: usize = 256;
/// How long a job that one sweeper looks at is left alone by the others.
const LOOK_PAUSE: Duration = Duration::from_secs(2);
/// How long one that cannot be read is left alone: another version may understand it.
const UNREADABLE_PAUSE: Duration = Duration::from_secs(60);

/// What a sweeper does by.
#[derive(Debug, Clone)]
pub struct SweepRules {
    /// How often a job may crash its worker before the job is given up. A worker that is lost with
    /// several jobs was crashed by one of them: see `losses`.
    pub most_crashes: u32,
    /// How long a lease is: after a loss of contact nobody's lease counts as expired for as long.
    pub lease: Duration,
    /// How a job ends whose workers were lost.
    pub worker_lost: Failure,
    /// How a job ends that has waited too long.
    pub waited_too_long: Failure,
}

/// What a round of sweeping did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Swept {
    /// Jobs taken from lost workers.
    pub reaped: usize,
    /// Hints that were lost and are there again.
    pub hints_found: usize,
    /// Jobs that were given up: their workers were lost too often.
    pub given_up: usize,
    /// Jobs that were given up: they had waited too long.
    pub expired: usize,
    /// Jobs that have ended and were still listed.
    pub tidied: usize,
    /// Jobs that had not ended and were not listed.
    pub taken_in: usize,
}

/// Looks after the jobs of all workers.
pub struct Sweeper {
    jobs: Jobs,
    rules: SweepRules,
    /// Hints seen out of their list: when first, and with which number.
    popped: HashMap<(Mode, Uuid), (String, Instant)>,
    amnesty: Amnesty,
    walk: Walk,
    /// Of this round: processes, and what was lost with each.
    lost: HashMap<Uuid, Vec<String>>,
}

impl Sweeper {
    /// A sweeper of these jobs.
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

    /// One round.
    ///
    /// # Errors
    /// When Redis gave no answer, or in a Cluster one of its servers gave none; then the jobs of the
    /// others have been looked after. Once such a server answers again, expired leases of its jobs
    /// are spared for a while: their holders may have been cut off just as we were.
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

    /// Fails when the queues cannot be reached. What one job's server does not answer goes to
    /// `failed`, and the jobs of that server are left to a later round.
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
            // The oldest last: each goes before all others.
            let lost = self.lost_hints(mode).await;
            let lost = self.readable(&keys::pending(mode), lost)?;
            for (id, number) in lost.into_iter().rev() {
                let found = if self.amnesty.in_touch(id) {
                    self.see_to(id, Some(number), swept).await
                } else {
                    // Out of the way of the others; `live` brings it back.
                    self.jobs.track_id(id, mode, LOOK_PAUSE).await
                };
                self.note(id, Some(mode), found, failed).await;
            }
        }
        self.audit(swept, failed).await;
        Ok(())
    }

    /// A list that cannot be read must not keep those of the others from being looked after.
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

    /// Takes in jobs that are not listed, and out what is listed and no job. A server that is away is
    /// left to a later round.
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
            tracing::warn!(session_id = %id, "took in a search that nobody had listed");
            let seen = match self.jobs.list_callback(id).await {
                Ok(()) => self.see_to(id, None, swept).await,
                Err(error) => Err(error),
            };
            swept.taken_in += usize::from(seen.is_ok());
            // Any mode: it has no hint.
            self.note(id, Some(Mode::Speed), seen, failed).await;
        }
    }

    /// One job that cannot be understood (of another version, damaged), or whose server does not
    /// answer, must not keep the others from being looked after.
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

    /// Does what a job needs. `popped` is the number of its hint if that seems to be lost.
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
            // Taken over, claimed and lost again in between: the next look is soon.
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
                // Of several sweepers that miss it one is the first.
                if self.jobs.push(id, mode, place, limit).await? && was_popped {
                    tracing::info!(session_id = %id, "found a search whose hint was lost");
                    swept.hints_found += 1;
                }
            }
            Seen::Lost(mode, limit, charge) => {
                self.jobs.push(id, mode, charge.place(), limit).await?;
                let Charge {
                    crashes, losses, ..
                } = charge;
                tracing::warn!(session_id = %id, crashes, losses, "took a search from a worker that was lost");
                swept.reaped += 1;
            }
        }
        Ok(())
    }

    /// Hints that have been out of their list, unclaimed, for longer than a claim takes.
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

    /// What was lost together with this attempt at a job.
    async fn company(&mut self, id: Uuid, attempt: &Attempt) -> Result<String, JobsError> {
        let process = attempt.process();
        if let Some(lost) = self.lost.get(&process) {
            return Ok(losses::without(id, lost));
        }
        // What was just claimed may be listed as one that waits.
        let popped = self.popped.keys().map(|(_, id)| *id).collect();
        let can_ask = |id| self.amnesty.in_touch(id);
        let lost = self.jobs.lost_with(process, popped, can_ask).await?;
        let company = losses::without(id, &lost);
        self.lost.insert(process, lost);
        Ok(company)
    }

    /// `company` is that of the attempt with this nonce.
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
