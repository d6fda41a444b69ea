//! Reconciling (anti-entropy): re-adds unfinished jobs that are missing from the index `live`.
//!
//! Records and `live` may be on two nodes of a Cluster, each with its own failover, and people
//! delete keys by hand; a job missing from `live` would wait for ever. So each sweeper scans all
//! records, one page a round. It scans the index as well: it removes entries that are not ids, and
//! brings forward those that are due in more than a month.

use super::{
    Jobs, JobsError,
    damage::KeyGroup,
    error::parse_reply,
    ids::{self, RawEntry},
    record::{JobState, parse_state},
};
use crate::{connection::RoutedConnection, keys, mode::Mode};
use futures_util::future::join_all;
use redis::Value;
use std::{
    collections::VecDeque,
    time::{Duration, SystemTime, UNIX_EPOCH},
};
use uuid::Uuid;

/// Keys that Redis scans for one page; takes about 0.1 ms.
const SCAN_COUNT: usize = 200;

/// No job is postponed for longer; generous, as this machine's clock may differ from that of Redis.
const MAX_POSTPONEMENT: Duration = Duration::from_secs(30 * 86_400);

/// Where the scans of the records and of the index go on.
#[derive(Default)]
pub(super) struct ScanCursor {
    /// Nodes whose records are still to be scanned, the current one first.
    nodes: VecDeque<RoutedConnection>,
    record_cursor: u64,
    index_position: usize,
    index_cursor: u64,
}

impl Jobs {
    /// Scans one page of the records and one of the index. Returns the unfinished jobs that are
    /// missing from the index, and the outcome of repairing the index page.
    pub(super) async fn reconcile_page(
        &self,
        walk: &mut ScanCursor,
    ) -> (Result<Vec<Uuid>, JobsError>, Result<(), JobsError>) {
        (
            self.find_untracked(walk).await,
            self.repair_index_page(walk).await,
        )
    }

    /// Repairs one page of one sorted set.
    async fn repair_index_page(&self, walk: &mut ScanCursor) -> Result<(), JobsError> {
        let of_times = [keys::LIVE, keys::UNSAVED, keys::CALLBACKS];
        let others = Mode::ALL.map(keys::pending);
        let lists = of_times.map(str::to_owned).into_iter().chain(others);
        let lists: Vec<String> = lists.chain([keys::FAILURES.to_owned()]).collect();
        let list = lists[walk.index_position % lists.len()].as_str();
        let mut command = redis::cmd("ZSCAN");
        command
            .arg(list)
            .arg(walk.index_cursor)
            .arg("COUNT")
            .arg(SCAN_COUNT);
        let (next, page): (u64, Vec<(RawEntry, RawEntry)>) =
            self.query_in(KeyGroup::Queues, &command).await?;
        walk.index_cursor = next;
        if next == 0 {
            walk.index_position = (walk.index_position + 1) % lists.len();
        }
        let entries: Vec<RawEntry> = page.iter().map(|(entry, _)| entry.clone()).collect();
        self.valid_ids(list, &entries).await?;
        if !of_times.contains(&list) {
            return Ok(());
        }
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let latest = super::millis(now.unwrap_or_default() + MAX_POSTPONEMENT);
        for (entry, at) in page {
            if let Some(id) = ids::parse_id(&entry)
                && ids::parse_millis(&at) > latest
            {
                self.postpone(list, id, Duration::ZERO).await?;
            }
        }
        Ok(())
    }

    /// Scans one page of records for unfinished jobs that are missing from the index.
    async fn find_untracked(&self, walk: &mut ScanCursor) -> Result<Vec<Uuid>, JobsError> {
        let (node, ids) = self.scan_records(walk).await.inspect_err(|_error| {
            // The node is away: go on with the next.
            walk.nodes.pop_front();
            walk.record_cursor = 0;
        })?;
        let Some(node) = node else {
            return Ok(Vec::new());
        };
        let absent = self.not_in_live(&ids).await?;
        unfinished(node, absent).await
    }

    /// The ids of one page of records, and their node.
    async fn scan_records(
        &self,
        walk: &mut ScanCursor,
    ) -> Result<(Option<RoutedConnection>, Vec<Uuid>), JobsError> {
        if walk.nodes.is_empty() {
            walk.nodes = self.redis.master_connections().await?.into();
        }
        let Some(node) = walk.nodes.front_mut() else {
            return Ok((None, Vec::new()));
        };
        let mut command = redis::cmd("SCAN");
        command.arg(walk.record_cursor);
        command
            .arg("MATCH")
            .arg(keys::RECORD_PATTERN)
            .arg("COUNT")
            .arg(SCAN_COUNT);
        let (cursor, found): (u64, Vec<RawEntry>) =
            parse_reply(command.query_async::<Value>(node).await?)?;
        let node = node.clone();
        walk.record_cursor = cursor;
        if cursor == 0 {
            walk.nodes.pop_front();
        }
        let ids = found
            .iter()
            .filter_map(|key| keys::record_id(str::from_utf8(key).ok()?));
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
        let looks: Vec<Option<RawEntry>> = self.query_in(KeyGroup::Queues, &command).await?;
        let pairs = ids.iter().zip(looks);
        Ok(pairs
            .filter_map(|(id, look)| look.is_none().then_some(*id))
            .collect())
    }
}

/// The unfinished jobs among `ids`, in one round trip to their node; without those that cannot be
/// read.
async fn unfinished(node: RoutedConnection, ids: Vec<Uuid>) -> Result<Vec<Uuid>, JobsError> {
    let states = ids.iter().map(async |id| {
        let mut command = redis::cmd("HGET");
        command.arg(keys::control(*id)).arg("state");
        let state = command.query_async::<Value>(&mut node.clone()).await?;
        parse_reply::<Option<String>>(state)
    });
    let mut left = Vec::new();
    for (id, state) in ids.iter().zip(join_all(states).await) {
        match state {
            Ok(state) if parse_state(state.as_deref()) != JobState::Ended => left.push(*id),
            Ok(_) => {}
            Err(error) if error.is_data_error() => {}
            Err(error) => return Err(error),
        }
    }
    Ok(left)
}
