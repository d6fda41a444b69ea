//! Finding jobs that somebody has to look at: their worker is lost, their hint is lost, their pause
//! is over, or they have waited too long. Every worker sweeps; there is no leader.

use super::{
    Failure, Jobs, JobsError, POP_GRACE, amnesty::Amnesty, audit::Walk, millis, push::Place,
    scripts::on_job,
};
use crate::{keys, mode::Mode};
use redis::{FromRedisValue, Value};
use std::{collections::HashMap, time::Duration};
use tokio::time::Instant;
use uuid::Uuid;

/// Jobs looked at in one round.
const BATCH: usize = 256;
/// How long a job that one sweeper looks at is left alone by the others.
const LOOK_PAUSE: Duration = Duration::from_secs(2);

/// What a sweeper does by.
#[derive(Debug, Clone)]
pub struct SweepRules {
    /// How often a job's worker may be lost before the job is given up.
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
}

/// Why a job was ended by the look at it.
enum Why {
    Lost,
    Expired,
    Other,
}

enum Seen {
    Absent,
    Ended(Mode),
    /// Ended just now.
    Failed(Mode, Why),
    Wait(Mode, Duration),
    Due(Mode, Duration),
    Lost(Mode, Duration),
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
        if let Err(error) = self.round(&mut swept, &mut failed).await {
            self.amnesty.lost_all();
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
        for id in due? {
            if self.amnesty.in_touch(id) {
                let seen = self.see_to(id, None, swept).await;
                self.note(id, seen, failed);
            }
        }
        for mode in Mode::ALL {
            // The oldest last: each goes before all others.
            for (id, number) in self.lost_hints(mode).await?.into_iter().rev() {
                let found = if self.amnesty.in_touch(id) {
                    self.see_to(id, Some(number), swept).await
                } else {
                    // Out of the way of the others; `live` brings it back.
                    self.jobs.track_id(id, mode, LOOK_PAUSE).await
                };
                self.note(id, found, failed);
            }
        }
        self.audit(swept, failed).await;
        Ok(())
    }

    /// Takes in jobs that are not listed. A server that is away is left to a later round.
    async fn audit(&mut self, swept: &mut Swept, failed: &mut Option<JobsError>) {
        let unlisted = match self.jobs.unlisted(&mut self.walk).await {
            Ok(unlisted) => unlisted,
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
            self.note(id, seen, failed);
            swept.taken_in += 1;
        }
    }

    /// One job that cannot be understood (of another version, damaged), or whose server does not
    /// answer, must not keep the others from being looked after.
    fn note(&mut self, id: Uuid, seen: Result<(), JobsError>, failed: &mut Option<JobsError>) {
        match seen {
            Ok(()) => {}
            Err(JobsError::Unexpected(reason)) => {
                tracing::error!(session_id = %id, reason, "cannot look after a search");
            }
            Err(error) => {
                self.amnesty.lost(id);
                *failed = Some(error);
            }
        }
    }

    /// Does what a job needs. `popped` is the number of its hint if that seems to be lost.
    async fn see_to(
        &mut self,
        id: Uuid,
        popped: Option<String>,
        swept: &mut Swept,
    ) -> Result<(), JobsError> {
        match self.look(id).await? {
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
            Seen::Lost(mode, limit) => {
                self.jobs.push(id, mode, Place::Front, limit).await?;
                tracing::warn!(session_id = %id, "took a search from a worker that was lost");
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
        let popped: Vec<(String, String)> = self.jobs.call(&invocation).await?;
        let now = Instant::now();
        let mut seen = HashMap::new();
        let mut lost = Vec::new();
        for (id, number) in popped {
            let Ok(id) = Uuid::try_parse(&id) else {
                continue;
            };
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

    async fn look(&self, id: Uuid) -> Result<Seen, JobsError> {
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
        invocation.arg(keys::CHANGED).arg(id.to_string());
        seen(self.jobs.call(&invocation).await?)
    }
}

fn seen(reply: Vec<Value>) -> Result<Seen, JobsError> {
    let mut words = reply.into_iter().map(String::from_redis_value);
    let mut next = || words.next().and_then(Result::ok);
    let state = next().unwrap_or_default();
    let mode = next().and_then(|name| Mode::parse(&name));
    let last = next().unwrap_or_default();
    let left = Duration::from_millis(last.parse().unwrap_or(0));
    match (state.as_str(), mode) {
        ("ABSENT", _) => Ok(Seen::Absent),
        ("ENDED", Some(mode)) => Ok(Seen::Ended(mode)),
        ("FAILED", Some(mode)) => Ok(Seen::Failed(
            mode,
            match last.as_str() {
                "lost" => Why::Lost,
                "expired" => Why::Expired,
                _ => Why::Other,
            },
        )),
        ("WAIT", Some(mode)) => Ok(Seen::Wait(mode, left)),
        ("DUE", Some(mode)) => Ok(Seen::Due(mode, left)),
        ("LOST", Some(mode)) => Ok(Seen::Lost(mode, left)),
        (other, _) => Err(JobsError::Unexpected(other.to_owned())),
    }
}
