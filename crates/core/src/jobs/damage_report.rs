//! Finding damaged keys, for `check-config`. Nothing is changed.

use super::{
    Jobs, JobsError,
    damage::KeyGroup,
    error::parse_reply,
    ids::{self, RawEntry, lossy_text},
};
use crate::{connection::RoutedConnection, keys};
use futures_util::future::{join_all, try_join_all};
use redis::Value;
use std::collections::BTreeSet;
use uuid::Uuid;

/// Keys that Redis scans for one page.
const SCAN_COUNT: usize = 500;
/// Pages scanned on each server, so that the report is done within seconds.
const MAX_PAGES_PER_NODE: usize = 40;
/// Entries checked at each end of a list or sorted set.
const MAX_ENTRIES_PER_END: isize = 1000;
/// Keys that a report lists.
const MAX_LISTED_KEYS: usize = 20;

/// A key that holds something else than the engine writes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedKey {
    pub key: String,
    /// What is wrong, as the end of a sentence that begins with the key.
    pub problem: String,
}

/// The damaged keys that were found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DamageReport {
    /// The first ones.
    pub keys: Vec<DamagedKey>,
    /// The number of further ones.
    pub omitted: usize,
}

impl DamageReport {
    fn add(&mut self, key: impl Into<String>, problem: impl Into<String>) {
        if self.keys.len() >= MAX_LISTED_KEYS {
            self.omitted += 1;
            return;
        }
        self.keys.push(DamagedKey {
            key: key.into(),
            problem: problem.into(),
        });
    }
}

impl Jobs {
    /// Checks the keys of the queues, and those of jobs up to a bound.
    ///
    /// # Errors
    /// `Unavailable` when Redis does not answer.
    pub async fn find_damaged_keys(&self) -> Result<DamageReport, JobsError> {
        let mut damages = DamageReport::default();
        for (key, sort) in KeyGroup::Queues.keys() {
            self.check_queue_key(&key, sort, &mut damages).await?;
        }
        for node in self.redis.master_connections().await? {
            self.check_node(node, &mut damages).await?;
        }
        Ok(damages)
    }

    async fn check_queue_key(
        &self,
        key: &str,
        sort: &str,
        damages: &mut DamageReport,
    ) -> Result<(), JobsError> {
        let should_be = match sort {
            "seq" => "string",
            "pending" => "zset",
            kind => kind,
        };
        let kind: String = self.query(redis::cmd("TYPE").arg(key)).await?;
        if kind == "none" {
            return Ok(());
        }
        if kind != should_be {
            damages.add(key, format!("is a {kind} and not a {should_be}"));
            return Ok(());
        }
        let of_names = key.starts_with(keys::WORKERS);
        match (should_be, of_names) {
            ("string", _) => {
                let number: RawEntry = self.query(redis::cmd("GET").arg(key)).await?;
                if lossy_text(&number).parse::<i64>().is_err() {
                    damages.add(key, "is not a number");
                }
            }
            ("zset" | "list", false) => {
                let range = if kind == "zset" { "ZRANGE" } else { "LRANGE" };
                let range = |from: isize, to: isize| {
                    let mut command = redis::cmd(range);
                    command.arg(key).arg(from).arg(to);
                    command
                };
                let first: Vec<RawEntry> = self.query(&range(0, MAX_ENTRIES_PER_END - 1)).await?;
                let last: Vec<RawEntry> = self.query(&range(-MAX_ENTRIES_PER_END, -1)).await?;
                let entries: BTreeSet<&RawEntry> = first.iter().chain(&last).collect();
                let odd = entries
                    .iter()
                    .filter(|entry| ids::parse_id(entry).is_none());
                let odd = odd.count();
                if odd > 0 {
                    damages.add(key, format!("has {odd} entries that are not ids"));
                }
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks the jobs of one server, and finds the keys that were set aside there.
    async fn check_node(
        &self,
        mut node: RoutedConnection,
        damages: &mut DamageReport,
    ) -> Result<(), JobsError> {
        let mut cursor = 0_u64;
        for _ in 0..MAX_PAGES_PER_NODE {
            let mut command = redis::cmd("SCAN");
            command.arg(cursor).arg("COUNT").arg(SCAN_COUNT);
            let page = command.query_async::<Value>(&mut node).await?;
            let (next, found): (u64, Vec<RawEntry>) = parse_reply(page)?;
            let found: Vec<String> = found.iter().map(|key| lossy_text(key)).collect();
            for aside in found.iter().filter(|key| keys::is_aside(key)) {
                damages.add(
                    aside,
                    "was set aside: a key of the service was of a wrong type",
                );
            }
            let ids: BTreeSet<Uuid> = found.iter().filter_map(|key| job_of_key(key)).collect();
            let looked = join_all(ids.into_iter().map(|id| check_job(&node, id))).await;
            for damage in looked {
                for DamagedKey { key, problem } in damage? {
                    damages.add(key, problem);
                }
            }
            cursor = next;
            if cursor == 0 {
                break;
            }
        }
        Ok(())
    }
}

/// The job that a key belongs to: its record, or a key that begins with `{search_job:<id>}`.
fn job_of_key(key: &str) -> Option<Uuid> {
    let inner = key.strip_prefix('{').and_then(|key| key.split('}').next());
    keys::record_id(inner.unwrap_or(key))
}

async fn check_job(node: &RoutedConnection, id: Uuid) -> Result<Vec<DamagedKey>, JobsError> {
    let keys = KeyGroup::Job(id).keys();
    let kinds = keys.iter().map(async |(key, _)| {
        let mut command = redis::cmd("TYPE");
        command.arg(key);
        let kind = command.query_async::<Value>(&mut node.clone()).await?;
        parse_reply::<String>(kind)
    });
    let kinds = try_join_all(kinds).await?;
    let wrong = keys.into_iter().zip(kinds);
    let wrong = wrong.filter(|((_, sort), kind)| kind != "none" && kind != sort);
    let mut damages: Vec<DamagedKey> = wrong
        .map(|((key, sort), kind)| DamagedKey {
            key,
            problem: format!("is a {kind} and not a {sort}"),
        })
        .collect();
    if damages.is_empty() {
        damages.extend(check_state(node, id).await?);
    }
    Ok(damages)
}

/// Checks that this version knows the state of a job.
async fn check_state(node: &RoutedConnection, id: Uuid) -> Result<Option<DamagedKey>, JobsError> {
    let key = keys::control(id);
    let mut command = redis::cmd("HGET");
    command.arg(&key).arg("state");
    let state = command.query_async::<Value>(&mut node.clone()).await?;
    let state = parse_reply::<Option<RawEntry>>(state)?.map(|state| lossy_text(&state));
    // A record of the old service has no control hash.
    let is_known = state.is_none_or(|state| {
        matches!(
            state.as_str(),
            "pending" | "processing" | "completed" | "failed"
        )
    });
    Ok((!is_known).then(|| DamagedKey {
        key,
        problem: "is in a state that this version does not know".to_owned(),
    }))
}
