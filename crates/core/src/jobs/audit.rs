//! Reconciling (anti-entropy): re-adds unfinished jobs that are missing from the index `live`.
//!
//! Records and `live` may be on two nodes of a Cluster, each with its own failover, and people
//! delete keys by hand; a job missing from `live` would wait for ever. So each sweeper scans all
//! records, one page a round. It scans the index as well: it removes entries that are not ids, and
//! brings forward those that are due in more than a month.

use super::{
    Jobs, JobsError,
    damage::Scope,
    error::read,
    ids::{self, Bytes},
    record::{Stage, stage},
};
use crate::{connection::Link, keys, mode::Mode};
use futures_util::future::join_all;
use redis::Value;
use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Keys that Redis scans for one page; takes about 0.1 ms.
const PAGE: usize = 200;

/// No job is postponed for longer; generous, as this machine's clock may differ from that of Redis.
const FAR: Duration = Duration::from_secs(30 * 86_400);

/// Where the scans of the records and of the index go on.
#[derive(Default)]
pub(super) struct Walk {
    /// Nodes whose records are still to be scanned, the current one first.
    nodes: VecDeque<Link>,
    cursor: u64,
    list: usize,
    entry: u64,
}

impl Jobs {
    /// Scans one page of the records and one of the index. Returns the unfinished jobs that are
    /// missing from the index, and the outcome of repairing the index page.
    pub(super) async fn walk_on(
        &self,
        walk: &mut Walk,
    ) -> (Result<Vec<Uuid>, JobsError>, Result<(), JobsError>) {
        (self.unlisted(walk).await, self.tidy(walk).await)
    }

    /// Repairs one page of one sorted set.
    async fn tidy(&self, walk: &mut Walk) -> Result<(), JobsError> {
        let of_times = [keys::LIVE, keys::UNSAVED, keys::CALLBACKS];
        let others = Mode::ALL.map(keys::pending);
        let lists = of_times.map(str::to_owned).into_iter().chain(others);
        let lists: Vec<String> = lists.chain([keys::FAILURES.to_owned()]).collect();
        let list = lists[walk.list % lists.len()].as_str();
        let mut command = redis::cmd("ZSCAN");
        command.arg(list).arg(walk.entry).arg("COUNT").arg(PAGE);
        let (next, page): (u64, Vec<(Bytes, Bytes)>) =
            self.query_in(Scope::Queues, &command).await?;
        walk.entry = next;
        if next == 0 {
            walk.list = (walk.list + 1) % lists.len();
        }
        let entries: Vec<Bytes> = page.iter().map(|(entry, _)| entry.clone()).collect();
        self.ids_of(list, &entries).await?;
        if !of_times.contains(&list) {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let latest = super::millis(now.unwrap_or_default() + FAR);
        for (entry, at) in page {
            if let Some(id) = ids::id(&entry)
                && ids::millis(&at) > latest
            {
                self.put_off(list, id, Duration::ZERO).await?;
            }
        }
        Ok(())
    }

    /// Scans one page of records for unfinished jobs that are missing from the index.
    async fn unlisted(&self, walk: &mut Walk) -> Result<Vec<Uuid>, JobsError> {
        let (node, ids) = self.next_page(walk).await.inspect_err(|_error| {
            // The node is away: go on with the next.
            walk.nodes.pop_front();
            walk.cursor = 0;
        })?;
        let Some(node) = node else {
            return Ok(Vec::new());
        };
        let absent = self.not_in_live(&ids).await?;
        not_ended(node, absent).await
    }

    /// The ids of one page of records, and their node.
    async fn next_page(&self, walk: &mut Walk) -> Result<(Option<Link>, Vec<Uuid>), JobsError> {
        if walk.nodes.is_empty() {
            walk.nodes = self.redis.masters().await?.into();
        }
        let Some(node) = walk.nodes.front_mut() else {
            return Ok((None, Vec::new()));
        };
        let mut command = redis::cmd("SCAN");
        command.arg(walk.cursor);
        command
            .arg("MATCH")
            .arg(keys::RECORDS)
            .arg("COUNT")
            .arg(PAGE);
        let (cursor, found): (u64, Vec<Bytes>) = read(command.query_async::<Value>(node).await?)?;
        let node = node.clone();
        walk.cursor = cursor;
        if cursor == 0 {
            walk.nodes.pop_front();
        }
        let ids = found
            .iter()
            .filter_map(|key| keys::id_of(str::from_utf8(key).ok()?));
        Ok((Some(node), ids.collect()))
    }

    async fn not_in_live(&self, ids: &[Uuid]) -> Result<Vec<Uuid>, JobsError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let mut command = redis::cmd("ZMSCORE");
        command.arg(keys::LIVE);
        for id in ids {
            command.arg(id.to_string());
        }
        let looks: Vec<Option<Bytes>> = self.query_in(Scope::Queues, &command).await?;
        let pairs = ids.iter().zip(looks);
        Ok(pairs
            .filter_map(|(id, look)| look.is_none().then_some(*id))
            .collect())
    }
}

/// The unfinished jobs among `ids`, in one round trip to their node; without those that cannot be
/// read.
async fn not_ended(node: Link, ids: Vec<Uuid>) -> Result<Vec<Uuid>, JobsError> {
    let states = ids.iter().map(async |id| {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(*id)).arg("state");
        let state = command.query_async::<Value>(&mut node.clone()).await?;
        read::<Option<String>>(state)
    });
    let mut left = Vec::new();
    for (id, state) in ids.iter().zip(join_all(states).await) {
        match state {
            Ok(state) if stage(state.as_deref()) != Stage::Ended => left.push(*id),
            Ok(_) => {}
            Err(error) if error.is_about_data() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}
