//! 9: a search whose cancellation was confirmed stops and never completes. 10: one idempotency key
//! means one search.

use std::collections::{BTreeMap, BTreeSet};

use super::{History, Job, ViolationList};
use crate::chaos::log::Entry;
use crate::chaos::search_engine::token;

/// How long a cancelled search may still call engines when the cancel message was lost.
const STOP_TIMEOUT: u64 = 6000;

pub(super) fn check(history: &History<'_>, violations: &mut ViolationList<'_>) {
    for entry in history.entries {
        if let Entry::Cancelled {
            answered,
            id,
            status: Some(200),
            ..
        } = entry
            && let Some(job) = history.jobs.get(id.as_str())
        {
            cancelled(history, id, job, *answered, violations);
        }
    }
    keys(history, violations);
}

fn cancelled(
    history: &History<'_>,
    id: &str,
    job: &Job<'_>,
    at: u64,
    violations: &mut ViolationList<'_>,
) {
    if job.status() == "completed" || job.record["cancelled"] != true {
        return violations.add(9, id, format!("cancelled, and is {}", job.status()));
    }
    let whose = token(job.member("query").as_str().unwrap_or_default());
    for entry in history.entries {
        if let Entry::EngineCalled { at: called, token } = entry
            && token == whose
            && *called > at + STOP_TIMEOUT
            && !broken(history, job, at, *called)
        {
            violations.add(
                9,
                id,
                format!("calls an engine {} ms after it was cancelled", called - at),
            );
        }
    }
}

/// Whether a fault kept the cancellation from a worker of this search.
fn broken(history: &History<'_>, job: &Job<'_>, from: u64, until: u64) -> bool {
    let runs = |target: &str| {
        let mut started = job.events.iter().filter(|event| event.kind == "started");
        target == "redis" || started.any(|event| event.data["worker"] == target)
    };
    let mut faults = history.faults.iter();
    faults.any(|fault| {
        runs(fault.target) && fault.from <= until && fault.until + history.lease >= from
    })
}

/// The body, the status and the id of one POST.
type Post<'a> = (&'a str, Option<u16>, Option<&'a str>);

fn keys(history: &History<'_>, violations: &mut ViolationList<'_>) {
    let mut posts: BTreeMap<&str, Vec<Post<'_>>> = BTreeMap::new();
    let mut keyed: BTreeMap<&str, &str> = BTreeMap::new();
    for entry in history.entries {
        if let Entry::Posted {
            key: Some(key),
            token,
            body,
            status,
            id,
            ..
        } = entry
        {
            posts
                .entry(key)
                .or_default()
                .push((body, *status, id.as_deref()));
            keyed.insert(token, key);
        }
    }
    for (key, posts) in posts {
        let is_accepted = |status| matches!(status, Some(200 | 500 | 504));
        let accepted = posts.iter().filter(|(_, status, _)| is_accepted(*status));
        let ids: BTreeSet<&str> = accepted.clone().filter_map(|(_, _, id)| *id).collect();
        let bodies: BTreeSet<&str> = accepted.map(|(body, _, _)| *body).collect();
        if ids.len() > 1 {
            violations.add(10, key, format!("is {} searches", ids.len()));
        }
        if bodies.len() > 1 {
            violations.add(10, key, "took two bodies");
        }
        let refused =
            |(body, status, _): &&(&str, _, _)| *status == Some(409) && bodies.contains(body);
        if posts.iter().find(refused).is_some() {
            violations.add(10, key, "refused the body that it had taken");
        }
    }
    let mut searches: BTreeMap<&str, u32> = BTreeMap::new();
    for job in history.jobs.values() {
        let token = token(job.member("query").as_str().unwrap_or_default());
        if let Some(key) = keyed.get(token) {
            *searches.entry(key).or_default() += 1;
        }
    }
    for (key, count) in searches.into_iter().filter(|(_, count)| *count > 1) {
        violations.add(10, key, format!("was run as {count} searches"));
    }
}
