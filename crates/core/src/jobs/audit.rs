//! The slow look at everything: does every job that has not ended stand in `live`?
//!
//! In one Redis that loses nothing it always does. But records and `live` may be on two nodes of a
//! Cluster, each with a failover of its own, and people delete keys by hand: a job that nobody
//! lists would wait for ever. So each sweeper walks through all records, a page a round, and takes
//! in those that it finds unlisted.

use super::{
    Jobs, JobsError,
    record::{Stage, stage},
};
use crate::{connection::Link, keys};
use redis::Pipeline;
use std::collections::VecDeque;
use uuid::Uuid;

/// Keys that Redis looks at for one page; it costs about a tenth of a millisecond.
const PAGE: usize = 200;

/// How far the walk through the records is.
#[derive(Default)]
pub(super) struct Walk {
    /// Nodes that are still to be walked through, the present one first.
    nodes: VecDeque<Link>,
    cursor: u64,
}

impl Jobs {
    /// Goes on for one page; ids of jobs that have not ended and are not listed.
    pub(super) async fn unlisted(&self, walk: &mut Walk) -> Result<Vec<Uuid>, JobsError> {
        let (node, ids) = self.next_page(walk).await.inspect_err(|_error| {
            // That node is away: go on with the next.
            walk.nodes.pop_front();
            walk.cursor = 0;
        })?;
        let Some(node) = node else {
            return Ok(Vec::new());
        };
        let absent = self.not_in_live(&ids).await?;
        not_ended(node, absent).await
    }

    /// Ids of some jobs, and the node that they are on.
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
        let (cursor, found): (u64, Vec<String>) = command.query_async(node).await?;
        let node = node.clone();
        walk.cursor = cursor;
        if cursor == 0 {
            walk.nodes.pop_front();
        }
        let ids = found.iter().filter_map(|key| keys::id_of(key));
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
        let looks: Vec<Option<f64>> = self.redis.query(&command).await?;
        let pairs = ids.iter().zip(looks);
        Ok(pairs
            .filter_map(|(id, look)| look.is_none().then_some(*id))
            .collect())
    }
}

/// Those that wait or run, asked of their node in one round trip.
async fn not_ended(mut node: Link, ids: Vec<Uuid>) -> Result<Vec<Uuid>, JobsError> {
    if ids.is_empty() {
        return Ok(ids);
    }
    let mut states = Pipeline::with_capacity(ids.len());
    for id in &ids {
        states.hget(keys::control(*id), "state");
    }
    let states: Vec<Option<String>> = states.query_async(&mut node).await?;
    let pairs = ids.into_iter().zip(states);
    Ok(pairs
        .filter_map(|(id, state)| (stage(state.as_deref()) != Stage::Ended).then_some(id))
        .collect())
}
