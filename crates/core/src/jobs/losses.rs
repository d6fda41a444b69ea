//! Which jobs were lost together, when their worker died.
//!
//! One of the jobs of a dead worker may have crashed it, so each is a suspect. The control hash of a
//! job names the process that holds it. A sweeper that finds an expired lease collects the other
//! jobs of that process and records them in `{search}:lost:<process>` before it recovers the first:
//! leases expire one after the other, and a recovered job may have ended before the last one is
//! found. `inspect.lua` decides whether the loss counts as a crash of the job.

use super::{
    Jobs, JobsError,
    damage::KeyGroup,
    ids::{self, RawEntry},
};
use crate::keys;
use futures_util::future::join_all;
use uuid::Uuid;

/// How often a job may be lost at all. After its second loss a suspect runs alone, so its next loss
/// counts as a crash; this bound is for workers of older versions, which do not isolate suspects.
pub(super) const MAX_LOSSES: u32 = 10;
/// Jobs checked for one process: those with the earliest next check, among which the running ones
/// are.
const MAX_JOBS_CHECKED: usize = 4096;
/// Jobs named for one process. With more, it is unknown which job was not there.
const MAX_NAMES: usize = 128;
/// Seconds that the names are kept; the leases of one process expire within that time.
const NAMES_TTL_SECONDS: u64 = 3600;
/// Stands for jobs that have no name in the set.
const UNNAMED_JOBS: &str = "+";
/// Namespace of the ids derived from worker names; any fixed id does.
const WORKER_NAME_NAMESPACE: Uuid = Uuid::from_u128(0x51c5_9f5e_2f0c_4e0b_8d25_6c6e_17aa_93d1);

/// The fields of a control hash that tell which process runs the job.
#[derive(Debug, Clone, Default)]
pub(super) struct RunningAttempt {
    pub(super) nonce: String,
    pub(super) holder: String,
    pub(super) worker: String,
}

impl RunningAttempt {
    /// The process that runs the attempt.
    pub(super) fn process(&self) -> Uuid {
        let process = self.holder.strip_prefix(&self.nonce);
        let process = process.and_then(|rest| Uuid::try_parse(rest.trim_start()).ok());
        // The previous version writes no holder and leaves that of an earlier attempt; there the
        // worker's name stands for the process.
        process.unwrap_or_else(|| Uuid::new_v5(&WORKER_NAME_NAMESPACE, self.worker.as_bytes()))
    }
}

/// Identifies a job among those that were lost together.
fn short_name(id: Uuid) -> String {
    format!("{:08x}", id.as_fields().0)
}

/// The names other than that of `id`, as `inspect.lua` reads them.
pub(super) fn names_without(id: Uuid, lost: &[String]) -> String {
    let name = short_name(id);
    let others: Vec<&str> = lost
        .iter()
        .filter(|other| **other != name)
        .map(String::as_str)
        .collect();
    others.join(" ")
}

/// The fields `state`, `nonce`, `holder` and `worker` of a control hash.
type HolderFields = (
    Option<String>,
    Option<String>,
    Option<String>,
    Option<String>,
);

impl Jobs {
    /// The short names of the jobs that were lost with this process, among those in `live` and in
    /// `more`. [`UNNAMED_JOBS`] is among the names when `can_ask` excludes a job or a server does not answer.
    pub(super) async fn lost_with(
        &self,
        process: Uuid,
        more: Vec<Uuid>,
        can_ask: impl Fn(Uuid) -> bool,
    ) -> Result<Vec<String>, JobsError> {
        let mut command = redis::cmd("ZRANGE");
        command.arg(keys::LIVE).arg(0).arg(MAX_JOBS_CHECKED - 1);
        let entries: Vec<RawEntry> = self.query_in(KeyGroup::Queues, &command).await?;
        let mut is_unknown = entries.len() >= MAX_JOBS_CHECKED;
        let listed = entries.iter().filter_map(|entry| ids::parse_id(entry));
        let (asked, away): (Vec<Uuid>, Vec<Uuid>) = listed.chain(more).partition(|id| can_ask(*id));
        is_unknown |= !away.is_empty();
        // Sent together on the shared connection of each server.
        let processes = join_all(asked.iter().map(|id| self.process_of(*id))).await;
        let mut names = Vec::new();
        for (id, its) in asked.into_iter().zip(processes) {
            match its {
                Ok(its) if its == Some(process) => names.push(short_name(id)),
                Ok(_) => {}
                Err(error) if error.is_data_error() => {}
                Err(_away) => is_unknown = true,
            }
        }
        if is_unknown {
            names.push(UNNAMED_JOBS.to_owned());
        }
        self.record_lost(process, &names).await
    }

    /// `None` when the job does not run.
    async fn process_of(&self, id: Uuid) -> Result<Option<Uuid>, JobsError> {
        let mut command = redis::cmd("HMGET");
        command.arg(keys::control(id));
        command.arg(&["state", "nonce", "holder", "worker"]);
        let (state, nonce, holder, worker): HolderFields = self.query(&command).await?;
        let attempt = RunningAttempt {
            nonce: nonce.unwrap_or_default(),
            holder: holder.unwrap_or_default(),
            worker: worker.unwrap_or_default(),
        };
        let runs = state.as_deref() == Some("processing");
        Ok(runs.then(|| attempt.process()))
    }

    async fn record_lost(&self, process: Uuid, names: &[String]) -> Result<Vec<String>, JobsError> {
        let mut invocation = self.scripts.record_lost.prepare_invoke();
        invocation
            .key(keys::lost_jobs(process))
            .arg(MAX_NAMES)
            .arg(NAMES_TTL_SECONDS)
            .arg(names);
        match self.call_in(KeyGroup::Queues, &invocation).await {
            Err(error) if error.is_data_error() => {
                self.log_damaged_key(&keys::lost_jobs(process), &error);
                let seen = names.iter().cloned().chain([UNNAMED_JOBS.to_owned()]);
                Ok(seen.collect())
            }
            known => known,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attempt(nonce: &str, holder: &str) -> RunningAttempt {
        RunningAttempt {
            nonce: nonce.to_owned(),
            holder: holder.to_owned(),
            worker: r#""worker-7""#.to_owned(),
        }
    }

    #[test]
    fn an_attempt_belongs_to_the_process_that_claimed_it() {
        let process = Uuid::from_u128(7);
        let held = attempt("nonce", &format!("nonce {process}"));
        assert_eq!(held.process(), process);
    }

    #[test]
    fn an_attempt_of_the_previous_version_belongs_to_its_worker_name() {
        let process = Uuid::from_u128(7);
        let left_over = attempt("another", &format!("nonce {process}"));
        assert_eq!(left_over.process(), attempt("nonce", "").process());
        assert_ne!(left_over.process(), process);
    }

    #[test]
    fn other_names_leave_out_the_job_itself() {
        let [one, other] = [0xab_u128 << 96, 0xcd_u128 << 96].map(Uuid::from_u128);
        let lost = [short_name(one), short_name(other), UNNAMED_JOBS.to_owned()];
        assert_eq!(
            names_without(one, &lost),
            format!("{} +", short_name(other))
        );
        assert_eq!(names_without(one, &lost[..1]), "");
    }
}
